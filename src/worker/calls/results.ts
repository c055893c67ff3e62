/**
 * What the body of an accepted call lists. Pure.
 * Results are matched by record pair, never by position: they come in any order, with ids as strings or numbers, and
 * sometimes with pairs that nobody asked for.
 */
import { field, isObject } from '../../hubspot/classify.js';
import { MAX_INPUTS_PER_CALL } from '../../shared/contract/association.js';
import { canonicalId } from '../../shared/contract/record-id.js';
import type { Columns } from '../batches/columns.js';
import { PairMap } from '../batches/pair-map.js';
import { PairSet } from '../batches/pair-set.js';

type HasPair = { readonly from: string; readonly to: string };

/**
 * The inputs that stand in `results`.
 * @param turned where those are put that stand there the other way round (v3 listed both directions), and whose pair in
 * that direction was not asked for itself
 */
export function matchResults<Input extends HasPair>(
  body: unknown,
  inputs: readonly Input[],
  turned: Set<Input>,
): Set<Input> {
  const results = field(body, 'results');
  const found = new Set<Input>();
  if (!Array.isArray(results) || results.length === 0) return found;
  const byPair = new PairMap<Input>();
  for (const input of inputs) byPair.add(input);
  for (const result of results) {
    if (!isObject(result)) continue;
    const [from, to] = [idOf(result.fromObjectId), idOf(result.toObjectId)];
    const input = byPair.get(from, to);
    if (input) found.add(input);
    else {
      const other = byPair.get(to, from);
      if (other) turned.add(other);
    }
  }
  return found;
}

export function errorsIn(body: unknown): Readonly<Record<string, unknown>>[] {
  const errors = field(body, 'errors');
  return Array.isArray(errors) ? errors.filter(isObject) : [];
}

/** Every input stands in the results, and there is nothing else to say of any. */
export function listsAll(body: unknown, inputs: readonly HasPair[]): boolean {
  if (errorsIn(body).length > 0) return false;
  const turned = new Set<HasPair>();
  const found = matchResults(body, inputs, turned);
  for (const input of turned) found.add(input);
  return found.size === inputs.length;
}

const wanted = new PairSet(MAX_INPUTS_PER_CALL);
const listed = new PairSet(MAX_INPUTS_PER_CALL);

/** The same for inputs in numbers. */
export function listsAllPlain(body: unknown, { ids }: Columns): boolean {
  const results = field(body, 'results');
  if (!Array.isArray(results) || errorsIn(body).length > 0) return false;
  wanted.clear();
  listed.clear();
  for (let at = 0; at < ids.length; at += 2) wanted.add(ids[at] as number, ids[at + 1] as number);
  let found = 0;
  for (const result of results) {
    if (!isObject(result)) continue;
    const from = numberOf(result.fromObjectId);
    const to = numberOf(result.toObjectId);
    if (wanted.has(from, to)) found += listed.add(from, to) ? 1 : 0;
    else if (wanted.has(to, from)) found += listed.add(to, from) ? 1 : 0;
  }
  return found === ids.length / 2;
}

/** Inputs have their ids in the one form; an answer may have any. An object is no id: to make text of it may even fail. */
const idOf = (id: unknown): string =>
  typeof id === 'number' || typeof id === 'string' ? canonicalId(id) : '';

const PLAIN_ID = /^0*\d{1,15}$/;
/** NaN, which is equal to no id: it is none of plain digits. */
const numberOf = (id: unknown): number =>
  typeof id === 'number' ? id : typeof id === 'string' && PLAIN_ID.test(id) ? Number(id) : Number.NaN;
