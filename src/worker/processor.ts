/**
 * Processor: the only file that knows BullMQ's verbs.
 *  1. fetches jobs within the prefetch bounds and reads their data;
 *  2. hands their pairs on and awaits the outcomes;
 *  3. writes the settlement, then completes, delays, fails or gives back the job;
 *  4. fetches jobs of high priority when it is told to, whatever is in memory.
 * BullMQ keeps doing what it does well: locks and their renewal, stalled jobs, delays, events, dashboards.
 */
import {
  DelayedError,
  type Job,
  Queue,
  RateLimitError,
  type Telemetry,
  UnrecoverableError,
  WaitingError,
  Worker,
} from 'bullmq';
import type { Redis } from 'ioredis';
import { type JobData, parseJobData } from '../shared/association.js';
import { backoffMs } from '../shared/backoff.js';
import { messageOf } from '../shared/errors.js';
import type { Logger } from '../shared/logger.js';
import { HIGH_PRIORITY, HIGH_PRIORITY_BELOW, KEEP_COMPLETED, type Keys } from '../shared/queue.js';
import { loadScript } from '../shared/script.js';
import { settlesWithin } from '../shared/wait.js';
import { Arrivals } from './arrivals.js';
import type { Submission } from './coalescer.js';
import type { JobEntry } from './ledger.js';
import type { Hold, Outcome } from './outcome.js';
import type { Prefetch } from './prefetch.js';
import { reopen, settleJob, suspicion } from './settlement.js';

export type ProcessorParts = {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly queueName: string;
  readonly prefix: string;
  readonly maxAttempts: number;
  readonly backoffMs: number;
  readonly lockMs: number;
  /** most inputs of one call */
  readonly maxInputs: number;
  readonly prefetch: Prefetch;
  readonly submit: (submission: Submission) => Promise<Outcome[]>;
  readonly settle: (entry: JobEntry) => Promise<boolean>;
  /** nothing more is on its way: who waits for company waits in vain */
  readonly onNoMore: () => void;
  /** BullMQ's option of that name; undefined: no traces */
  readonly telemetry?: Telemetry | undefined;
  readonly logger: Logger;
};

const UNEXPECTED_DELAY_MS = 5_000;
const NO_LIMIT = 2 ** 31;
const MAX_FAULTS_SHOWN = 20;
/** Jobs of high priority fetched for one call: BullMQ fetches them one after another. */
const HIGH_JOBS_AT_ONCE = 100;
/** A job's data has at least about that for each of its pairs. */
const BYTES_PER_PAIR = 32;
/** A call waits no longer for them than that: Redis may be slow, or gone. */
const FETCH_HIGH_MS = 1_000;

export class Processor {
  readonly #parts: ProcessorParts;
  readonly #queue: Queue;
  readonly #worker: Worker;
  readonly #hasten = loadScript(new URL('./hasten.lua', import.meta.url));
  #arrivals: Arrivals | undefined;
  /** all replicas are told to fetch nothing until then (epoch ms) */
  #fetchingHeldUntil = 0;
  #drained = true;

  constructor(parts: ProcessorParts) {
    const { redis, queueName, prefix, lockMs, prefetch, logger } = parts;
    this.#parts = parts;
    const traced = parts.telemetry && { telemetry: parts.telemetry };
    this.#queue = new Queue(queueName, { connection: redis, prefix, ...traced });
    this.#worker = new Worker(queueName, (job, token) => this.#process(job, token ?? ''), {
      connection: redis,
      prefix,
      autorun: false,
      concurrency: prefetch.concurrency,
      lockDuration: lockMs,
      stalledInterval: Math.ceil(lockMs / 2),
      // a job is not to blame for the deaths of its workers
      maxStalledCount: 1_000_000_000,
      runRetryDelay: 1_000,
      removeOnComplete: KEEP_COMPLETED,
      // no limit of its own, but without this option BullMQ ignores queue.rateLimit()
      limiter: { max: NO_LIMIT, duration: 1_000 },
      ...traced,
    });
    this.#queue.on('error', error =>
      logger.warn({ event: 'redis', error: messageOf(error) }, 'queue connection'),
    );
    this.#worker.on('error', error => logger.warn({ event: 'redis', error: messageOf(error) }, 'worker'));
    this.#worker.on('stalled', jobId =>
      logger.warn({ event: 'stalled', jobId }, 'the worker of this job died; it runs again'),
    );
    this.#worker.on('active', job => {
      this.#drained = false;
      overrideOptions(job);
      prefetch.fetched(job.id ?? '', countPairs(job.data));
      this.#arrivals?.fetched(job.id ?? '');
      this.#worker.concurrency = prefetch.concurrency;
      if (!prefetch.hasRoom) parts.onNoMore();
    });
    this.#worker.on('drained', () => {
      this.#drained = true;
      this.#arrivals?.noMore();
      prefetch.admit(0);
      parts.onNoMore();
    });
    // jobs that end without having been started
    this.#worker.on('failed', job => this.#ended(job?.id ?? ''));
  }

  async start(): Promise<void> {
    await this.#worker.waitUntilReady();
    // a new start may bring what was missing: another token, another limit
    await this.#queue.removeRateLimitKey();
    this.#worker
      .run()
      .catch(error => this.#parts.logger.fatal({ event: 'stopped', error: messageOf(error) }));
  }

  get isRunning(): boolean {
    return this.#worker.isRunning() && !this.#worker.closing;
  }

  /** There is a backlog, and room for more of it. */
  get hasMore(): boolean {
    return !this.#drained && this.#parts.prefetch.hasRoom;
  }

  /** Brings jobs of high priority to the head of the line and fetches them. @returns when they are submitted */
  async fetchHigh(): Promise<void> {
    const { redis, keys, maxInputs, prefetch } = this.#parts;
    if (!prefetch.hasReserve || !this.isRunning) return;
    const limits = [keys.jobs, HIGH_PRIORITY_BELOW, HIGH_JOBS_AT_ONCE, maxInputs * BYTES_PER_PAIR];
    const found = Number(await this.#hasten(redis, [keys.prioritized, keys.wait], limits));
    if (found === 0) return;
    const arrivals = new Arrivals(found);
    this.#arrivals = arrivals;
    prefetch.admit(found);
    this.#worker.concurrency = prefetch.concurrency;
    // BullMQ's loop looks at the concurrency when a job ends; this wakes it without one
    void this.#worker.pause(true);
    void this.#worker.resume();
    await settlesWithin(arrivals.complete, FETCH_HIGH_MS);
  }

  /** Stops fetching. @returns when every job that was fetched has been settled or given back */
  async drain(): Promise<void> {
    await this.#worker.close();
    await this.#queue.close();
  }

  async #process(job: Job, token: string): Promise<{ created: number }> {
    this.#parts.prefetch.started(job.id ?? '');
    this.#worker.concurrency = this.#parts.prefetch.concurrency;
    try {
      return await this.#work(job, token);
    } finally {
      this.#ended(job.id ?? '');
    }
  }

  async #work(job: Job, token: string): Promise<{ created: number }> {
    const parsed = parseJobData(job.data);
    if (!parsed.ok) throw new UnrecoverableError(invalidReason(parsed.faults));
    const data = await this.#reopened(job, token, parsed.data);
    const high = job.priority === HIGH_PRIORITY;
    let batches = '';
    const submitted = this.#parts.submit({
      ...data,
      suspicion: suspicion(data),
      high,
      onSealed: id => {
        if (!batches.endsWith(id)) batches += batches === '' ? id : ` ${id}`;
      },
    });
    this.#arrivals?.submitted(job.id ?? '');
    const outcomes = await submitted;
    const settlement = settleJob(data, outcomes, this.#parts.maxAttempts);
    const { next, created, rejected, retried } = settlement;
    if (created + rejected + retried > 0)
      await this.#settle(job, {
        token,
        data: settlement.data,
        created,
        rejected,
        retried,
        requestId: data.requestId,
        batches,
      });
    switch (next.kind) {
      case 'complete':
        return { created: next.created };
      case 'fail':
        this.#parts.logger.warn(
          { event: 'rejected', jobId: job.id, rejected, source: data.source },
          next.reason,
        );
        throw new UnrecoverableError(next.reason);
      case 'retry':
        throw this.#retry(job, next.attempt, next.reason, next.leastMs);
      case 'hold':
        throw await this.#giveBack(job, token, next.hold);
    }
  }

  /** A failed job that was retried from a dashboard: its rejections are taken back before anything is sent. */
  async #reopened(job: Job, token: string, data: JobData): Promise<JobData> {
    const again = reopen(data);
    if (!again) return data;
    const { requestId } = data;
    await this.#settle(job, {
      token,
      data: again.data,
      created: 0,
      rejected: -again.reopened,
      retried: 0,
      requestId,
    });
    return again.data;
  }

  async #settle(job: Job, entry: Omit<JobEntry, 'jobId'>): Promise<void> {
    const ours = await this.#parts.settle({ jobId: job.id ?? '', ...entry });
    if (!ours) throw new Error(`job ${job.id}: its lock was lost, another worker has it by now`);
  }

  /** BullMQ counts the attempt and delays the job; when and how often is our policy, not the writer's. */
  #retry(job: Job, attempt: number, reason: string, leastMs: number): Error {
    const delay = Math.ceil(Math.max(1, leastMs, backoffMs(attempt, this.#parts.backoffMs)));
    job.opts.backoff = { type: 'fixed', delay };
    this.#parts.logger.debug({ event: 'retry', jobId: job.id, attempt, delayMs: delay }, reason);
    return new Error(reason);
  }

  async #giveBack(job: Job, token: string, hold: Hold): Promise<Error> {
    const forMs = Math.max(1, Math.ceil(hold.forMs));
    switch (hold.scope) {
      case 'account':
        await this.#holdFetching(forMs);
        return new RateLimitError();
      case 'pair':
        await job.moveToDelayed(Date.now() + forMs, token);
        return new DelayedError();
      case 'shutdown':
        await job.moveToWait(token);
        return new WaitingError();
    }
  }

  async #holdFetching(forMs: number): Promise<void> {
    const until = Date.now() + forMs;
    if (until <= this.#fetchingHeldUntil + 1_000) return;
    await this.#queue.rateLimit(forMs);
    this.#fetchingHeldUntil = until;
  }

  #ended(jobId: string): void {
    this.#arrivals?.submitted(jobId);
    this.#parts.prefetch.ended(jobId);
    this.#worker.concurrency = this.#parts.prefetch.concurrency;
  }
}

/** Attempts and dead letters are the worker's policy, whatever the writer of the job set or left out. In memory only. */
function overrideOptions(job: Job): void {
  // Only an UnrecoverableError fails a job. Anything unexpected (Redis full or read-only, a lost lock) brings it back.
  job.opts.attempts = job.attemptsMade + 2;
  job.opts.backoff = { type: 'fixed', delay: UNEXPECTED_DELAY_MS };
  // the failed set is the dead-letter list: a rejection stays until somebody has seen it
  job.opts.removeOnFail = false;
  // our errors are sentences; where in our code they were thrown helps nobody
  job.opts.stackTraceLimit = 0;
}

const countPairs = (data: unknown): number => {
  const pairs = (data as { pairs?: unknown } | null)?.pairs;
  return Array.isArray(pairs) ? pairs.length : 0;
};

function invalidReason(faults: readonly string[]): string {
  const more = faults.length > MAX_FAULTS_SHOWN ? `; and ${faults.length - MAX_FAULTS_SHOWN} more` : '';
  return `invalid job data: ${faults.slice(0, MAX_FAULTS_SHOWN).join('; ')}${more}`;
}
