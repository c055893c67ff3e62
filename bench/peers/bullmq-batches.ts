/**
 * BullMQ with hand-written batches, because BullMQ's batches are part of its Pro edition: getNextJob 2,000 times, one call,
 * moveToCompleted or moveToFailed 2,000 times, as its page on fetching jobs manually shows. The 2,000 commands are sent
 * together (Promise.all, so one pipeline), locks are renewed after half their time, the stalled check runs, and LOOPS of
 * these loops run side by side, so that one fetches while another waits for HubSpot.
 */
import { randomUUID } from 'node:crypto';
import { type Job, Queue, Worker } from 'bullmq';
import { MAX_INPUTS_PER_CALL, type Pair } from '../../src/shared/contract/association.js';
import { sleep } from '../../src/shared/runtime/wait.js';
import { pairs } from '../support/associations.js';
import { addInBulks } from '../support/bulks.js';
import { carefulCreate } from '../support/careful-create.js';
import { serve } from '../support/peer.js';

const LOOPS = 3;
const LOCK_MS = 60_000;
const NOTHING_YET_MS = 10;
const QUEUE = 'by-hand';
const JOB_OPTIONS = { attempts: 1, removeOnComplete: { count: 1_000 } };

await serve(async ({ hubspotUrl, redisUrl, prefix }) => {
  const connection = { url: redisUrl, maxRetriesPerRequest: null };
  const queue = new Queue<Pair>(QUEUE, { connection, prefix, defaultJobOptions: JOB_OPTIONS });
  const create = carefulCreate(hubspotUrl);
  const worker = new Worker<Pair>(QUEUE, null, { connection, prefix, lockDuration: LOCK_MS });
  worker.on('error', console.error);
  await worker.waitUntilReady();
  await worker.startStalledCheckTimer();

  async function fetch(token: string): Promise<Job<Pair>[]> {
    const fetched = await Promise.all(
      Array.from({ length: MAX_INPUTS_PER_CALL }, () => worker.getNextJob(token, { block: false })),
    );
    return fetched.filter(job => job !== undefined) as Job<Pair>[];
  }

  async function work(jobs: readonly Job<Pair>[], token: string): Promise<number> {
    const ids = jobs.map(job => job.id ?? '');
    const tokens = ids.map(() => token);
    const renewal = setInterval(() => void worker.extendJobLocks(ids, tokens, LOCK_MS), LOCK_MS / 2);
    try {
      const created = await create(jobs.map(job => job.data));
      await Promise.all(
        jobs.map((job, index) =>
          created[index]
            ? job.moveToCompleted('created', token, false)
            : job.moveToFailed(new Error('refused by HubSpot'), token, false),
        ),
      );
      return created.filter(Boolean).length;
    } finally {
      clearInterval(renewal);
    }
  }

  async function loop(settled: { created: number; failed: number }, isMore: () => boolean): Promise<void> {
    const token = randomUUID();
    for (;;) {
      const mayCome = isMore();
      const jobs = await fetch(token);
      if (jobs.length === 0 && !mayCome) return;
      if (jobs.length === 0) {
        await sleep(NOTHING_YET_MS);
        continue;
      }
      const created = await work(jobs, token);
      settled.created += created;
      settled.failed += jobs.length - created;
    }
  }

  let load: Pair[] = [];
  return {
    async prepare(wanted) {
      load = [...pairs(wanted)];
    },
    enqueue: () => addInBulks(queue, load),
    async settle(isMore) {
      const settled = { created: 0, failed: 0 };
      await Promise.all(Array.from({ length: LOOPS }, () => loop(settled, isMore)));
      return settled;
    },
  };
});
