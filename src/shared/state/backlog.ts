/** The backlog in associations. BullMQ counts only jobs, and clients write jobs of any size, so it is estimated from a few. */
import type { Redis } from 'ioredis';
import { bullmqKeys } from '../../bullmq/layout.js';
import type { Keys } from '../contract/keys.js';
import { loadScript } from '../runtime/script.js';

/** Jobs that are read in each state. A reading costs Redis well under a millisecond. */
const SAMPLES = 16;

/** Script that returns the estimate; call it with backlogKeys and backlogArgs. */
export const READ_BACKLOG = new URL('./read-backlog.lua', import.meta.url);

/** Keys of unfinished jobs, in the order that backlog.lua expects. */
export function backlogKeys(keys: Keys): string[] {
  const { wait, paused, active, delayed, prioritized } = bullmqKeys(keys);
  return [wait, paused, active, delayed, prioritized];
}
export const backlogArgs = (keys: Keys): [prefix: string, samples: number] => [
  bullmqKeys(keys).jobs,
  SAMPLES,
];

/** @returns a function that stores this minute's sample of backlog and oldest waiting job, if no replica has done so */
export function createSampler(redis: Redis, keys: Keys): () => Promise<boolean> {
  const script = loadScript(new URL('./sample.lua', import.meta.url));
  return async () => (await script(redis, backlogKeys(keys), [...backlogArgs(keys), keys.minutes])) === 1;
}
