/** Asks Redis about itself. Reads only; the probe for writes changes nothing (write-probe.lua). */
import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/contract/keys.js';
import { RedisAsker } from '../../shared/runtime/redis-asker.js';
import { writeRefusal } from '../../shared/runtime/write-probe.js';
import type { RedisFacts } from '../facts.js';

const PINGS = 20;

export async function askRedis(redis: Redis, keys: Keys): Promise<RedisFacts> {
  const refusal = await writeRefusal(redis, keys);
  const server = await new RedisAsker(redis).facts();
  const latencyMs: number[] = [];
  let clockAheadMs = 0;
  let best = Number.POSITIVE_INFINITY;
  for (let ping = 0; ping < PINGS; ping++) {
    const [asked, sentAt] = [performance.now(), Date.now()];
    const [seconds, micros] = await redis.time();
    const ms = performance.now() - asked;
    latencyMs.push(ms);
    // the quickest answer leaves the least doubt about when Redis read its clock
    if (ms < best) {
      best = ms;
      clockAheadMs = Number(seconds) * 1_000 + Number(micros) / 1_000 - (sentAt + ms / 2);
    }
  }
  return { refusal, server, latencyMs, clockAheadMs };
}
