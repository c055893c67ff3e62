/** Keys of this run in Redis. All have one prefix, so that nothing else is touched. */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { until } from './until.js';

const RUN = `bench-${randomUUID().slice(0, 8)}`;
const KEYS_PER_UNLINK = 1_000;
let used = 0;

/** @returns a new prefix */
export const newPrefix = (): string => `${RUN}-${++used}`;

/** Deletes all keys under a prefix, by default all keys of this run; resolves when the memory is free again. */
export async function removeKeys(redis: Redis, prefix: string = RUN): Promise<void> {
  const separator = prefix === RUN ? '-' : ':'; // bench-x-1 must not delete bench-x-10
  for await (const keys of redis.scanStream({ match: `${prefix}${separator}*`, count: KEYS_PER_UNLINK }))
    if (Array.isArray(keys) && keys.length > 0) await redis.unlink(...keys.map(String));
  await until('Redis has freed what was removed', async () =>
    /lazyfree_pending_objects:0\r/.test(await redis.info('memory')),
  );
}
