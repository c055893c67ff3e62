/** Reads the data of some queued jobs: the next ones, the latest ones, and some that are delayed. Reads only. */
import type { Redis } from 'ioredis';
import { bullmqKeys, JOB_FIELDS } from '../../bullmq/layout.js';
import type { Keys } from '../../shared/contract/keys.js';
import type { SampledJob } from '../facts.js';

/** Jobs of each place. */
const SAMPLES = 16;
/** A job of 500 pairs has about 15 kB. A larger one is not ours, and is not read. */
const LARGEST_BYTES = 1_000_000;

export async function sampleJobs(redis: Redis, keys: Keys): Promise<SampledJob[]> {
  const { wait, paused, prioritized, delayed, jobs } = bullmqKeys(keys);
  const last = SAMPLES - 1;
  const places = await Promise.all([
    redis.lrange(wait, -SAMPLES, -1),
    redis.lrange(wait, 0, last),
    redis.lrange(paused, 0, last),
    redis.zrange(prioritized, 0, String(last)),
    redis.zrange(delayed, 0, String(last)),
  ]);
  // BullMQ keeps markers in these lists, which are no jobs
  const ids = [...new Set(places.flat())].filter(id => !id.startsWith('0:'));
  const sampled = await Promise.all(
    ids.map(async id => {
      const bytes = await redis.hstrlen(jobs + id, JOB_FIELDS.data);
      if (bytes > LARGEST_BYTES) return { id, data: null };
      return { id, data: await redis.hget(jobs + id, JOB_FIELDS.data), isGone: bytes === 0 };
    }),
  );
  // a worker may have completed and removed a job meanwhile
  return sampled.flatMap(({ id, data, isGone }) => (isGone ? [] : { id, data }));
}
