/** A day's worth of minute buckets, so that a screenshot shows what the charts are like after a while. Made up. */
import type { Redis } from 'ioredis';
import type { Keys } from '../../src/shared/contract/keys.js';

/** An outage of five minutes, half an hour ago. */
const [OUTAGE_BEGAN, OUTAGE_ENDED] = [36, 31];

/** @param backlog what is left now */
export async function seedHistory(redis: Redis, keys: Keys, backlog: number): Promise<void> {
  const now = Math.floor(Number((await redis.time())[0]) / 60);
  const commands = redis.pipeline();
  for (let back = 1; back < 1_440; back++) {
    const wave = 0.5 + 0.5 * Math.sin(back / 23) * Math.sin(back / 7);
    const outage = back > OUTAGE_ENDED && back < OUTAGE_BEGAN;
    const calls = outage ? 6 : Math.round(590 * Math.min(1, 0.6 + wave * 0.5));
    const inputs = calls * (1_990 - ((back * 37) % 60));
    const rejected = Math.round(inputs * 0.0004 * (1 + wave));
    const late =
      back <= OUTAGE_ENDED ? back / OUTAGE_ENDED : (OUTAGE_BEGAN - back) / (OUTAGE_BEGAN - OUTAGE_ENDED);
    const left = Math.round(backlog * (1 + 0.6 * Math.sin(back / 60) ** 2 + 0.5 * Math.max(0, late)));
    commands.hset(keys.minutes + (now - back), {
      created: outage ? 0 : inputs - rejected,
      rejected: outage ? 0 : rejected,
      cancelled: 0,
      retried: outage ? 0 : (back * 13) % 90,
      calls,
      callsFailed: outage ? 6 : back % 11 === 0 ? 3 : 0,
      batches: calls,
      inputs,
      sampled: 1,
      backlog: left,
      oldest: Math.round(left / 20_000),
    });
    commands.expire(keys.minutes + (now - back), 3_600);
  }
  // the test has filled this minute with other figures
  commands.del(keys.minutes + now);
  await commands.exec();
}
