/**
 * Intake: keeps memory full of jobs, and no fuller.
 *  1. fetches while there is room, and waits while there is none, or nothing in Redis;
 *  2. hands every job to the processor and knows which ones it has;
 *  3. keeps their locks;
 *  4. fetches jobs of high priority when it is told to, whatever is in memory.
 */
import type { JobData } from '../shared/association.js';
import { messageOf } from '../shared/errors.js';
import type { Logger } from '../shared/logger.js';
import { settlesWithin, sleep } from '../shared/wait.js';
import type { FetchedJob, JobQueue, TakeLimits } from './job-queue.js';
import type { Prefetch } from './prefetch.js';

export type IntakeParts = {
  readonly queue: JobQueue;
  readonly prefetch: Prefetch;
  /** Resolves when the job is settled and moved, or given up; hands on its pairs before it first waits. */
  readonly process: (job: FetchedJob) => Promise<void>;
  /** nothing more is on its way: who waits for company waits in vain */
  readonly onNoMore: () => void;
  /** jobs of high priority that are fetched for one call */
  readonly high: TakeLimits;
  readonly lockMs: number;
  readonly logger: Logger;
};

/** After an error of Redis. */
const ASK_AGAIN_MS = 1_000;
/** A longer hold is looked at again, so that jobs whose delay is over are promoted. */
const LONGEST_HOLD_MS = 30_000;
/** A call waits no longer for jobs of high priority: Redis may be slow, or gone. */
const FETCH_HIGH_MS = 1_000;
/** BullMQ's worker remembers a hold that another replica has ended since, and says no at once until then. */
const SOON_MS = 100;
const SOON_NOS = 5;
/** A lock is renewed so often in its lifetime. */
const RENEWALS = 3;

export class Intake {
  readonly #stop = new AbortController();
  readonly #renewing = new AbortController();
  /** fetched, and neither settled nor given back */
  readonly #held = new Set<FetchedJob>();
  #onEmpty = () => {};
  #loops: Promise<void>[] = [];
  #nap: AbortController | undefined;
  #isDry = true;
  #soonNos = 0;

  constructor(private readonly parts: IntakeParts) {}

  async start(): Promise<void> {
    await this.parts.queue.start();
    this.#loops = [this.#fetch(), this.#renewLocks()];
  }

  get isRunning(): boolean {
    return this.#loops.length > 0 && !this.#stop.signal.aborted;
  }

  /** There is a backlog, and room for more of it. */
  get hasMore(): boolean {
    return !this.#isDry && this.parts.prefetch.hasRoom;
  }

  /** Fetches what waits in Redis with high priority, as much as a call takes. @returns when it is submitted */
  async fetchHigh(): Promise<void> {
    const { queue, prefetch, high } = this.parts;
    if (!prefetch.hasReserve || !this.isRunning) return;
    const fetched = queue.take(high, true).then(({ jobs }) => {
      this.#hold(jobs);
      this.#submit(jobs);
    });
    await settlesWithin(fetched, FETCH_HIGH_MS);
  }

  /** Stops fetching. @returns when every job that was fetched has been settled or given back */
  async drain(): Promise<void> {
    const [fetching, renewing] = this.#loops;
    this.#stop.abort();
    this.#nap?.abort();
    await this.parts.queue.stopFetching();
    await fetching;
    if (this.#held.size > 0)
      await new Promise<void>(resolve => {
        this.#onEmpty = resolve;
      });
    this.#renewing.abort();
    await renewing;
    await this.parts.queue.close();
  }

  async #fetch(): Promise<void> {
    const { prefetch, logger } = this.parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (prefetch.hasRoom) await this.#round();
        else await this.#untilRoom();
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ event: 'redis', error: messageOf(error) }, 'no jobs; asking again');
        await sleep(ASK_AGAIN_MS, signal);
      }
    }
  }

  /** One job by BullMQ's own verb, then as many as there is room for. */
  async #round(): Promise<void> {
    const { queue, prefetch } = this.parts;
    const { signal } = this.#stop;
    const since = performance.now();
    const first = await queue.next();
    if (!first) {
      this.#runsDry();
      return signal.aborted ? undefined : this.#untilAllowed(performance.now() - since < SOON_MS);
    }
    this.#soonNos = 0;
    this.#isDry = false;
    let run = { jobs: [first], more: true };
    while (run.jobs.length > 0) {
      this.#hold(run.jobs);
      // Redis looks for the next ones while these are read
      const goesOn = run.more && prefetch.hasRoom && !signal.aborted;
      const next = goesOn ? queue.take(prefetch.room) : { jobs: [], more: run.more };
      this.#submit(run.jobs);
      run = await next;
    }
    if (!run.more) this.#runsDry();
  }

  /** Nothing came: because nothing is there, for which BullMQ waits the next time, or because of a hold. */
  async #untilAllowed(soon: boolean): Promise<void> {
    const { signal } = this.#stop;
    const heldMs = await this.parts.queue.heldMs();
    this.#soonNos = soon ? this.#soonNos + 1 : 0;
    if (heldMs > 0) await sleep(Math.min(heldMs, LONGEST_HOLD_MS), signal);
    else if (this.#soonNos > SOON_NOS) await sleep(ASK_AGAIN_MS, signal);
  }

  #runsDry(): void {
    this.#isDry = true;
    this.parts.onNoMore();
  }

  async #untilRoom(): Promise<void> {
    this.parts.onNoMore();
    this.#nap = new AbortController();
    await sleep(Number.POSITIVE_INFINITY, this.#nap.signal);
    this.#nap = undefined;
  }

  #hold(jobs: readonly FetchedJob[]): void {
    for (const job of jobs) {
      this.#held.add(job);
      this.parts.prefetch.fetched(countPairs(job.data));
    }
  }

  #submit(jobs: readonly FetchedJob[]): void {
    for (const job of jobs) void this.parts.process(job).then(() => this.#ended(job));
  }

  #ended(job: FetchedJob): void {
    this.#held.delete(job);
    this.parts.prefetch.ended(countPairs(job.data));
    if (this.parts.prefetch.hasRoom) this.#nap?.abort();
    if (this.#held.size === 0) this.#onEmpty();
  }

  async #renewLocks(): Promise<void> {
    const { queue, lockMs, logger } = this.parts;
    const { signal } = this.#renewing;
    while (!signal.aborted) {
      await sleep(lockMs / RENEWALS, signal);
      if (signal.aborted || this.#held.size === 0) continue;
      try {
        const held = [...this.#held];
        const lost = new Set(await queue.renewLocks(held));
        // those that have ended meanwhile have no lock any more, and need none
        for (const job of held)
          if (lost.has(job.id) && this.#held.has(job))
            logger.warn(
              { event: 'lock', jobId: job.id },
              'the lock of this job is lost; another worker may have it',
            );
      } catch (error) {
        logger.warn({ event: 'redis', error: messageOf(error) }, 'locks are not renewed');
      }
    }
  }
}

const countPairs = (data: unknown): number => {
  const pairs = (data as Partial<JobData> | null | undefined)?.pairs;
  return Array.isArray(pairs) ? pairs.length : 0;
};
