/**
 * BullMQ as its guide shows it: a job for each association, a call for each job. Jobs are added with addBulk; the worker
 * runs 300 at once, because a job only waits for HubSpot (100 to 300 are usual for that; 300 was the fastest of 50, 100,
 * 200 and 300 here). Three attempts with exponential backoff; refused associations are not retried.
 */
import { Queue, UnrecoverableError, Worker } from 'bullmq';
import type { Pair } from '../../src/shared/contract/association.js';
import { pairs } from '../support/associations.js';
import { addInBulks } from '../support/bulks.js';
import { carefulCreate } from '../support/careful-create.js';
import { serve } from '../support/peer.js';

const CONCURRENCY = 300;
const QUEUE = 'one-by-one';
const JOB_OPTIONS = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 1_000 },
  removeOnComplete: { count: 1_000 },
};

await serve(async ({ hubspotUrl, redisUrl, prefix }) => {
  const connection = { url: redisUrl, maxRetriesPerRequest: null };
  const queue = new Queue<Pair>(QUEUE, { connection, prefix, defaultJobOptions: JOB_OPTIONS });
  const create = carefulCreate(hubspotUrl, CONCURRENCY);
  const worker = new Worker<Pair>(
    QUEUE,
    async job => {
      const [created] = await create([job.data]);
      if (!created) throw new UnrecoverableError('refused by HubSpot');
    },
    { connection, prefix, concurrency: CONCURRENCY },
  );
  worker.on('error', console.error);
  const settled = { created: 0, failed: 0 };
  let open = 0;
  let onEnd = () => {};
  const count = (outcome: keyof typeof settled) => {
    settled[outcome] += 1;
    open -= 1;
    if (open === 0) onEnd();
  };
  worker.on('completed', () => count('created'));
  worker.on('failed', (job, error) => {
    const isFinal = error instanceof UnrecoverableError || (job?.attemptsMade ?? 0) >= JOB_OPTIONS.attempts;
    if (isFinal) count('failed');
  });
  await worker.waitUntilReady();

  let load: Pair[] = [];
  return {
    async prepare(wanted) {
      await queue.pause();
      load = [...pairs(wanted)];
      open = load.length;
      settled.created = settled.failed = 0;
    },
    enqueue: () => addInBulks(queue, load),
    async settle() {
      const ended = new Promise<void>(resolve => {
        onEnd = resolve;
      });
      await queue.resume();
      await ended;
      return { ...settled };
    },
  };
});
