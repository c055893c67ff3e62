/** The backlog in associations: BullMQ counts jobs, which anybody may make of any size. Estimated from a few of them. */
import type { Redis } from 'ioredis';
import type { Keys } from '../contract/keys.js';
import { loadScript } from '../runtime/script.js';

/** Where jobs stand that are still to be worked on, in the order that shared/backlog.lua wants. */
const STATES = ['wait', 'paused', 'active', 'delayed', 'prioritized'] as const;
/** Jobs looked at in each state: a read costs Redis well under a millisecond. */
const SAMPLES = 16;

/** With backlogKeys and backlogArgs: the estimate. */
export const READ_BACKLOG = new URL('./read-backlog.lua', import.meta.url);

export const backlogKeys = (keys: Keys): string[] => STATES.map(state => keys.jobs + state);
export const backlogArgs = (keys: Keys): [prefix: string, samples: number] => [keys.jobs, SAMPLES];

/** @returns writes this minute's sample of backlog and oldest waiting job, if nobody has done so yet */
export function createSampler(redis: Redis, keys: Keys): () => Promise<boolean> {
  const script = loadScript(new URL('./sample.lua', import.meta.url));
  return async () => (await script(redis, backlogKeys(keys), [...backlogArgs(keys), keys.minutes])) === 1;
}
