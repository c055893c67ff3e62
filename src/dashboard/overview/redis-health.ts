/** Checks whether Redis accepts writes and whether it evicts keys: the operator must know that first. */
import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/contract/keys.js';
import { writeRefusal } from '../../shared/runtime/write-probe.js';
import type { RedisHealth } from '../text/state-sentence.js';

export async function readRedisHealth(redis: Redis, keys: Keys): Promise<RedisHealth> {
  const [refusal, memory, stats] = await Promise.all([
    writeRefusal(redis, keys),
    readInfo(redis, 'memory'),
    readInfo(redis, 'stats'),
  ]);
  return healthOf(refusal, memory + stats);
}

/** @returns '' if an ACL forbids the command */
async function readInfo(redis: Redis, section: string): Promise<string> {
  try {
    return await redis.info(section);
  } catch (error) {
    if (/NOPERM|unknown command/i.test(String(error))) return '';
    throw error;
  }
}

/** Pure. @param info the replies of `INFO memory` and `INFO stats` */
export function healthOf(refusal: string, info: string): RedisHealth {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const [usedBytes, maxBytes] = [Number(field('used_memory')), Number(field('maxmemory'))];
  if (!(maxBytes > 0 && usedBytes > 0)) return { refusal, memory: null, evicts: null };
  const policy = field('maxmemory_policy') ?? 'noeviction';
  const evicts = policy === 'noeviction' ? null : { policy, keys: Number(field('evicted_keys') ?? 0) };
  // a Redis that may evict any key is never full
  if (policy.startsWith('allkeys')) return { refusal, memory: null, evicts };
  return {
    refusal: refusal || (usedBytes >= maxBytes ? 'OOM' : ''),
    memory: { usedBytes, maxBytes },
    evicts,
  };
}
