/** The query of GET /requests: state, after, limit. Pure. */
import { didYouMean, meant } from '../../shared/contract/did-you-mean.js';
import { REQUEST_STATES, type RequestQuery } from '../../shared/state/requests.js';
import { type Fault, listRefusal } from '../refusal.js';
import { isRequestId } from '../requests/id.js';

export const MAX_LIMIT = 200;
const NAMES = ['state', 'after', 'limit'] as const;

/** @throws Refusal 400 that names every fault */
export function readListQuery(
  query: Readonly<Record<string, unknown>>,
): Pick<RequestQuery, (typeof NAMES)[number]> {
  const faults: Fault[] = Object.keys(query)
    .filter(name => !(NAMES as readonly string[]).includes(name))
    .map(name => ({ message: `it is not ${NAMES.join(', ')}${didYouMean(meant(name, NAMES))}`, in: name }));
  const one = (name: (typeof NAMES)[number], isGood: (text: string) => boolean, wanted: string) => {
    const given = query[name];
    if (given === undefined) return undefined;
    if (typeof given === 'string' && isGood(given)) return given;
    faults.push({ message: `it is not ${wanted}`, in: name });
    return undefined;
  };
  const isLimit = (text: string) => /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_LIMIT;
  const state = one('state', text => REQUEST_STATES.some(known => known === text), REQUEST_STATES.join(', '));
  const after = one('after', isRequestId, 'the id of a request');
  const limit = one('limit', isLimit, `one number from 1 to ${MAX_LIMIT}`);
  if (faults.length > 0) throw listRefusal(faults);
  return {
    ...(state !== undefined && { state: state as (typeof REQUEST_STATES)[number] }),
    ...(after !== undefined && { after }),
    ...(limit !== undefined && { limit: Number(limit) }),
  };
}
