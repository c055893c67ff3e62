/**
 * Pauses and resumes the queue for all workers, with who and why. The pause is BullMQ's own, so that every BullMQ client sees
 * it. A hash of ours says who paused the queue; it is written after BullMQ's pause and removed before BullMQ's resume. If this
 * process dies in between, every view says that another client paused the queue, and names nobody.
 */
import { enteringWords } from '../shared/runtime/text.js';
import type { Pause } from '../shared/state/queue-state.js';
import type { QueueAccess } from './connection.js';

/** Longest reason that is kept, in characters. */
const LONGEST_REASON = 300;

type Access = Pick<QueueAccess, 'queue' | 'redis' | 'keys' | 'replicas'>;

/** Workers take no new jobs; what they have in hand is finished. A second pause replaces who and why. */
export async function pauseQueue(access: Access, by: string, reason = ''): Promise<Pause> {
  const { queue, redis, keys, replicas } = access;
  const writes = replicas.begin();
  await queue.pause();
  const [seconds, micros] = await redis.time();
  const at = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
  const why = enteringWords(reason.trim(), LONGEST_REASON);
  await redis
    .multi()
    .del(keys.paused)
    .hset(keys.paused, { by, ...(why && { why }), at })
    .exec();
  await writes.confirmed();
  return { by, reason: why || null, at };
}

/** @returns false if the queue was not paused */
export async function resumeQueue({ queue, redis, keys, replicas }: Access): Promise<boolean> {
  const writes = replicas.begin();
  const wasPaused = await queue.isPaused();
  await redis.del(keys.paused);
  await queue.resume();
  await writes.confirmed();
  return wasPaused;
}
