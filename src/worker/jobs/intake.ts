/**
 * Intake: keeps memory full of jobs, and no fuller.
 *  1. fetches while there is room, and waits while there is none, or nothing in Redis;
 *  2. keeps them as text, a quarter of their size, until they are asked for; then hands them to the processor;
 *  3. knows which ones it has, and keeps their locks;
 *  4. fetches jobs of high priority when it is told to, whatever is in memory.
 */

import { type FetchedJob, GIVEN_UP, type JobQueue, type TakeLimits } from '../../bullmq/job-queue.js';
import { messageOf } from '../../shared/contract/errors.js';
import type { Logger } from '../../shared/runtime/logger.js';
import { settlesWithin, sleep } from '../../shared/runtime/wait.js';
import type { Prefetch } from './prefetch.js';

export type IntakeParts = {
  readonly queue: JobQueue;
  readonly prefetch: Prefetch;
  /** Hands on the job's pairs. The intake is told of its end by {@link Intake.ended}. */
  readonly process: (job: FetchedJob) => void;
  /** jobs have come, or no more are on their way: who waits for company looks again */
  readonly onChange: () => void;
  /** associations that are handed on at once */
  readonly portion: number;
  /** jobs of high priority that are fetched for one call */
  readonly high: TakeLimits;
  readonly lockMs: number;
  readonly logger: Logger;
};

/** A round of fetching ends after that, so that BullMQ's own verb promotes what is due. */
const LONGEST_ROUND_MS = 1_000;
/** After an error of Redis. */
const ASK_AGAIN_MS = 1_000;
/** A longer hold is looked at again: it may be lifted before its time, and jobs whose delay is over are promoted. */
const LONGEST_HOLD_MS = 1_000;
/** A call waits no longer for jobs of high priority: Redis may be slow, or gone. */
const FETCH_HIGH_MS = 1_000;
/** A queue with a limit of its own has no job at once, and tells only BullMQ for how long. */
const SOON_MS = 100;
const SOON_NOS = 5;
/** A lock is renewed so often in its lifetime. */
const RENEWALS = 3;

export class Intake {
  readonly #stop = new AbortController();
  readonly #renewing = new AbortController();
  /** fetched, and neither settled nor given back */
  readonly #held = new Set<FetchedJob>();
  /** those of them that nobody has asked for yet, oldest first */
  #unread: FetchedJob[] = [];
  #onEmpty = () => {};
  #loops: Promise<void>[] = [];
  /** under way: with a slow Redis more than one */
  readonly #fetchingHigh = new Set<Promise<void>>();
  #nap: AbortController | undefined;
  #isDry = true;
  #soonNos = 0;
  /** fetching was held; BullMQ wakes no worker at the end of a hold */
  #wasHeld = false;

  constructor(private readonly parts: IntakeParts) {}

  async start(): Promise<void> {
    await this.parts.queue.start();
    if (this.#stop.signal.aborted) return;
    this.#loops = [this.#fetch(), this.#renewLocks()];
  }

  get isRunning(): boolean {
    return this.#loops.length > 0 && !this.#stop.signal.aborted;
  }

  /** Hands on some of what is in memory. @returns false when there is nothing more */
  handOn(): boolean {
    let left = this.parts.portion;
    let count = 0;
    for (const job of this.#unread) {
      if (left <= 0) break;
      left -= job.associations;
      count += 1;
      this.#submit(job);
    }
    this.#unread.splice(0, count);
    return count > 0;
  }

  /** All that is in memory is handed on, and no call is full of it: more may be held for a while. */
  widen(): void {
    const { prefetch } = this.parts;
    if (this.#isDry || !this.isRunning || prefetch.hasRoom) return;
    if (prefetch.widen()) this.#nap?.abort();
  }

  /** Some of what is in memory does not count any more. */
  lookForRoom(): void {
    if (this.parts.prefetch.hasRoom) this.#nap?.abort();
  }

  /** There is a backlog, and room for more of it. */
  get hasMore(): boolean {
    return !this.#isDry && this.parts.prefetch.hasRoom;
  }

  /** Fetches what waits in Redis with high priority, as much as a call takes. @returns when it is submitted */
  async fetchHigh(): Promise<void> {
    const { queue, prefetch, high } = this.parts;
    if (!prefetch.hasReserve || !this.isRunning) return;
    const fetching = queue.take(high, true).then(({ jobs }) => {
      this.#hold(jobs);
      for (const job of jobs) this.#submit(job);
    });
    this.#fetchingHigh.add(fetching);
    const forget = () => this.#fetchingHigh.delete(fetching);
    fetching.then(forget, forget);
    await settlesWithin(fetching, FETCH_HIGH_MS);
  }

  /** Stops fetching. @returns when every job that was fetched has been settled or given back */
  async drain(): Promise<void> {
    const [fetching, renewing] = this.#loops;
    this.#stop.abort();
    this.#nap?.abort();
    await this.parts.queue.stopFetching();
    await Promise.all([fetching, Promise.allSettled(this.#fetchingHigh)]);
    await this.#putBackUnread();
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
        logger.warn(
          { event: 'redis', error: messageOf(error) },
          'the worker could not fetch jobs; it tries again in a second',
        );
        await sleep(ASK_AGAIN_MS, signal);
      }
    }
  }

  /** One job by BullMQ's own verb, then as many as there is room for. */
  async #round(): Promise<void> {
    const { queue, prefetch } = this.parts;
    const { signal } = this.#stop;
    const since = performance.now();
    const first = await queue.next(!this.#wasHeld);
    this.#wasHeld = false;
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
      const isLong = performance.now() - since > LONGEST_ROUND_MS;
      const goesOn = run.more && prefetch.hasRoom && !signal.aborted && !isLong;
      const next = goesOn ? queue.take(prefetch.room) : { jobs: [], more: run.more };
      for (const job of run.jobs) this.#unread.push(job);
      this.parts.onChange();
      run = await next;
    }
    if (!run.more) this.#runsDry();
  }

  /** Nothing came: because nothing is there, for which BullMQ waits the next time, or because of a hold. */
  async #untilAllowed(soon: boolean): Promise<void> {
    const { signal } = this.#stop;
    const heldMs = await this.parts.queue.heldMs();
    this.#soonNos = soon ? this.#soonNos + 1 : 0;
    this.#wasHeld = heldMs > 0;
    if (heldMs > 0) await sleep(Math.min(heldMs, LONGEST_HOLD_MS), signal);
    else if (this.#soonNos > SOON_NOS) await sleep(ASK_AGAIN_MS, signal);
  }

  #runsDry(): void {
    this.#isDry = true;
    this.parts.onChange();
  }

  async #untilRoom(): Promise<void> {
    this.parts.onChange();
    this.#nap = new AbortController();
    await sleep(Number.POSITIVE_INFINITY, this.#nap.signal);
    this.#nap = undefined;
  }

  #hold(jobs: readonly FetchedJob[]): void {
    for (const job of jobs) {
      this.#held.add(job);
      this.parts.prefetch.fetched(job.associations);
    }
  }

  #submit(job: FetchedJob): void {
    this.parts.process(job);
  }

  /** The job is settled and moved, or given up. */
  ended(job: FetchedJob): void {
    this.#held.delete(job);
    this.parts.prefetch.ended(job.associations);
    this.lookForRoom();
    if (this.#held.size === 0) this.#onEmpty();
  }

  /** The process is about to end: what nobody has begun with is the next worker's. */
  async #putBackUnread(): Promise<void> {
    const { queue, logger } = this.parts;
    const unread = this.#unread.reverse(); // each is put at the head of the line
    this.#unread = [];
    await Promise.all(
      unread.map(async job => {
        await queue
          .putBack(job)
          .catch(error =>
            logger.warn({ event: 'given up', jobId: job.id, error: messageOf(error) }, GIVEN_UP),
          );
        this.ended(job);
      }),
    );
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
        // those that have ended meanwhile have no lock any more, and need none; some are just being told
        await sleep(0);
        for (const job of held)
          if (lost.has(job.id) && this.#held.has(job))
            logger.warn(
              { event: 'lock', jobId: job.id },
              'the lock of this job is lost; another worker may have it',
            );
      } catch (error) {
        logger.warn(
          { event: 'redis', error: messageOf(error) },
          'the worker could not renew the locks of its jobs; it tries again',
        );
      }
    }
  }
}
