/** The X-Request-Name header: a line of text, URI-encoded if it is not ASCII. Pure. */
import { NOT_CLEAN } from '../../shared/contract/association.js';
import { isCleanText } from '../../shared/contract/record-id.js';
import { Refusal } from '../refusal.js';

const MAX_LENGTH = 200;

/** @throws Refusal 400 */
export function readRequestName(given: string | string[] | undefined): string | undefined {
  if (given === undefined) return undefined;
  const name = decoded(String(given));
  const isShort = name.length >= 1 && name.length <= MAX_LENGTH;
  if (isShort && isCleanText(name)) return name;
  const fault = isShort ? `it ${NOT_CLEAN}` : `it has ${name.length}`;
  throw new Refusal(400, `The X-Request-Name must have 1 to ${MAX_LENGTH} characters`, [
    { message: fault, in: 'X-Request-Name' },
  ]);
}

/** A percent sign that is no escape is meant as such. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
