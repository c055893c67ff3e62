/**
 * Requests of which nothing was enqueued: the gateway notes a request before its jobs, and its process may die in between
 * (docs/decisions/0006). The record counts what was to be enqueued, and nobody ends it. So whoever reads a record of the gateway
 * of which nothing is decided looks for its jobs. It changes nothing, because a repeat under the same Idempotency-Key still
 * enqueues them.
 */
import type { Redis } from 'ioredis';
import { bullmqKeys } from '../../bullmq/layout.js';
import type { Keys } from '../contract/keys.js';

/** A gateway gives up much earlier (DEADLINE_MS of gateway/requests/in-time.ts), but the machine may be slow. */
export const ENQUEUED_WITHIN_MS = 15_000;

const NOTHING =
  'nothing of it is in the queue: the gateway ended before it had enqueued anything, or another client has removed its jobs';

/** What this needs of a request's record. */
type Noted = {
  readonly id: string;
  readonly via: string;
  readonly jobs: number;
  readonly enqueuedAt: number;
  readonly accepted: number;
  readonly created: number;
  readonly rejected: number;
  readonly cancelled: number;
  readonly doneAt?: number;
  readonly interrupted?: string;
};

/** Pure. @returns true if the record does not say whether its jobs were ever there. @param now epoch ms on Redis' clock */
export function isInDoubt(record: Noted, now: number): boolean {
  const { via, jobs, enqueuedAt, created, rejected, cancelled, doneAt } = record;
  if (via !== 'gateway' || jobs <= 0 || doneAt !== undefined) return false;
  return created + rejected + cancelled === 0 && now - enqueuedAt > ENQUEUED_WITHIN_MS;
}

/** @returns the records; those without a job are interrupted and have accepted nothing. @param now epoch ms on Redis' clock */
export async function withDoubtsResolved<Record extends Noted>(
  redis: Redis,
  keys: Keys,
  records: readonly Record[],
  now: number,
): Promise<readonly Record[]> {
  const doubtful = records.filter(record => isInDoubt(record, now));
  if (doubtful.length === 0) return records;
  const { jobs: prefix } = bullmqKeys(keys);
  const asked = redis.pipeline();
  for (const { id, jobs } of doubtful) {
    asked.exists(...Array.from({ length: jobs }, (_, at) => `${prefix}${id}-${at}`));
    // afterwards: completed jobs may be removed, but only after their outcome was counted
    asked.hmget(keys.requests + id, 'created', 'rejected', 'cancelled');
  }
  const replies = (await asked.exec()) ?? [];
  const without = new Set(
    doubtful.filter((_, at) => {
      const [[, there], [, counts]] = replies.slice(2 * at) as [[unknown, unknown], [unknown, unknown]];
      return there === 0 && Array.isArray(counts) && counts.every(count => Number(count ?? 0) === 0);
    }),
  );
  return records.map(record =>
    without.has(record) ? { ...record, accepted: 0, interrupted: NOTHING } : record,
  );
}
