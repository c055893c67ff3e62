/**
 * Fetcher: a BullMQ worker that processes nothing. It fetches single jobs, promotes delayed jobs, plans the next jobs of
 * schedulers, and checks for stalled jobs.
 */
import { type BackendFactory, type Job, type JobJson, type RedisQueueBackend, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { countPairs } from '../shared/contract/job-text.js';
import type { FetchedJob } from './fetched-job.js';
import { HIGH_PRIORITY } from './layout.js';

/** Limit of a worker's rate limiter, which is reached only while the queue is held. */
export const NO_LIMIT = 2 ** 31;

export type FetcherOptions = {
  readonly connection: Redis;
  readonly prefix: string;
  readonly skipVersionCheck: boolean;
  readonly skipWaitingForReady: boolean;
};

export class Fetcher extends Worker {
  /** Data as text, which the worker parses. (BullMQ throws if data is not JSON, when the job is already active.) */
  readonly #texts = new WeakMap<Job, string>();

  constructor(
    name: string,
    options: FetcherOptions,
    lockMs: number,
    backend: BackendFactory<RedisQueueBackend>,
  ) {
    const own = {
      autorun: false,
      lockDuration: lockMs,
      stalledInterval: Math.ceil(lockMs / 2),
      // a job must not fail because its workers died
      maxStalledCount: 1_000_000_000,
      // not a real limit, but without this option BullMQ ignores queue.rateLimit()
      limiter: { max: NO_LIMIT, duration: 1_000 },
    };
    super(name, null, { ...options, ...own }, backend);
  }

  async fetch(token: string, block: boolean): Promise<FetchedJob | undefined> {
    const job = await this.getNextJob(token, { block });
    if (!job) return undefined;
    const { id = '', opts, parentKey, deduplicationId, repeatJobKey } = job;
    const standsAlone =
      !parentKey && !deduplicationId && !repeatJobKey && opts.removeOnComplete === undefined;
    const text = this.#texts.get(job) ?? '';
    return {
      ...{ id, token, text, standsAlone },
      associations: countPairs(text),
      high: job.priority === HIGH_PRIORITY,
      isFirstAttempt: false, // unknown
      trace: opts.telemetry?.metadata,
      mustFail: job.deferredFailure,
    };
  }

  protected override createJob(json: JobJson, jobId: string): Job {
    const job = super.createJob({ ...json, data: 'null' }, jobId);
    this.#texts.set(job, json.data);
    return job;
  }
}
