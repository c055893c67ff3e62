/**
 * Job queue: what the worker does with BullMQ's jobs.
 *  1. fetches them, keeps their locks, and holds the queue: in the bulk way, or in the public way (way.ts), which is
 *     decided here, at the start;
 *  2. moves them by BullMQ's verbs: complete, retry, fail, delay, put back. (In the bulk way most are completed by the
 *     ledger, with their settlement.)
 * BullMQ keeps doing what it does well: stalled jobs, delays, priorities, events, dashboards.
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
  /** of this replica, unlike all others */
  readonly id: string;
  readonly lockMs: number;
  /** BullMQ's option of that name; undefined: no traces */
  readonly telemetry?: Telemetry | undefined;
  /** for tests: another release of BullMQ than the installed one */
  readonly release?: Release;
  readonly logger: Logger;
};

/** Said of a job that could not be moved: nothing of it is lost. */
export const GIVEN_UP = 'the worker could not move the job; it comes back when its lock has run out';

/** With BullMQ's global concurrency: until a job may have ended. */
const SLOT_MS = 100;
/** A hold of the account may end early; workers look again after that, and hold the queue again. */
const LONGEST_HOLD_MS = 600_000;

export class JobQueue {
  /** said where this release of BullMQ is unknown */
  readonly note: string | undefined;
  readonly #fetcher: Fetcher;
  readonly #queue: Queue;
  readonly #way: Way;
  #runs = 0;
  /** all replicas are told to fetch nothing until then (epoch ms) */
  #heldUntil = 0;

  constructor(private readonly parts: JobQueueParts) {
    const { redis, keys, queueName, prefix, lockMs, telemetry, logger } = parts;
    const release = parts.release ?? installedRelease();
    const isBulk = isKnown(release);
    if (!isBulk) {
      this.note = `the worker does not know the scripts of BullMQ ${release.version}; it moves jobs one by one by BullMQ's own verbs, which is slower`;
      logger.warn({ event: 'bullmq', version: release.version }, this.note);
    }
    // Without the skips BullMQ waits for a connection once, at the start, and remembers a failure forever.
    const options = { connection: redis, prefix, skipVersionCheck: true, skipWaitingForReady: true };
    // BullMQ reads the option when a job is finished; its type has it for workers only
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
      logger.warn({ event: 'stalled', jobId }, 'the worker of this job died; it runs again'),
    );
  }

  /** Waits for a Redis that is away. @throws Error when it refuses writes: try again */
  async start(): Promise<void> {
    await this.#fetcher.waitUntilReady();
    // a new start may bring what was missing: another token, another limit
    await this.#queue.removeRateLimitKey();
    await this.#fetcher.startStalledCheckTimer();
  }

  /** The next job, for which it waits some seconds if it blocks. Undefined: there is none, or none may be fetched. */
  next(block = true): Promise<FetchedJob | undefined> {
    return this.#way.next(block);
  }

  /** Takes what waits at this moment. @param highOnly nothing but jobs of high priority */
  take(limits: TakeLimits, highOnly = false): Promise<Run> {
    return this.#way.take(limits, highOnly);
  }

  /**
   * For how long nothing may be fetched, milliseconds; 0 = it may, or the queue is paused. Whoever waits for jobs is woken
   * when it is resumed, and not when a limit of BullMQ's is over.
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

  /** @returns ids of those whose lock somebody else has by now */
  renewLocks(jobs: readonly FetchedJob[]): Promise<string[]> {
    return this.#way.renewLocks(jobs);
  }

  async complete(job: FetchedJob, returnValue: object): Promise<void> {
    const own = await this.#own(job);
    own.opts.removeOnComplete ??= KEEP_COMPLETED;
    await own.moveToCompleted(returnValue, job.token, false);
  }

  /** BullMQ counts the attempt and delays the job; when and how often is our policy, not the writer's. */
  async retry(job: FetchedJob, delayMs: number, reason: string): Promise<void> {
    const own = await this.#own(job);
    own.opts.attempts = own.attemptsMade + 2;
    own.opts.backoff = { type: 'fixed', delay: Math.ceil(Math.max(1, delayMs)) };
    await own.moveToFailed(new Error(reason), job.token, false);
  }

  /** The failed set is the dead-letter list: the job stays there until somebody has seen it. */
  async fail(job: FetchedJob, reason: string): Promise<void> {
    // what is no JSON can be read by nobody, and must end there, too
    const own = await this.#own(job).catch(() => this.#unread(job));
    own.opts.removeOnFail = false;
    await own.moveToFailed(new UnrecoverableError(reason), job.token, false);
  }

  /** No attempt is spent. */
  async delay(job: FetchedJob, ms: number): Promise<void> {
    await this.#unread(job).moveToDelayed(Date.now() + Math.max(1, Math.ceil(ms)), job.token);
  }

  /** To where it was, for the next worker. */
  async putBack(job: FetchedJob): Promise<void> {
    await this.#unread(job).moveToWait(job.token);
  }

  /** No replica fetches a job for so long, or until {@link LONGEST_HOLD_MS} have passed. */
  async hold(ms: number): Promise<void> {
    const forMs = Math.ceil(Math.max(1, Math.min(ms, LONGEST_HOLD_MS)));
    const until = Date.now() + forMs;
    if (until <= this.#heldUntil + 1_000) return;
    await this.#way.hold(forMs);
    this.#heldUntil = until;
  }

  /** Ends {@link next}. Jobs may still be moved. */
  async stopFetching(): Promise<void> {
    // by force: it has no jobs of its own to wait for, only the next one, for seconds
    await this.#fetcher.close(true);
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }

  #newToken(): string {
    this.#runs += 1;
    return `${this.parts.id}:${this.#runs}`;
  }

  /** BullMQ's own object. Few jobs need one: it costs as much as all the rest of a small job. */
  async #own({ id }: FetchedJob): Promise<Job> {
    const job = await Job.fromId(this.#queue, id);
    if (!job) throw new Error(`job ${id} was removed`);
    // our errors are sentences; where in our code they were thrown helps nobody
    job.opts.stackTraceLimit = 0;
    return job;
  }

  /** The same for verbs that need nothing but the id. */
  #unread({ id }: FetchedJob): Job {
    return new Job(this.#queue, JOB_NAME, undefined, {}, id);
  }
}
