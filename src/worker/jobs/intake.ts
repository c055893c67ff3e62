/**
 * Intake: keeps the jobs in memory, from the fetch to the end.
 *  1. It fetches as many as flow.ts allows, and waits while there is no room, the replica stands by, or Redis has no jobs.
 *  2. It keeps them as text until the dispatcher takes them.
 *  3. It renews their locks until they have ended.
 *  4. It fetches jobs of high priority when the dispatcher asks for them, whatever is in memory.
 * It opens no job.
 */
import type { FetchedJob } from '../../bullmq/fetched-job.js';
import { GIVEN_UP, type JobQueue } from '../../bullmq/job-queue.js';
import { messageOf, withoutAddresses } from '../../shared/contract/errors.js';
import type { Logger } from '../../shared/runtime/logger.js';
import { redisReason } from '../../shared/runtime/redis.js';
import { type Notifier, settlesWithin, sleep } from '../../shared/runtime/wait.js';
import type { Flow } from '../flow.js';

/** The queue that jobs come from and unread jobs go back to. */
export type JobSource = Pick<
  JobQueue,
  'start' | 'next' | 'take' | 'heldMs' | 'renewLocks' | 'delay' | 'putBack' | 'stopFetching' | 'close'
>;

export type IntakeParts = {
  readonly source: JobSource;
  readonly flow: Flow;
  /** notified when there may be room for more jobs; the intake waits for it */
  readonly room: Notifier;
  /** the intake notifies it when jobs have arrived, or when no more are on their way */
  readonly work: Notifier;
  readonly lockMs: number;
  readonly logger: Logger;
};

/** How the fetch of jobs goes. */
export type Fetching = {
  /** for how long Redis has not answered the fetch that waits now, or has refused each; 0 = neither */
  readonly ms: number;
  /** why the last fetch failed; undefined: it did not */
  readonly error: string | undefined;
};

/** A round of fetching ends after this time, so that BullMQ's own command promotes jobs that are due. */
const LONGEST_ROUND_MS = 1_000;
/** Pause after an error of Redis. */
const ASK_AGAIN_MS = 1_000;
/** A longer hold is checked again after this time: it may end early, and due jobs must be promoted. */
const LONGEST_HOLD_MS = 1_000;
/** Longest wait of a call for jobs of high priority, because Redis may be slow or unreachable. */
const FETCH_HIGH_MS = 1_000;
/** Pause if a queue with a BullMQ limit returns no job at once: only BullMQ knows for how long. */
const SOON_MS = 100;
const SOON_NOS = 5;
/** Number of renewals within the lifetime of a lock. */
const RENEWALS = 3;

export class Intake {
  readonly #stop = new AbortController();
  readonly #renewing = new AbortController();
  /** jobs that are fetched and neither settled nor given back */
  readonly #held = new Set<FetchedJob>();
  /** jobs that are not taken yet, oldest first; below, those that were fetched for their high priority */
  #unread: FetchedJob[] = [];
  #unreadHigh: FetchedJob[] = [];
  #onEmpty = () => {};
  #loops: Promise<void>[] = [];
  /** pending fetches of high priority; with a slow Redis more than one */
  readonly #fetchingHigh = new Set<Promise<void>>();
  #soonNos = 0;
  /** fetching was held, and BullMQ wakes no worker when a hold ends */
  #wasHeld = false;
  /** when the fetch began that has no answer yet, or the first of those that Redis refused; undefined: neither */
  #fetchingSince: number | undefined;
  #fetchError: string | undefined;

  constructor(private readonly parts: IntakeParts) {}

  async start(): Promise<void> {
    await this.parts.source.start();
    if (this.#stop.signal.aborted) return;
    this.#loops = [this.#fetch(), this.#renewLocks()];
  }

  get isRunning(): boolean {
    return this.#loops.length > 0 && !this.isStopping;
  }

  get fetching(): Fetching {
    const ms = this.#fetchingSince === undefined ? 0 : performance.now() - this.#fetchingSince;
    return { ms, error: this.#fetchError };
  }

  /** {@link drain} was called. */
  get isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  /** @returns whole jobs, oldest first, with at least this many associations if there are as many, and all of high priority */
  take(associations: number): FetchedJob[] {
    const jobs = this.#unreadHigh;
    if (jobs.length > 0) this.#unreadHigh = [];
    let left = associations;
    let count = 0;
    for (const job of this.#unread) {
      if (left <= 0) break;
      left -= job.associations;
      count += 1;
    }
    const oldest = this.#unread.splice(0, count);
    return jobs.length > 0 ? jobs.concat(oldest) : oldest;
  }

  /**
   * Fetches jobs of high priority, as many as a call takes, for the next {@link take}. Resolves when they have arrived, or
   * after a second; later jobs cause a notification.
   * @throws Error if Redis refuses
   */
  async fetchHigh(): Promise<void> {
    const { source, flow, work } = this.parts;
    flow.foundHigh(0);
    const room = flow.roomForHigh;
    if (!room || !this.isRunning) return;
    const fetching = source.take(room, true).then(({ jobs }) => {
      this.#hold(jobs);
      this.#unreadHigh.push(...jobs);
      if (jobs.length > 0) work.notify();
    });
    this.#fetchingHigh.add(fetching);
    const forget = () => this.#fetchingHigh.delete(fetching);
    fetching.then(forget, forget);
    if (await settlesWithin(fetching, FETCH_HIGH_MS)) await fetching;
  }

  /** Forgets a job that is settled and moved, or given up. */
  readonly ended = (job: FetchedJob): void => {
    this.#held.delete(job);
    this.parts.flow.ended(job);
    this.lookForRoom();
    if (this.#held.size === 0) this.#onEmpty();
  };

  /** Notifies that there may be more room in memory. */
  lookForRoom(): void {
    if (this.parts.flow.mayFetch) this.parts.room.notify();
  }

  /** Delays jobs of cancelled requests that are not taken yet. @param isMeant by the id of the job */
  giveBack(isMeant: (jobId: string) => boolean, delayMs: number): void {
    const meant = (job: FetchedJob) => isMeant(job.id);
    const given = [...this.#unreadHigh.filter(meant), ...this.#unread.filter(meant)];
    if (given.length === 0) return;
    const kept = (job: FetchedJob) => !meant(job);
    this.#unreadHigh = this.#unreadHigh.filter(kept);
    this.#unread = this.#unread.filter(kept);
    void this.#leaveTo(given, job => this.parts.source.delay(job, delayMs));
  }

  /** Stops fetching. Resolves when every fetched job is settled or given back. */
  async drain(): Promise<void> {
    const [fetching, renewing] = this.#loops;
    this.#stop.abort();
    this.parts.room.notify();
    await this.parts.source.stopFetching();
    await Promise.all([fetching, Promise.allSettled(this.#fetchingHigh)]);
    await this.#putBackUnread();
    if (this.#held.size > 0)
      await new Promise<void>(resolve => {
        this.#onEmpty = resolve;
      });
    this.#renewing.abort();
    await renewing;
    await this.parts.source.close();
  }

  async #fetch(): Promise<void> {
    const { flow, room, work, logger } = this.parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (flow.mayFetch) await this.#round();
        else {
          this.#fetchingSince = undefined;
          if (flow.isStandby) this.#fetchError = undefined; // nothing shows whether it still applies
          work.notify(); // partial batches need not wait any longer
          await room.wait();
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#fetchError = withoutAddresses(redisReason(error) || messageOf(error));
        logger.warn(
          { event: 'redis', error: messageOf(error) },
          'the worker could not fetch jobs; it tries again in a second',
        );
        await sleep(ASK_AGAIN_MS, signal);
      }
    }
  }

  /** Fetches one job by BullMQ's own command, then as many as there is room for. */
  async #round(): Promise<void> {
    const { source, flow, work } = this.parts;
    const { signal } = this.#stop;
    const since = performance.now();
    this.#fetchingSince ??= since;
    const first = await source.next(!this.#wasHeld);
    this.#fetchingSince = undefined;
    this.#fetchError = undefined;
    this.#wasHeld = false;
    if (!first) {
      this.#runsDry();
      return signal.aborted ? undefined : this.#untilAllowed(performance.now() - since < SOON_MS);
    }
    this.#soonNos = 0;
    flow.foundMore(true);
    let run = { jobs: [first], more: true };
    while (run.jobs.length > 0) {
      this.#hold(run.jobs);
      // Redis finds the next jobs while these are read
      const isLong = performance.now() - since > LONGEST_ROUND_MS;
      const goesOn = run.more && flow.mayFetch && !signal.aborted && !isLong;
      const next = goesOn ? source.take(flow.room) : { jobs: [], more: run.more };
      for (const job of run.jobs) this.#unread.push(job);
      work.notify();
      run = await next;
    }
    if (!run.more) this.#runsDry();
  }

  /** Waits after a fetch without jobs if the queue is held. If the queue is empty, BullMQ waits at the next fetch. */
  async #untilAllowed(soon: boolean): Promise<void> {
    const { signal } = this.#stop;
    const heldMs = await this.parts.source.heldMs();
    this.#soonNos = soon ? this.#soonNos + 1 : 0;
    this.#wasHeld = heldMs > 0;
    if (heldMs > 0) await sleep(Math.min(heldMs, LONGEST_HOLD_MS), signal);
    else if (this.#soonNos > SOON_NOS) await sleep(ASK_AGAIN_MS, signal);
  }

  #runsDry(): void {
    this.parts.flow.foundMore(false);
    this.parts.work.notify();
  }

  #hold(jobs: readonly FetchedJob[]): void {
    for (const job of jobs) {
      this.#held.add(job);
      this.parts.flow.fetched(job);
    }
  }

  /** Puts unread jobs back for other workers, because the process ends. */
  async #putBackUnread(): Promise<void> {
    const unread = [...this.#unreadHigh, ...this.#unread].reverse(); // each job is put at the head of the queue
    this.#unread = [];
    this.#unreadHigh = [];
    await this.#leaveTo(unread, job => this.parts.source.putBack(job));
  }

  /** Moves unread jobs back into the queue. Never rejects. */
  async #leaveTo(jobs: readonly FetchedJob[], move: (job: FetchedJob) => Promise<void>): Promise<void> {
    const { logger } = this.parts;
    await Promise.all(
      jobs.map(async job => {
        await move(job).catch(error =>
          logger.warn({ event: 'given up', jobId: job.id, error: messageOf(error) }, GIVEN_UP),
        );
        this.ended(job);
      }),
    );
  }

  async #renewLocks(): Promise<void> {
    const { source, lockMs, logger } = this.parts;
    const { signal } = this.#renewing;
    while (!signal.aborted) {
      await sleep(lockMs / RENEWALS, signal);
      if (signal.aborted || this.#held.size === 0) continue;
      try {
        const held = [...this.#held];
        const lost = new Set(await source.renewLocks(held));
        // jobs that ended meanwhile have no lock and need none; some of them are being reported at this moment
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
