/**
 * Intake: the jobs in memory, from their fetching to their end.
 *  1. fetches as many as flow.ts allows, and waits while there is no room, or nothing in Redis;
 *  2. keeps them as text until the dispatcher takes them;
 *  3. renews their locks until they have ended;
 *  4. fetches jobs of high priority when the dispatcher asks for them, whatever is in memory.
 * It opens no job, and it knows nobody who does.
 */
import type { FetchedJob } from '../../bullmq/fetched-job.js';
import { GIVEN_UP, type JobQueue } from '../../bullmq/job-queue.js';
import { messageOf } from '../../shared/contract/errors.js';
import type { Logger } from '../../shared/runtime/logger.js';
import { type Notifier, settlesWithin, sleep } from '../../shared/runtime/wait.js';
import type { Flow } from './flow.js';

/** Where jobs come from, and where those that nobody has opened go back to. */
export type JobSource = Pick<
  JobQueue,
  'start' | 'next' | 'take' | 'heldMs' | 'renewLocks' | 'putBack' | 'stopFetching' | 'close'
>;

export type IntakeParts = {
  readonly source: JobSource;
  readonly flow: Flow;
  /** the intake waits for it: there may be room for more jobs */
  readonly room: Notifier;
  /** the intake notifies: jobs have come, or no more are on their way */
  readonly work: Notifier;
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
  /** those of them that nobody has taken yet, oldest first; and those that were fetched for their high priority */
  #unread: FetchedJob[] = [];
  #unreadHigh: FetchedJob[] = [];
  #onEmpty = () => {};
  #loops: Promise<void>[] = [];
  /** under way: with a slow Redis more than one */
  readonly #fetchingHigh = new Set<Promise<void>>();
  #soonNos = 0;
  /** fetching was held; BullMQ wakes no worker at the end of a hold */
  #wasHeld = false;

  constructor(private readonly parts: IntakeParts) {}

  async start(): Promise<void> {
    await this.parts.source.start();
    if (this.#stop.signal.aborted) return;
    this.#loops = [this.#fetch(), this.#renewLocks()];
  }

  get isRunning(): boolean {
    return this.#loops.length > 0 && !this.isStopping;
  }

  /** {@link drain} was called. */
  get isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Whole jobs, oldest first, of at least so many associations, if there are as many. Those of high priority come too. */
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
   * Fetches what waits in Redis with high priority, as much as a call takes, for the next {@link take}. Resolves when it
   * is there, or after a second: what comes later is notified.
   * @throws Error when Redis refuses
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

  /** The job is settled and moved, or given up. */
  readonly ended = (job: FetchedJob): void => {
    this.#held.delete(job);
    this.parts.flow.ended(job);
    this.lookForRoom();
    if (this.#held.size === 0) this.#onEmpty();
  };

  /** Memory may hold more than before. */
  lookForRoom(): void {
    if (this.parts.flow.hasRoom) this.parts.room.notify();
  }

  /** Stops fetching. @returns when every job that was fetched has been settled or given back */
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
        if (flow.hasRoom) await this.#round();
        else {
          work.notify(); // who waited for company waits no longer
          await room.wait();
        }
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
    const { source, flow, work } = this.parts;
    const { signal } = this.#stop;
    const since = performance.now();
    const first = await source.next(!this.#wasHeld);
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
      // Redis looks for the next ones while these are read
      const isLong = performance.now() - since > LONGEST_ROUND_MS;
      const goesOn = run.more && flow.hasRoom && !signal.aborted && !isLong;
      const next = goesOn ? source.take(flow.room) : { jobs: [], more: run.more };
      for (const job of run.jobs) this.#unread.push(job);
      work.notify();
      run = await next;
    }
    if (!run.more) this.#runsDry();
  }

  /** Nothing came: because nothing is there, for which BullMQ waits the next time, or because of a hold. */
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

  /** The process is about to end: what nobody has begun with is the next worker's. */
  async #putBackUnread(): Promise<void> {
    const { source, logger } = this.parts;
    const unread = [...this.#unreadHigh, ...this.#unread].reverse(); // each is put at the head of the line
    this.#unread = [];
    this.#unreadHigh = [];
    await Promise.all(
      unread.map(async job => {
        await source
          .putBack(job)
          .catch(error =>
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
