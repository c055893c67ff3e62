/** Adds a job for each association, in bulks, as BullMQ recommends for many. */
import type { Queue } from 'bullmq';
import type { Pair } from '../../src/shared/contract/association.js';
import { JOB_NAME } from '../../src/shared/contract/keys.js';

const JOBS_PER_BULK = 1_000;

export async function addInBulks(queue: Queue<Pair>, pairs: Iterable<Pair>): Promise<void> {
  let bulk: { name: string; data: Pair }[] = [];
  const flush = async () => {
    await queue.addBulk(bulk);
    bulk = [];
  };
  for (const data of pairs) if (bulk.push({ name: JOB_NAME, data }) === JOBS_PER_BULK) await flush();
  if (bulk.length > 0) await flush();
}
