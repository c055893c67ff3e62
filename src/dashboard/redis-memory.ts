/** Is Redis full? Then nobody can write: no job, no settlement, not even a worker's sign of life. */
import type { Redis } from 'ioredis';

export type RedisMemory = { usedBytes: number; maxBytes: number };

/** @returns null: there is no limit that writes could meet, or we may not ask (an ACL) */
export async function readRedisMemory(redis: Redis): Promise<RedisMemory | null> {
  try {
    return memoryOf(await redis.info('memory'));
  } catch (error) {
    if (/NOPERM|unknown command/i.test(String(error))) return null;
    throw error;
  }
}

/** Pure. @param info what `INFO memory` says */
export function memoryOf(info: string): RedisMemory | null {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const [usedBytes, maxBytes] = [Number(field('used_memory')), Number(field('maxmemory'))];
  // one that evicts makes room by forgetting: bad in another way, but it is not full
  const evicts = field('maxmemory_policy')?.startsWith('allkeys') ?? false;
  return maxBytes > 0 && usedBytes > 0 && !evicts ? { usedBytes, maxBytes } : null;
}

/** What a command is refused with by a Redis that is full. */
export const isOutOfMemory = (error: unknown): boolean => /\bOOM\b/.test(String(error));
