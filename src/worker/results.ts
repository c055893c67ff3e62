/**
 * What the body of an accepted call lists. Pure.
 * Results are matched by record pair, never by position: they come in any order, with ids as strings or numbers, and
 * sometimes with pairs that nobody asked for.
 */
import { field, isObject } from '../hubspot/classify.js';
import { PairMap } from './pair-map.js';

type HasPair = { readonly from: string; readonly to: string };

/** The inputs that stand in `results`. */
export function matchResults<Input extends HasPair>(body: unknown, inputs: readonly Input[]): Set<Input> {
  const results = field(body, 'results');
  const found = new Set<Input>();
  if (!Array.isArray(results) || results.length === 0) return found;
  const byPair = new PairMap<Input>();
  for (const input of inputs) byPair.add(input);
  for (const result of results) {
    if (!isObject(result)) continue;
    const input = byPair.get(String(result.fromObjectId), String(result.toObjectId));
    if (input) found.add(input);
  }
  return found;
}

export function errorsIn(body: unknown): Readonly<Record<string, unknown>>[] {
  const errors = field(body, 'errors');
  return Array.isArray(errors) ? errors.filter(isObject) : [];
}

/** Every input stands in the results, and there is nothing else to say of any. */
export const listsAll = (body: unknown, inputs: readonly HasPair[]): boolean =>
  errorsIn(body).length === 0 && matchResults(body, inputs).size === inputs.length;
