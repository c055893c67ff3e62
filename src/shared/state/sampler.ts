/**
 * Stores a sample of the backlog and of the oldest waiting job in each minute's bucket. Workers and the dashboard call it;
 * the first call in a minute writes. It defines no figure: both are those of queue-state.ts.
 */
import type { Redis } from 'ioredis';
import type { Keys } from '../contract/keys.js';
import { loadScript } from '../runtime/script.js';
import { queuedArgs, queuedKeys } from './queue-state.js';

/** @returns a function that stores this minute's sample, if no process has done so */
export function createSampler(redis: Redis, keys: Keys): () => Promise<boolean> {
  const script = loadScript(new URL('./sample.lua', import.meta.url));
  return async () => (await script(redis, queuedKeys(keys), [...queuedArgs(keys), keys.minutes])) === 1;
}
