/** This project as a contender: an installation with a running worker process and a paused queue that is filled. */
import { createProducer } from '../../src/producer/create-producer.js';
import { associations, jobs, type Load } from './associations.js';
import type { Contender } from './duel.js';
import type { Installation } from './installation.js';
import type { Options } from './row.js';

/** Fills the queue. @returns the start, performance.now(), and the duration, ms */
type Fill = (load: Load) => Promise<{ readonly since: number; readonly ms: number }>;

/**
 * Enqueues as a user of the library does.
 * @param exists create the associations before the clock starts; otherwise while they are enqueued
 */
export const byProducer = (
  { redisUrl }: Options,
  { prefix }: Installation,
  { exists = false } = {},
): Fill => {
  return async ({ count, badPerMille }) => {
    const items = exists ? [...associations(count, badPerMille)] : associations(count, badPerMille);
    const producer = createProducer({ redisUrl, prefix });
    try {
      await producer.connected();
      const since = performance.now();
      await producer.enqueueMany(items);
      return { since, ms: performance.now() - since };
    } finally {
      await producer.close();
    }
  };
};

/** Enqueues as any BullMQ client may: jobs of given sizes. @param sizes,objectPairs see associations.ts */
export const byJobs = (installation: Installation, sizes: readonly number[], objectPairs = 1): Fill => {
  return async ({ count }) => {
    const since = performance.now();
    await installation.add(jobs(count, sizes, objectPairs));
    return { since, ms: performance.now() - since };
  };
};

export function ours(title: string, installation: Installation, fill: Fill): Contender {
  let before = 0;
  return {
    title,
    async enqueue(load) {
      await installation.queue.pause();
      before = await installation.created();
      return fill(load);
    },
    async atOnce(load) {
      await installation.queue.resume();
      const before = await installation.created();
      const { since } = await fill(load);
      await installation.drained();
      return { ms: performance.now() - since, created: (await installation.created()) - before };
    },
    async settle() {
      const since = performance.now();
      await installation.queue.resume();
      await installation.drained();
      return { ms: performance.now() - since, created: (await installation.created()) - before };
    },
  };
}
