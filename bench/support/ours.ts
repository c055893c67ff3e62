/** This project as a contender: an installation whose worker process is up, and whose queue is paused and filled. */
import { createProducer } from '../../src/producer/producer.js';
import { associations, jobs, type Load } from './associations.js';
import type { Contender } from './duel.js';
import type { Installation } from './installation.js';
import type { Options } from './row.js';

/** Fills the queue. @returns milliseconds */
type Fill = (load: Load) => Promise<number>;

/** Enqueues as a user of the library does. */
export const byProducer = ({ redisUrl }: Options, { prefix }: Installation): Fill => {
  return async ({ count, badPerMille }) => {
    const producer = createProducer({ redisUrl, prefix });
    try {
      await producer.connected();
      const since = performance.now();
      await producer.enqueueMany(associations(count, badPerMille));
      return performance.now() - since;
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
    return performance.now() - since;
  };
};

export function ours(title: string, installation: Installation, fill: Fill): Contender {
  let before = 0;
  return {
    title,
    async enqueue(load) {
      await installation.queue.pause();
      before = await installation.created();
      return { ms: await fill(load) };
    },
    async settle() {
      const since = performance.now();
      await installation.queue.resume();
      await installation.drained();
      return { ms: performance.now() - since, created: (await installation.created()) - before };
    },
  };
}
