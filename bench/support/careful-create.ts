/**
 * What a careful user writes around the call if each association has its own job: inputs that HubSpot names have failed,
 * the rest of a refused call is sent again, and a call that is refused without names is halved.
 */
import { Agent } from 'node:http';
import axios, { type AxiosResponse } from 'axios';
import pLimit from 'p-limit';
import type { Pair } from '../../src/shared/contract/association.js';
import { OBJECT_PAIR, TYPES } from './associations.js';

type Named = { id?: string[]; objectId?: string[] };
type Body = { results?: unknown[]; errors?: { context?: Named }[]; context?: Named };

const CALLS_AT_ONCE = 10;
const PATH = `/crm/v4/associations/${OBJECT_PAIR.fromObjectType}/${OBJECT_PAIR.toObjectType}/batch/create`;

/** Creates associations in as few calls as possible. @returns for each whether it was created */
export type Create = (pairs: readonly Pair[]) => Promise<boolean[]>;

/** @throws AxiosError for everything but 2xx and 400, which the queue must retry */
export function carefulCreate(hubspotUrl: string, callsAtOnce = CALLS_AT_ONCE): Create {
  const http = axios.create({
    baseURL: hubspotUrl,
    httpAgent: new Agent({ keepAlive: true }),
    headers: { authorization: 'Bearer pat-bench' },
    validateStatus: status => (status >= 200 && status < 300) || status === 400,
  });
  const limit = pLimit(callsAtOnce);
  const post = (pairs: readonly Pair[]): Promise<AxiosResponse<Body>> => {
    const inputs = pairs.map(([from, to]) => ({ from: { id: from }, to: { id: to }, types: TYPES }));
    return limit(() => http.post<Body>(PATH, { inputs }));
  };

  return async function create(pairs): Promise<boolean[]> {
    const { status, data } = await post(pairs);
    const named = new Set(
      [data.context, ...(data.errors ?? []).map(error => error.context)].flatMap(context => [
        ...(context?.id ?? []),
        ...(context?.objectId ?? []),
      ]),
    );
    const isNamed = ([from, to]: Pair) => named.has(from) || named.has(to);
    if (status !== 400) return pairs.map(pair => !isNamed(pair));
    const rest = pairs.filter(pair => !isNamed(pair));
    if (rest.length < pairs.length) {
      const created = rest.length > 0 ? await create(rest) : [];
      let next = 0;
      return pairs.map(pair => !isNamed(pair) && created[next++] === true);
    }
    if (pairs.length === 1) return [false];
    const middle = Math.ceil(pairs.length / 2);
    const halves = await Promise.all([create(pairs.slice(0, middle)), create(pairs.slice(middle))]);
    return halves.flat();
  };
}
