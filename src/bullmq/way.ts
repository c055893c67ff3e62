/**
 * Way: how jobs are fetched and kept. The bulk way (bulk-way.ts) does it to many jobs at once, by our scripts, which write
 * into BullMQ's structures; the public way (public-way.ts) uses BullMQ's own verbs, job by job. What comes of a job is the
 * same in both. The fingerprint decides which one runs.
 */
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from '../shared/runtime/logger.js';
import type { FetchedJob, Run, TakeLimits } from './fetched-job.js';
import type { Fetcher } from './fetcher.js';
import type { BullmqKeys } from './layout.js';

export interface Way {
  /** The next job, for which it waits some seconds if it blocks. Undefined: there is none, or none may be fetched. */
  next(block: boolean): Promise<FetchedJob | undefined>;
  /** Takes what waits at this moment. @param highOnly nothing but jobs of high priority */
  take(limits: TakeLimits, highOnly: boolean): Promise<Run>;
  /** @returns ids of those whose lock somebody else has by now */
  renewLocks(jobs: readonly FetchedJob[]): Promise<string[]>;
  /** No replica fetches a job for so long. */
  hold(ms: number): Promise<void>;
}

export type WayParts = {
  readonly redis: Redis;
  readonly keys: BullmqKeys;
  readonly queue: Queue;
  readonly fetcher: Fetcher;
  readonly lockMs: number;
  /** the jobs' traces are wanted */
  readonly isTraced: boolean;
  /** a new token for locks */
  readonly newToken: () => string;
  readonly logger: Logger;
};
