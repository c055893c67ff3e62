/**
 * Job queue: the only file that knows BullMQ's verbs.
 *  1. fetches jobs: the first of a run by BullMQ's own verb, which waits for it, promotes what is due and obeys pauses and
 *     limits; the others together, by one script (take.lua, docs/decisions/0013);
 *  2. renews their locks;
 *  3. moves them: complete, retry, fail, delay, put back. (Most are completed by the ledger, with their settlement.)
 * BullMQ keeps doing what it does well: jobs of the dead, delays, priorities, events, dashboards.
 */
import { Job, type JobJson, Queue, type Telemetry, UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { messageOf } from '../shared/contract/errors.js';
import { countPairs } from '../shared/contract/job-text.js';
import { readJson } from '../shared/contract/json.js';
import { JOB_NAME, type Keys } from '../shared/contract/keys.js';
import type { Logger } from '../shared/runtime/logger.js';
import { loadScript } from '../shared/runtime/script.js';
import {
  type BullmqKeys,
  bullmqKeys,
  delayedScore,
  HIGH_PRIORITY,
  HIGH_PRIORITY_BELOW,
  KEEP_COMPLETED,
} from './layout.js';
import { isRefusedByFullRedis, queueBackend } from './queue-backend.js';

export type FetchedJob = {
  readonly id: string;
  /** of its lock */
  readonly token: string;
  /** Its data, as somebody wrote it: JSON, or not even that. */
  readonly text: string;
  /** how many it holds, about: told from the text */
  readonly associations: number;
  readonly high: boolean;
  /** nothing but its own hash is concerned when it completes */
  readonly standsAlone: boolean;
  /** it is known that nothing of it was ever counted */
  readonly isFirstAttempt: boolean;
  /** of the trace in which it was enqueued */
  readonly trace: string | undefined;
  /** BullMQ's word that it must fail: it is the parent of a job that has failed */
  readonly mustFail?: string | undefined;
};

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
  readonly logger: Logger;
};

/** Said of a job that could not be moved: nothing of it is lost. */
export const GIVEN_UP = 'the worker could not move the job; it comes back when its lock has run out';

/** How much one run of {@link JobQueue.take} brings at most. */
export type TakeLimits = { readonly jobs: number; readonly bytes: number };

const NO_LIMIT = 2 ** 31;
/** A run of more would keep Redis from others for many milliseconds. */
const JOBS_PER_RUN = 500;
/** The same for renewing locks. */
const LOCKS_PER_RUN = 1_000;
/** With BullMQ's global concurrency: until a job may have ended. */
const SLOT_MS = 100;
/** Of each list; a run takes no more. */
const IDS_PER_WEEDING = JOBS_PER_RUN;
/** BullMQ promotes 1,000 due jobs at once; other replicas may promote as many between our weeding and our fetching. */
const DELAYED_PER_WEEDING = 5_000;
const WEED_DELAYED_EVERY_MS = 1_000;
/** BullMQ promotes whatever becomes due while it waits for a job. */
const WEED_DELAYED_AHEAD_MS = 15_000;
/** Of a job in the answer of take.lua, without its options. */
const FIELDS = 4;
/** A hold of the account may end early; workers look again after that, and hold the queue again. */
const LONGEST_HOLD_MS = 600_000;

/** BullMQ's worker. We use only its fetching of single jobs, with two differences. */
class Fetcher extends Worker {
  /** of the data of the job that was fetched last */
  text = '';

  /**
   * BullMQ's worker remembers until when fetching is held and does not ask before, although the hold may end early. This
   * one asks each time.
   */
  fetch(token: string, block: boolean): Promise<Job | undefined> {
    Reflect.set(this, 'limitUntil', 0);
    return this.getNextJob(token, { block });
  }

  /** Data stays text: who fetched the job reads it. (BullMQ throws at what is no JSON, when the job is active already.) */
  protected override createJob(json: JobJson, jobId: string): Job {
    this.text = json.data;
    return super.createJob({ ...json, data: 'null' }, jobId);
  }
}

export class JobQueue {
  readonly #parts: JobQueueParts;
  readonly #keys: BullmqKeys;
  /** its connection waits for jobs, and it looks for those of the dead; it processes nothing */
  readonly #worker: Fetcher;
  readonly #queue: Queue;
  readonly #take = loadScript(new URL('./take.lua', import.meta.url));
  readonly #renewLocks = loadScript(new URL('./renew-locks.lua', import.meta.url));
  readonly #weed = loadScript(new URL('./weed.lua', import.meta.url));
  readonly #holdQueue = loadScript(new URL('./hold-queue.lua', import.meta.url));
  #runs = 0;
  /** performance.now() */
  #weedDelayedFrom = 0;
  /** all replicas are told to fetch nothing until then (epoch ms) */
  #heldUntil = 0;

  constructor(parts: JobQueueParts) {
    const { redis, queueName, prefix, lockMs, telemetry, logger } = parts;
    this.#parts = parts;
    this.#keys = bullmqKeys(parts.keys);
    // Without the skips BullMQ waits for a connection once, at the start, and remembers a failure forever.
    const options = { connection: redis, prefix, skipVersionCheck: true, skipWaitingForReady: true };
    this.#queue = new Queue(queueName, { ...options, ...(telemetry && { telemetry }) });
    this.#worker = new Fetcher(
      queueName,
      null,
      {
        ...options,
        autorun: false,
        lockDuration: lockMs,
        stalledInterval: Math.ceil(lockMs / 2),
        // a job is not to blame for the deaths of its workers
        maxStalledCount: 1_000_000_000,
        // no limit of its own, but without this option BullMQ ignores queue.rateLimit()
        limiter: { max: NO_LIMIT, duration: 1_000 },
      },
      queueBackend(redis, prefix),
    );
    const onError = (error: Error) => logger.warn({ event: 'redis', error: messageOf(error) }, 'queue');
    this.#queue.on('error', onError);
    this.#worker.on('error', onError);
    this.#worker.on('stalled', jobId =>
      logger.warn({ event: 'stalled', jobId }, 'the worker of this job died; it runs again'),
    );
  }

  /** Waits for a Redis that is away. @throws Error when it refuses writes: try again */
  async start(): Promise<void> {
    await this.#worker.waitUntilReady();
    // a new start may bring what was missing: another token, another limit
    await this.#queue.removeRateLimitKey();
    await this.#worker.startStalledCheckTimer();
  }

  /**
   * The next job, for which it waits some seconds if it blocks. Undefined: there is none, or none may be fetched. A full
   * Redis refuses BullMQ's own verb, but not take.lua, which waits for nothing.
   */
  async next(block = true): Promise<FetchedJob | undefined> {
    try {
      return await this.#fetch(block);
    } catch (error) {
      if (!isRefusedByFullRedis(error)) throw error;
      return (await this.take({ jobs: 1, bytes: 1 })).jobs[0];
    }
  }

  async #fetch(block: boolean): Promise<FetchedJob | undefined> {
    await this.#weedDelayed();
    const token = this.#newToken();
    const job = await this.#weeding(() => this.#worker.fetch(token, block));
    if (!job) return undefined;
    const { id = '', opts, parentKey, deduplicationId, repeatJobKey } = job;
    const { text } = this.#worker;
    const standsAlone =
      !parentKey && !deduplicationId && !repeatJobKey && opts.removeOnComplete === undefined;
    const high = job.priority === HIGH_PRIORITY;
    return {
      id,
      token,
      text,
      associations: countPairs(text),
      high,
      standsAlone,
      isFirstAttempt: false, // it does not say
      trace: opts.telemetry?.metadata,
      mustFail: job.deferredFailure,
    };
  }

  /** Takes what waits at this moment. @param highOnly nothing but jobs of high priority */
  async take(limits: TakeLimits, highOnly = false): Promise<{ jobs: FetchedJob[]; more: boolean }> {
    const { redis, lockMs, telemetry } = this.#parts;
    const keys = this.#keys;
    const token = this.#newToken();
    const { wait, active, prioritized, priorityCounter, meta, limiter, events, marker } = keys;
    const run = await this.#weeding(() =>
      this.#take(
        redis,
        [wait, active, prioritized, priorityCounter, meta, limiter, events, marker],
        [
          ...[keys.jobs, token, lockMs, Date.now()],
          ...[
            Math.min(limits.jobs, JOBS_PER_RUN),
            limits.bytes,
            highOnly ? HIGH_PRIORITY_BELOW : '',
            NO_LIMIT,
          ],
          telemetry ? 1 : 0,
        ],
      ),
    );
    const [more, ...flat] = (run ?? [1]) as [number, ...(string | number)[]];
    const jobs: FetchedJob[] = [];
    for (let at = 0; at < flat.length; at += telemetry ? FIELDS + 1 : FIELDS) {
      const text = String(flat[at + 1]);
      jobs.push({
        id: String(flat[at]),
        token,
        text,
        associations: countPairs(text),
        high: flat[at + 2] === HIGH_PRIORITY,
        standsAlone: flat[at + 3] !== 0,
        isFirstAttempt: flat[at + 3] === 2,
        trace: telemetry && (readJson(String(flat[at + 4])) as { tm?: string } | undefined)?.tm,
      });
    }
    return { jobs, more: more === 1 };
  }

  /**
   * For how long nothing may be fetched, milliseconds; 0 = it may, or the queue is paused. Whoever waits for jobs is woken
   * when it is resumed, and not when a limit of BullMQ's is over.
   */
  async heldMs(): Promise<number> {
    const { redis } = this.#parts;
    const keys = this.#keys;
    const [[concurrency, max], count, leftMs, active] = await Promise.all([
      redis.hmget(keys.meta, 'concurrency', 'max'),
      redis.get(keys.limiter),
      redis.pttl(keys.limiter),
      redis.llen(keys.active),
    ]);
    const isLimited = Number(count) >= Number(max ?? NO_LIMIT) && leftMs > 0;
    if (isLimited) return leftMs;
    if (!concurrency || active < Number(concurrency)) return 0;
    return (await redis.exists(keys.wait, keys.prioritized)) > 0 ? SLOT_MS : 0;
  }

  /** @returns ids of those whose lock somebody else has by now */
  async renewLocks(jobs: readonly FetchedJob[]): Promise<string[]> {
    const { redis, lockMs } = this.#parts;
    const keys = this.#keys;
    const lost: string[] = [];
    for (let at = 0; at < jobs.length; at += LOCKS_PER_RUN) {
      const some = jobs.slice(at, at + LOCKS_PER_RUN);
      const locks = some.flatMap(({ id, token }) => [id, token]);
      lost.push(
        ...((await this.#renewLocks(redis, [keys.stalled], [keys.jobs, lockMs, ...locks])) as string[]),
      );
    }
    return lost;
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
    const own = await this.#own(job).catch(() => new Job(this.#queue, JOB_NAME, undefined, {}, job.id));
    own.opts.removeOnFail = false;
    await own.moveToFailed(new UnrecoverableError(reason), job.token, false);
  }

  /** No attempt is spent. */
  async delay(job: FetchedJob, ms: number): Promise<void> {
    const options = { skipAttempt: true };
    await this.#queue
      .getBackend()
      .moveToDelayed(job.id, Date.now(), Math.max(1, Math.ceil(ms)), job.token, options);
  }

  /** To where it was, for the next worker. */
  async putBack(job: FetchedJob): Promise<void> {
    await this.#queue.getBackend().moveJobFromActiveToWait(job.id, job.token);
  }

  /** No replica fetches a job for so long, or until {@link LONGEST_HOLD_MS} have passed. */
  async hold(ms: number): Promise<void> {
    const { redis } = this.#parts;
    const keys = this.#keys;
    const forMs = Math.ceil(Math.max(1, Math.min(ms, LONGEST_HOLD_MS)));
    const until = Date.now() + forMs;
    if (until <= this.#heldUntil + 1_000) return;
    await this.#holdQueue(redis, [keys.limiter], [NO_LIMIT, forMs]);
    this.#heldUntil = until;
  }

  /** Ends {@link next}. Jobs may still be moved. */
  async stopFetching(): Promise<void> {
    // by force: it has no jobs of its own to wait for, only the next one, for seconds
    await this.#worker.close(true);
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }

  /** @returns undefined: nothing was fetched; an id that is no job was in the way and has been removed */
  async #weeding<T>(fetch: () => Promise<T>): Promise<T | undefined> {
    try {
      return await fetch();
    } catch (error) {
      if (!messageOf(error).includes('WRONGTYPE') || !(await this.#weedOut(IDS_PER_WEEDING)).removed)
        throw error;
      return undefined;
    }
  }

  /** Before BullMQ promotes delayed jobs: an id among them that is no job makes it lose the others (weed.lua). */
  async #weedDelayed(): Promise<void> {
    const now = performance.now();
    if (now < this.#weedDelayedFrom) return;
    const { looked } = await this.#weedOut(0);
    // where more are due than were looked at, the next fetch may reach them
    if (looked < DELAYED_PER_WEEDING) this.#weedDelayedFrom = now + WEED_DELAYED_EVERY_MS;
  }

  /**
   * @param listed ids to look at in each list, beside those of delayed jobs
   * @returns how many delayed ids were looked at, and whether an id was removed
   */
  async #weedOut(listed: number): Promise<{ looked: number; removed: boolean }> {
    const { redis, logger } = this.#parts;
    const keys = this.#keys;
    const { wait, active, prioritized, stalled, delayed } = keys;
    const highest = delayedScore(Date.now() + WEED_DELAYED_AHEAD_MS);
    const [looked, ...weeds] = (await this.#weed(
      redis,
      [wait, active, prioritized, stalled, delayed],
      [keys.jobs, listed, DELAYED_PER_WEEDING, highest],
    )) as [number, ...string[]];
    if (weeds.length === 0) return { looked, removed: false };
    logger.error(
      { event: 'no job', ids: weeds.filter((_, at) => at % 2 === 0) },
      `the queue held ids whose keys are no hashes and therefore no jobs; the worker removed the ids from the queue and left the keys as they are, under ${keys.jobs}<id>`,
    );
    return { looked, removed: true };
  }

  #newToken(): string {
    this.#runs += 1;
    return `${this.#parts.id}:${this.#runs}`;
  }

  /** BullMQ's own object. Few jobs need one: it costs as much as all the rest of a small job. */
  async #own({ id }: FetchedJob): Promise<Job> {
    const job = await Job.fromId(this.#queue, id);
    if (!job) throw new Error(`job ${id} was removed`);
    // our errors are sentences; where in our code they were thrown helps nobody
    job.opts.stackTraceLimit = 0;
    return job;
  }
}
