/**
 * Way: how jobs are fetched and their locks renewed. The bulk way (bulk-way.ts) handles many jobs at once with our scripts,
 * which write into BullMQ's structures. The public way (public-way.ts) uses BullMQ's own commands, job by job. The result
 * for a job is the same. The fingerprint decides which way runs.
 */
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from '../shared/runtime/logger.js';
import type { FetchedJob, Run, TakeLimits } from './fetched-job.js';
import type { Fetcher } from './fetcher.js';
import type { BullmqKeys } from './layout.js';

export interface Way {
  /** @returns the next job, for which it waits some seconds if `block`; undefined if there is none, or none may be fetched */
  next(block: boolean): Promise<FetchedJob | undefined>;
  /** Takes jobs that wait at this moment. @param highOnly only jobs of high priority */
  take(limits: TakeLimits, highOnly: boolean): Promise<Run>;
  /** @returns ids of jobs whose lock another worker has now */
  renewLocks(jobs: readonly FetchedJob[]): Promise<string[]>;
  /** No replica fetches a job for this time. */
  hold(ms: number): Promise<void>;
}

export type WayParts = {
  readonly redis: Redis;
  readonly keys: BullmqKeys;
  readonly queue: Queue;
  readonly fetcher: Fetcher;
  readonly lockMs: number;
  /** traces are on: read the jobs' trace contexts */
  readonly isTraced: boolean;
  /** @returns a new token for locks */
  readonly newToken: () => string;
  readonly logger: Logger;
};
