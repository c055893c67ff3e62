/** Requests in the queue: samples whose jobs alternate, as several producers write them, and what waits there. */
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import type { Pair } from '../../src/shared/contract/association.js';
import { JOB_NAME, type Keys } from '../../src/shared/contract/keys.js';
import { contactsToCompanies } from './samples.js';

export type SampleRequest = {
  readonly id: string;
  readonly associations: number;
  /** associations `from` to `to`, without the last */
  readonly pairs: (from: number, to: number) => readonly Pair[];
};
export type Place = { readonly redis: Redis; readonly keys: Keys; readonly queue: Queue };

export const requestOf = (id: string, pairs: readonly Pair[]): SampleRequest => ({
  id,
  associations: pairs.length,
  pairs: (from, to) => pairs.slice(from, to),
});

/** @param options of BullMQ */
export async function enqueueRequests(
  { redis, keys, queue }: Place,
  requests: readonly SampleRequest[],
  pairsPerJob: number,
  options: { readonly priority?: number; readonly delay?: number } = {},
): Promise<void> {
  for (const { id, associations } of requests) {
    const jobs = Math.ceil(associations / pairsPerJob);
    const enqueuedAt = Date.now();
    await redis.hset(keys.requests + id, {
      accepted: associations,
      jobs,
      enqueuedAt,
      via: 'file',
      keep: 600,
    });
    await redis.zadd(keys.requestList, enqueuedAt, id);
  }
  const most = Math.max(...requests.map(({ associations }) => associations));
  let jobs = [];
  for (let n = 0; n * pairsPerJob < most; n++) {
    for (const { id, associations, pairs } of requests) {
      if (n * pairsPerJob >= associations) continue;
      const some = pairs(n * pairsPerJob, Math.min(associations, (n + 1) * pairsPerJob));
      jobs.push({
        name: JOB_NAME,
        data: { ...contactsToCompanies, requestId: id, pairs: some },
        opts: { jobId: `${id}-${n}`, ...options },
      });
    }
    if (jobs.length < 500 && (n + 1) * pairsPerJob < most) continue;
    await queue.addBulk(jobs);
    jobs = [];
  }
}

/** @returns how many pairs the waiting jobs have, and how many different ones */
export async function pairsInQueue({
  redis,
  keys,
}: Pick<Place, 'redis' | 'keys'>): Promise<{ pairs: number; different: number }> {
  const { wait, jobs } = bullmqKeys(keys);
  const found = new Set<string>();
  let pairs = 0;
  for (const id of await redis.lrange(wait, 0, -1)) {
    const data = JSON.parse((await redis.hget(jobs + id, 'data')) ?? '') as { pairs: string[][] };
    for (const pair of data.pairs) found.add(pair.join(' '));
    pairs += data.pairs.length;
  }
  return { pairs, different: found.size };
}
