/** A day's worth of minute buckets, so that a screenshot shows what the charts are like after a while. Made up. */
import type { Redis } from 'ioredis';
import type { Keys } from '../../src/shared/queue.js';

export async function seedHistory(redis: Redis, keys: Keys): Promise<void> {
  const now = Math.floor(Number((await redis.time())[0]) / 60);
  const commands = redis.pipeline();
  for (let back = 2; back < 1_440; back++) {
    const wave = 0.5 + 0.5 * Math.sin(back / 23) * Math.sin(back / 7);
    const calls = Math.round(590 * Math.min(1, 0.35 + wave));
    const trouble = back > 31 && back < 36;
    const inputs = calls * (1_990 - ((back * 37) % 60));
    const rejected = Math.round(inputs * 0.0004 * (1 + wave));
    commands.hset(keys.minutes + (now - back), {
      created: trouble ? 0 : inputs - rejected,
      rejected: trouble ? 0 : rejected,
      retried: trouble ? 0 : (back * 13) % 90,
      calls: trouble ? 6 : calls,
      callsFailed: trouble ? 6 : back % 11 === 0 ? 3 : 0,
      batches: trouble ? 6 : calls,
      inputs,
      backlog: Math.round(900_000 + 600_000 * Math.cos(back / 40) + (trouble ? 250_000 : 0)),
      oldest: Math.round(60 + 45 * Math.cos(back / 40)) + (trouble ? 200 : 0),
    });
    commands.expire(keys.minutes + (now - back), 3_600);
  }
  await commands.exec();
}
