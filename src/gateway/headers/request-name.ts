/** The X-Request-Name header: a line of text; one that is not ASCII comes as UTF-8 or URI-encoded. Pure. */
import { NOT_CLEAN } from '../../shared/contract/association.js';
import { isCleanText } from '../../shared/contract/record-id.js';
import { Refusal } from '../refusal.js';

const MAX_LENGTH = 200;

/** @throws Refusal 400 */
export function readRequestName(given: string | string[] | undefined): string | undefined {
  if (given === undefined) return undefined;
  const name = decoded(asUtf8(String(given))).trim();
  const isShort = name.length >= 1 && name.length <= MAX_LENGTH;
  if (isShort && isCleanText(name)) return name;
  const fault = isShort ? `it ${NOT_CLEAN}` : `it has ${name.length}`;
  throw new Refusal(400, `The X-Request-Name must have 1 to ${MAX_LENGTH} characters`, [
    { message: fault, in: 'X-Request-Name' },
  ]);
}

/** Node reads the bytes of a header as Latin-1. */
function asUtf8(text: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'latin1'));
  } catch {
    return text;
  }
}

/** A percent sign that is no escape is meant as such. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
