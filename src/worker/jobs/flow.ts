/**
 * Flow control of a replica: how much it fetches, how much it opens, how long a partial batch waits, how many batches
 * are sealed ahead, when its memory stretches and when it shrinks. Pure: the stages tell it what happened, and it answers
 * what may happen next. It has no clock, no Redis and no logger.
 *
 *  - Memory is bounded in associations, whatever the sizes of the jobs, and in jobs.
 *  - With nothing in memory there is room for a job of any size: the worker always goes on.
 *  - Jobs of high priority are fetched when memory is full, too, up to the bound once more: they have a bound of their own,
 *    so that nothing else in memory keeps them out.
 *  - Suspects (docs/decisions/0018) go slowly: up to the bound once more they do not count, or nobody else is fetched.
 *  - Where many object pairs alternate, memory is full before any call is. It stretches then, because a call costs the
 *    same quota however few associations it carries, and each full call shrinks it again (docs/decisions/0014).
 *  - While Redis has more, a partial batch waits longer for company (docs/decisions/0003).
 */
import type { TakeLimits } from '../../bullmq/fetched-job.js';
import type { Trigger } from '../batches/batch.js';
import type { Line } from '../batches/submission.js';

/** What a job counts in memory. */
type Weight = { readonly associations: number; readonly high: boolean };

export type FlowLimits = {
  /** batches in memory, those in flight among them */
  readonly batches: number;
  /** associations in memory */
  readonly associations: number;
  /** jobs in memory, whatever their size */
  readonly jobs: number;
  /** most inputs of one call */
  readonly maxInputs: number;
  /** how long a partial batch waits where nothing more is to be fetched */
  readonly lingerMs: number;
};

/**
 * Batches in memory beyond those in flight: two that are sealed ahead, and four whose jobs are on their way from Redis.
 * With two in all, a slot waited for jobs a twentieth of the time.
 */
const PREFETCHED_BATCHES = 6;
/** Jobs in memory for each input of a call. */
const JOBS_PER_INPUT = 12;
const LEAST_JOBS = 1_000;

export const flowLimits = (settings: {
  readonly batchMaxInputs: number;
  readonly batchLingerMs: number;
  readonly maxConcurrentCalls: number;
}): FlowLimits => {
  const batches = settings.maxConcurrentCalls + PREFETCHED_BATCHES;
  return {
    batches,
    associations: batches * settings.batchMaxInputs,
    jobs: Math.max(JOBS_PER_INPUT * settings.batchMaxInputs, LEAST_JOBS),
    maxInputs: settings.batchMaxInputs,
    lingerMs: settings.batchLingerMs,
  };
};

/** As most ids are written, a pair with 9 digits on each side: `["100000001","500000001"],` */
const BYTES_PER_ASSOCIATION = 26;
/** The same with room for longer ids: what is fetched of high priority for one call. */
const BYTES_PER_HIGH_ASSOCIATION = 32;
/** Memory stretches to so many times its bound. */
const FARTHEST_REACH = 16;
/** After so many full calls about, the bound is what it was. */
const NARROWING = 0.98;
/** Less room than this part of the bounds is not worth a trip to Redis. */
const LEAST_ROOM = 1 / 8;
/** Of a batch. Jobs are opened late: as text they take a quarter of the memory. */
const OPENED_AT_ONCE = 1 / 2;
/**
 * While Redis has more, a partial batch waits so many lingers: jobs of one association arrive at some thousand a second,
 * and 250 ms of them do not fill a call. Bounded, so that others do not starve a rare object pair.
 */
const BACKLOG_PATIENCE = 8;
/** Full batches that may be sealed beyond the calls in flight. */
const SEALED_AHEAD = 2;

export class Flow {
  #jobs = 0;
  #associations = 0;
  /** of them, those of high priority */
  #high = 0;
  #hasMore = false;
  #highWaiting = 0;
  /** how many times the bound may be in memory */
  #reach = 1;

  /** @param suspectsIn who has suspects in memory: those that wait for a batch, and those that are searched */
  constructor(
    readonly limits: FlowLimits,
    private readonly suspectsIn: readonly { readonly suspects: number }[] = [],
  ) {}

  /** Jobs in memory: fetched, and not ended. */
  get jobs(): number {
    return this.#jobs;
  }

  /** Their associations. */
  get associations(): number {
    return this.#associations;
  }

  fetched({ associations, high }: Weight): void {
    this.#jobs += 1;
    this.#associations += associations;
    if (high) this.#high += associations;
  }

  ended({ associations, high }: Weight): void {
    this.#jobs -= 1;
    this.#associations -= associations;
    if (high) this.#high -= associations;
  }

  /** Redis had another job when the intake last asked, or it had none. */
  foundMore(hasMore: boolean): void {
    this.#hasMore = hasMore;
  }

  /** So many jobs of high priority wait in Redis, as the last permit says; 0: the intake fetches them. */
  foundHigh(jobs: number): void {
    this.#highWaiting = jobs;
  }

  /** A batch was sent. */
  sent(trigger: Trigger): void {
    if (trigger === 'full') this.#reach = Math.max(1, this.#reach * NARROWING);
  }

  // How much is fetched

  /** More is going to be fetched, if there is more. */
  get hasRoom(): boolean {
    const { associations, jobs } = this.limits;
    if (this.#jobs === 0) return true;
    const most = associations * (this.#reach - LEAST_ROOM);
    return this.#unsuspected <= most && this.#jobs <= jobs * (1 - LEAST_ROOM) + this.#suspects;
  }

  /** What still fits. */
  get room(): TakeLimits {
    const associations = Math.max(0, this.limits.associations * this.#reach - this.#unsuspected);
    return {
      jobs: Math.max(1, this.limits.jobs + this.#suspects - this.#jobs),
      bytes: Math.floor(associations * BYTES_PER_ASSOCIATION), // the reach is no whole number, and Redis takes no other
    };
  }

  /** Jobs of high priority wait in Redis, and nobody fetches them yet. */
  get wantsHigh(): boolean {
    return this.#highWaiting > 0;
  }

  /** What is fetched of high priority for one call; undefined: memory takes no more of it either. */
  get roomForHigh(): TakeLimits | undefined {
    const { associations, maxInputs } = this.limits;
    if (this.#high >= associations) return undefined;
    return { jobs: maxInputs, bytes: maxInputs * BYTES_PER_HIGH_ASSOCIATION };
  }

  /** So many more suspects may wait for a batch. A single job of them may always. */
  hasRoomForSuspects(waiting: number, more: number): boolean {
    return waiting === 0 || waiting + more <= this.limits.associations;
  }

  /**
   * Everything in memory has been opened, and no lane is full.
   * @returns whether memory is stretched by it: there is more room now
   */
  stretch(): boolean {
    if (!this.#hasMore || this.hasRoom || this.#reach >= FARTHEST_REACH) return false;
    this.#reach = Math.min(FARTHEST_REACH, this.#reach * 2);
    return true;
  }

  // How much is opened, waited for, sealed

  /** So many associations are opened now, in whole jobs. @param isFull a lane is full: what is read later dies younger */
  toOpen(isFull: boolean): number {
    return isFull ? 0 : Math.ceil(this.limits.maxInputs * OPENED_AT_ONCE);
  }

  /** How long the first of a lane waits for company. @param high it is of high priority, and waits for no backlog */
  lingerMs(high: boolean): number {
    const isBacklog = this.#hasMore && this.hasRoom;
    return this.limits.lingerMs * (isBacklog && !high ? BACKLOG_PATIENCE : 1);
  }

  get #suspects(): number {
    let suspects = 0;
    for (const one of this.suspectsIn) suspects += one.suspects;
    return Math.min(suspects, this.limits.associations);
  }

  get #unsuspected(): number {
    return Math.max(0, this.#associations - this.#suspects);
  }
}

/**
 * How many batches are sealed beyond the calls in flight. Permits that are scarce are asked for with a slot in hand, so
 * that none waits longer than it must. Where they are plenty, the worker asks for them while all slots are taken, and two
 * full batches are ready for the next slots: those were idle for a sixth of the time otherwise. (The caller makes no more
 * calls at once than it may.)
 */
export const sealedAhead = (next: { line: Line; isFull: boolean; isScarce: boolean }): number =>
  next.line === 'first' && next.isFull && !next.isScarce ? SEALED_AHEAD : 0;
