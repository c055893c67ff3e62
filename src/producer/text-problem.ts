/** What is wrong with a short text that goes into jobs or records: a source, a name. Pure. */
import { NOT_CLEAN } from '../shared/contract/association.js';
import { isCleanText } from '../shared/contract/record-id.js';

const MAX_LENGTH = 200;

export function textProblem(name: string, text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > MAX_LENGTH)
    return `${name} is not a text of at most ${MAX_LENGTH} characters`;
  if (text.trim() === '') return `${name} is blank: leave it out, or give a text`;
  return isCleanText(text) ? undefined : `${name} ${NOT_CLEAN}`;
}
