/** Separate queues for tests of src/bullmq, each with a JobQueue in the bulk way or in the public way, and a ledger. */
import { Queue } from 'bullmq';
import { installedRelease } from '../../src/bullmq/fingerprint.js';
import { JobQueue } from '../../src/bullmq/job-queue.js';
import { accountKeys, type Keys, queueName } from '../../src/shared/contract/keys.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { Ledger } from '../../src/worker/jobs/ledger.js';
import type { TestRedis } from './redis.js';
import type { WayName } from './rig.js';

export const LOCK_MS = 30_000;

export type Box = {
  readonly prefix: string;
  readonly keys: Keys;
  readonly queue: Queue;
  readonly jobs: JobQueue;
  readonly ledger: Ledger;
};
const boxes: Box[] = [];

export function newBox(test: TestRedis, way: WayName = 'bulk'): Box {
  const { redis } = test;
  const prefix = test.newPrefix();
  const keys = accountKeys(prefix);
  const logger = createLogger('silent', 'test');
  const { version, scripts } = installedRelease();
  const release = { version, scripts: way === 'bulk' ? scripts : new Map() };
  const jobs = new JobQueue({
    ...{ redis, keys, prefix, logger, release, queueName: queueName(), id: 'w', lockMs: LOCK_MS },
  });
  const queue = new Queue(queueName(), { connection: redis, prefix });
  const box = { prefix, keys, queue, jobs, ledger: new Ledger(redis, keys, logger) };
  boxes.push(box);
  return box;
}

export async function closeBoxes(): Promise<void> {
  for (const { queue, jobs } of boxes.splice(0)) {
    await jobs.stopFetching();
    await jobs.close();
    await queue.close();
  }
}
