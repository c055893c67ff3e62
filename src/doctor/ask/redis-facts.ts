/** Asks Redis about itself. Reads only; the probe for writes changes nothing (write-probe.lua). */
import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/contract/keys.js';
import { writeRefusal } from '../../shared/runtime/write-probe.js';
import type { RedisFacts } from '../facts.js';

const PINGS = 20;

export async function askRedis(redis: Redis, keys: Keys): Promise<RedisFacts> {
  const refusal = await writeRefusal(redis, keys);
  const info = await permitted(redis.info());
  const save = await permitted(redis.config('GET', 'save') as Promise<unknown>);
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
  return {
    refusal,
    info: info === undefined ? undefined : fieldsOf(info),
    save: Array.isArray(save) && typeof save[1] === 'string' ? save[1] : undefined,
    latencyMs,
    clockAheadMs,
  };
}

/** @returns undefined if Redis or its provider forbids the command */
async function permitted<T>(reply: Promise<T>): Promise<T | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (/NOPERM|unknown command|unknown subcommand|not allowed|disabled/i.test(String(error)))
      return undefined;
    throw error;
  }
}

/** Pure. `name:value` lines of INFO */
export function fieldsOf(info: string): Map<string, string> {
  const fields = info.split(/\r?\n/).flatMap((line): [string, string][] => {
    const colon = line.indexOf(':');
    return colon > 0 && !line.startsWith('#') ? [[line.slice(0, colon), line.slice(colon + 1)]] : [];
  });
  return new Map(fields);
}
