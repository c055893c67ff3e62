/** Asks Redis whether it accepts writes. It does not if it is full, a replica, cannot save, or misses its replicas. */
import type { Redis } from 'ioredis';
import { messageOf } from '../contract/errors.js';
import type { Keys } from '../contract/keys.js';
import { isRefusal, redisReason } from './redis.js';
import { loadScript } from './script.js';

const probe = loadScript(new URL('./write-probe.lua', import.meta.url));

/**
 * @returns Redis' reason to refuse writes; '' = it accepts them
 * @throws Error if there is no answer
 */
export async function writeRefusal(redis: Redis, keys: Keys): Promise<string> {
  try {
    return reasonOf(String(await probe(redis, [keys.writeProbe], [])));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return reasonOf(messageOf(error));
  }
}

/** For those who only read: a login that may not write is no trouble of the queue. @returns as {@link writeRefusal}, or '' */
export async function writeRefusalForReaders(redis: Redis, keys: Keys): Promise<string> {
  const refusal = await writeRefusal(redis, keys);
  return refusal.includes('NOPERM') ? '' : refusal;
}

/** Redis 6 puts the script's line before the message. */
const reasonOf = (text: string): string => redisReason(text.replace(/^.*?-(?=[A-Z]{3,} )/s, ''));
