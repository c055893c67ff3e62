/**
 * Job queue: what the worker does with BullMQ's jobs.
 *  1. It fetches them, renews their locks, and holds the queue, in the bulk way or in the public way (way.ts). It chooses the
 *     way at the start.
 *  2. It moves them with BullMQ's commands: complete, retry, fail, delay, put back. (In the bulk way the ledger completes most
 *     jobs, together with their settlement.)
 * BullMQ itself handles stalled jobs, delays, priorities, events and dashboards.
 */
import { Job, Queue, type Telemetry, UnrecoverableError } from 'bullmq';
import type { Redis } from 'ioredis';
import { messageOf } from '../shared/contract/errors.js';
import { JOB_NAME, type Keys } from '../shared/contract/keys.js';
import type { Logger } from '../shared/runtime/logger.js';
import { BulkWay } from './bulk-way.js';
import type { FetchedJob, Run, TakeLimits } from './fetched-job.js';
import { Fetcher, NO_LIMIT } from './fetcher.js';
import { installedRelease, isKnown, type Release } from './fingerprint.js';
import { bullmqKeys, KEEP_COMPLETED, METRICS_POINTS } from './layout.js';
import { PublicWay } from './public-way.js';
import { queueBackend } from './queue-backend.js';
import type { Way } from './way.js';

export type JobQueueParts = {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly queueName: string;
  readonly prefix: string;
  /** unique id of this replica */
  readonly id: string;
  readonly lockMs: number;
  /** BullMQ's option `telemetry`; undefined: no traces */
  readonly telemetry?: Telemetry | undefined;
  /** for tests: a release of BullMQ other than the installed one */
  readonly release?: Release;
  readonly logger: Logger;
};

/** Log message for a job that could not be moved. Nothing of the job is lost. */
export const GIVEN_UP = 'the worker could not move the job; it comes back when its lock expires';

/** Pause while BullMQ's global concurrency is used up, until a job may have ended. */
const SLOT_MS = 100;
/** Longest hold of the queue. A hold of the account may end early, so workers check again and hold the queue again. */
const LONGEST_HOLD_MS = 600_000;

export class JobQueue {
  /** warning about an unknown release of BullMQ; undefined: the release is known */
  readonly note: string | undefined;
  readonly #fetcher: Fetcher;
  readonly #queue: Queue;
  readonly #way: Way;
  #runs = 0;
  /** the queue is held for all replicas until then (epoch ms) */
  #heldUntil = 0;

  constructor(private readonly parts: JobQueueParts) {
    const { redis, keys, queueName, prefix, lockMs, telemetry, logger } = parts;
    const release = parts.release ?? installedRelease();
    const isBulk = isKnown(release);
    if (!isBulk) {
      this.note = `the worker does not know the scripts of BullMQ ${release.version}; it moves jobs one by one by BullMQ's own commands, which is slower`;
      logger.warn({ event: 'bullmq', version: release.version }, this.note);
    }
    // Without the skip options BullMQ waits for a connection once, at the start, and keeps a failure for ever.
    const options = { connection: redis, prefix, skipVersionCheck: true, skipWaitingForReady: true };
    // BullMQ reads this option when a job ends; its type allows it for workers only
    const metrics = { metrics: { maxDataPoints: METRICS_POINTS } };
    this.#queue = new Queue(queueName, { ...options, ...metrics, ...(telemetry && { telemetry }) });
    const stalledCheck = isBulk ? release.scripts.get('moveStalledJobsToWait') : undefined;
    this.#fetcher = new Fetcher(queueName, options, lockMs, queueBackend(redis, prefix, stalledCheck));
    const way = {
      ...{ redis, lockMs, logger, queue: this.#queue, fetcher: this.#fetcher },
      keys: bullmqKeys(keys),
      isTraced: telemetry !== undefined,
      newToken: () => this.#newToken(),
    };
    this.#way = isBulk ? new BulkWay(way) : new PublicWay(way);
    const onError = (error: Error) => logger.warn({ event: 'redis', error: messageOf(error) }, 'queue');
    this.#queue.on('error', onError);
    this.#fetcher.on('error', onError);
    this.#fetcher.on('stalled', jobId =>
      logger.warn({ event: 'stalled', jobId }, 'the job stalled because its worker died; it runs again'),
    );
  }

  /** Waits for an unreachable Redis. @throws Error if Redis refuses writes; try again */
  async start(): Promise<void> {
    await this.#fetcher.waitUntilReady();
    // the operator may have fixed the cause of a hold before the start
    await this.#queue.removeRateLimitKey();
    await this.#fetcher.startStalledCheckTimer();
  }

  /** @returns the next job, for which it waits some seconds if `block`; undefined if there is none, or none may be fetched */
  next(block = true): Promise<FetchedJob | undefined> {
    return this.#way.next(block);
  }

  /** Takes jobs that wait at this moment. @param highOnly only jobs of high priority */
  take(limits: TakeLimits, highOnly = false): Promise<Run> {
    return this.#way.take(limits, highOnly);
  }

  /**
   * @returns for how long no job may be fetched, milliseconds; 0 = jobs may be fetched, or the queue is paused. BullMQ wakes
   * waiting workers when the queue is resumed, but not when a limit ends.
   */
  async heldMs(): Promise<number> {
    const queue = this.#queue;
    const [limit, concurrency] = await Promise.all([
      queue.getGlobalRateLimit(),
      queue.getGlobalConcurrency(),
    ]);
    const leftMs = await queue.getRateLimitTtl(limit?.max ?? NO_LIMIT);
    if (leftMs > 0) return leftMs;
    if (concurrency === null) return 0;
    const {
      active = 0,
      wait = 0,
      prioritized = 0,
    } = await queue.getJobCounts('active', 'wait', 'prioritized');
    return active >= concurrency && wait + prioritized > 0 ? SLOT_MS : 0;
  }

  /** @returns ids of jobs whose lock another worker has now */
  renewLocks(jobs: readonly FetchedJob[]): Promise<string[]> {
    return this.#way.renewLocks(jobs);
  }

  async complete(job: FetchedJob, returnValue: object): Promise<void> {
    const own = await this.#own(job);
    own.opts.removeOnComplete ??= KEEP_COMPLETED;
    await own.moveToCompleted(returnValue, job.token, false);
  }

  /** BullMQ counts the attempt and delays the job. The worker decides when and how often, not the job's writer. */
  async retry(job: FetchedJob, delayMs: number, reason: string): Promise<void> {
    const own = await this.#own(job);
    own.opts.attempts = own.attemptsMade + 2;
    own.opts.backoff = { type: 'fixed', delay: Math.ceil(Math.max(1, delayMs)) };
    await own.moveToFailed(new Error(reason), job.token, false);
  }

  /** Moves the job to the failed set, the dead-letter list, where it stays until an operator acts. */
  async fail(job: FetchedJob, reason: string): Promise<void> {
    // a job whose data is not JSON must fail as well, although BullMQ cannot read it
    const own = await this.#own(job).catch(() => this.#unread(job));
    own.opts.removeOnFail = false;
    await own.moveToFailed(new UnrecoverableError(reason), job.token, false);
  }

  /** Delays the job without spending an attempt. */
  async delay(job: FetchedJob, ms: number): Promise<void> {
    await this.#unread(job).moveToDelayed(Date.now() + Math.max(1, Math.ceil(ms)), job.token);
  }

  /** Puts the job back to where it was, for the next worker. */
  async putBack(job: FetchedJob): Promise<void> {
    await this.#unread(job).moveToWait(job.token);
  }

  /** No replica fetches a job for this time, at most {@link LONGEST_HOLD_MS}. */
  async hold(ms: number): Promise<void> {
    const forMs = Math.ceil(Math.max(1, Math.min(ms, LONGEST_HOLD_MS)));
    const until = Date.now() + forMs;
    if (until <= this.#heldUntil + 1_000) return;
    await this.#way.hold(forMs);
    this.#heldUntil = until;
  }

  /** Ends {@link next}. Jobs can still be moved. */
  async stopFetching(): Promise<void> {
    // by force: it has no jobs to wait for, except the next one, for seconds
    await this.#fetcher.close(true);
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }

  #newToken(): string {
    this.#runs += 1;
    return `${this.parts.id}:${this.#runs}`;
  }

  /** BullMQ's object for a job. Few jobs need one: it costs as much as everything else of a small job. */
  async #own({ id }: FetchedJob): Promise<Job> {
    const job = await Job.fromId(this.#queue, id);
    if (!job) throw new Error(`job ${id} was removed`);
    // our errors are sentences, and a stack trace helps no operator
    job.opts.stackTraceLimit = 0;
    return job;
  }

  /** The same for commands that only need the id. */
  #unread({ id }: FetchedJob): Job {
    return new Job(this.#queue, JOB_NAME, undefined, {}, id);
  }
}
