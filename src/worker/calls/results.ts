/**
 * Reads the results of an accepted call. Pure.
 * Matches results by record pair, never by position: they come in any order, with ids as strings or numbers, and sometimes
 * with pairs that were not sent.
 */
import { field, isObject } from '../../hubspot/classify.js';
import { MAX_INPUTS_PER_CALL } from '../../shared/contract/association.js';
import { canonicalId, MOST_DIGITS, plainId } from '../../shared/contract/record-id.js';
import { fromOf, type PairColumns, toOf } from '../batches/columns.js';
import { PairTable } from '../batches/pair-table.js';

/** What the results say about an input. */
export const [UNLISTED, TURNED, LISTED] = [0, 1, 2];

/** Table for one call's inputs; it is empty between two answers. */
const table = new PairTable(MAX_INPUTS_PER_CALL);

/**
 * @returns for each input whether `results` has it. TURNED: only in the other direction (v3 listed both directions), and the
 * pair in that direction was not sent itself.
 * @param inputs the inputs that were sent; all others are UNLISTED
 */
export function matchResults(body: unknown, columns: PairColumns, inputs?: readonly number[]): Uint8Array {
  const marks = new Uint8Array(columns.size);
  const results = field(body, 'results');
  if (!Array.isArray(results) || results.length === 0) return marks;
  table.clear();
  const count = inputs?.length ?? columns.size;
  for (let at = 0; at < count; at++) {
    const input = inputs ? (inputs[at] as number) : at;
    table.add(fromOf(columns, input), toOf(columns, input), input);
  }
  const numberOf = idReader(columns.texts);
  for (const result of results) {
    if (!isObject(result)) continue;
    const from = numberOf(result.fromObjectId);
    const to = numberOf(result.toObjectId);
    const input = table.get(from, to);
    if (input >= 0) marks[input] = LISTED;
    else {
      const turned = table.get(to, from);
      if (turned >= 0 && marks[turned] === UNLISTED) marks[turned] = TURNED;
    }
  }
  return marks;
}

export function errorsIn(body: unknown): Readonly<Record<string, unknown>>[] {
  const errors = field(body, 'errors');
  return Array.isArray(errors) ? errors.filter(isObject) : [];
}

/** @returns true if the results list every input and there are no errors */
export const listsAll = (body: unknown, columns: PairColumns): boolean =>
  errorsIn(body).length === 0 && !matchResults(body, columns).includes(UNLISTED);

const PLAIN_BELOW = 10 ** MOST_DIGITS;

/**
 * @returns a function that turns an id of an answer, in whatever form, into its number in these columns, or NaN, which equals
 * no id, if no input has it. (An object is not an id; converting it to text may even fail.)
 */
export function idReader(texts: readonly string[]): (id: unknown) => number {
  const numbers = new Map<string, number>();
  for (let place = 0; place < texts.length; place++) numbers.set(texts[place] as string, -1 - place);
  const oddNumber = (id: string): number => numbers.get(id) ?? Number.NaN;
  return id => {
    if (typeof id === 'number')
      return id >= 0 && id < PLAIN_BELOW && Number.isInteger(id) ? id : oddNumber(String(id));
    if (typeof id !== 'string') return Number.NaN;
    const odd = texts.length > 0 ? numbers.get(id) : undefined;
    if (odd !== undefined) return odd;
    const plain = plainId(id);
    return plain >= 0 ? plain : oddNumber(canonicalId(id));
  };
}
