/**
 * Flow control of a replica: decides how much it fetches and opens, how long a partial batch waits, how many batches are
 * sealed ahead, and when its memory stretches and shrinks. Pure: the stages report what happened, and it answers what may
 * happen next. It has no clock, no Redis and no logger.
 *
 *  - Memory is bounded in associations, whatever the sizes of the jobs, and in jobs.
 *  - An empty memory has room for a job of any size, so that the worker always continues.
 *  - Jobs of high priority are also fetched while memory is full. They have a separate bound of the same size, so that
 *    nothing else in memory keeps them out (docs/decisions/0031).
 *  - Suspects (docs/decisions/0018) go slowly. Up to the same bound again they do not count; otherwise no other jobs would be
 *    fetched.
 *  - If many object pairs alternate, memory is full before any call is. Then memory stretches, because a call costs the same
 *    quota however few associations it carries; each full call shrinks it again (docs/decisions/0014).
 *  - While Redis has more, a partial batch waits longer for others (docs/decisions/0003).
 *  - A replica without a place fetches nothing, and one with a place no more than its share of what the quota can send
 *    (docs/decisions/0058).
 */
import type { TakeLimits } from '../bullmq/fetched-job.js';
import type { Trigger } from './batches/batch.js';
import type { Line } from './batches/submission.js';

/** The weight of a job in memory. */
type Weight = { readonly associations: number; readonly high: boolean };

export type FlowLimits = {
  /** batches in memory, including those in flight */
  readonly batches: number;
  /** associations in memory */
  readonly associations: number;
  /** jobs in memory, whatever their size */
  readonly jobs: number;
  /** most inputs of one call */
  readonly maxInputs: number;
  /** how long a partial batch waits if Redis has nothing more */
  readonly lingerMs: number;
};

/**
 * Batches in memory beyond those in flight: two that are sealed ahead, and four whose jobs are on their way from Redis.
 * With two batches in all, a slot waited for jobs a twentieth of the time.
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

/** Bytes of a usual pair, with 9 digits on each side: `["100000001","500000001"],` */
const BYTES_PER_ASSOCIATION = 26;
/** The same with room for longer ids, for fetching one call of high priority. */
const BYTES_PER_HIGH_ASSOCIATION = 32;
/** Memory stretches at most to this multiple of its bound. */
const FARTHEST_REACH = 16;
/**
 * The replicas together fetch what the quota can send in two windows, or in as much time as two of HubSpot's take: calls in
 * flight outlast shorter ones.
 */
const WINDOWS_AHEAD = 2;
const LEAST_AHEAD_MS = 20_000;
/** Batches beyond the calls in flight that a replica may have in memory, however small its share. */
const LEAST_PREFETCHED = 2;
/** Each full call multiplies the stretched bound by this factor. */
const NARROWING = 0.98;
/** Less room than this share of the bounds is not worth a round trip to Redis. */
const LEAST_ROOM = 1 / 8;
/** Share of a batch that is opened at once. Jobs are opened late, because text takes a quarter of the memory. */
const OPENED_AT_ONCE = 1 / 2;
/**
 * While Redis has more, a partial batch waits this many lingers: jobs of one association arrive at a few thousand a second,
 * and those of 250 ms do not fill a call. Bounded, so that other object pairs do not starve a rare one.
 */
const BACKLOG_PATIENCE = 8;
/** Full batches that may be sealed beyond the calls in flight. */
const SEALED_AHEAD = 2;

/** What the replica may fetch, beside the others (place.ts). */
export type Share = {
  /** false: it stands by */
  readonly fetches: boolean;
  /** number of replicas that fetch */
  readonly working: number;
  /** the quota of all replicas together: calls in a window, and its length */
  readonly limit: number;
  readonly windowMs: number;
};

export class Flow {
  #isStandby = false;
  /** batches in memory, and the farthest that memory stretches */
  #batches: number;
  #farthestReach = FARTHEST_REACH;
  #jobs = 0;
  #associations = 0;
  /** associations of high priority among them */
  #high = 0;
  #hasMore = false;
  #highWaiting = 0;
  /** the multiple of the bound that memory is stretched to */
  #reach = 1;

  /** @param suspectsIn the stages with suspects in memory: waiting ones and searched ones */
  constructor(
    readonly limits: FlowLimits,
    private readonly suspectsIn: readonly { readonly suspects: number }[] = [],
  ) {
    this.#batches = limits.batches;
  }

  /** Reports what the replica may fetch now. What it has in memory it finishes. */
  shared({ fetches, working, limit, windowMs }: Share): void {
    const { batches } = this.limits;
    this.#isStandby = !fetches;
    if (!fetches) this.#hasMore = false; // partial batches wait for nothing more
    const ahead = limit * Math.max(WINDOWS_AHEAD, LEAST_AHEAD_MS / windowMs);
    const inFlight = Math.max(1, batches - PREFETCHED_BATCHES);
    const least = Math.floor(Math.min(inFlight, ahead)) + LEAST_PREFETCHED;
    const share = Math.max(least, Math.floor(ahead / Math.max(1, working)));
    this.#batches = Math.min(batches, share);
    this.#farthestReach = Math.max(1, Math.min(FARTHEST_REACH, share / this.#batches));
    this.#reach = Math.min(this.#reach, this.#farthestReach);
  }

  /** The replica fetches no jobs, because others do. */
  get isStandby(): boolean {
    return this.#isStandby;
  }

  /** Memory is stretched: no call was full of it. */
  get isStretched(): boolean {
    return this.#reach > 1;
  }

  /** Number of jobs in memory: fetched and not ended. */
  get jobs(): number {
    return this.#jobs;
  }

  /** Number of their associations. */
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

  /** Reports whether Redis had another job when the intake last asked. */
  foundMore(hasMore: boolean): void {
    this.#hasMore = hasMore;
  }

  /** Reports how many jobs of high priority wait in Redis according to the last permit; 0: the intake fetches them. */
  foundHigh(jobs: number): void {
    this.#highWaiting = jobs;
  }

  /** Reports that a batch was sent. */
  sent(trigger: Trigger): void {
    if (trigger === 'full') this.#reach = Math.max(1, this.#reach * NARROWING);
  }

  // How much is fetched

  /** True if the intake may fetch more. */
  get mayFetch(): boolean {
    return !this.#isStandby && this.hasRoom;
  }

  /** True if memory has room for more. */
  get hasRoom(): boolean {
    const { associations, jobs } = this.#bound;
    if (this.#jobs === 0) return true;
    const suspects = this.#suspects;
    const most = associations * (this.#reach - LEAST_ROOM);
    return this.#associations - suspects <= most && this.#jobs <= jobs * (1 - LEAST_ROOM) + suspects;
  }

  /** The room that is left. */
  get room(): TakeLimits {
    const bound = this.#bound;
    const associations = Math.max(0, bound.associations * this.#reach - this.#unsuspected);
    return {
      jobs: Math.max(1, bound.jobs + this.#suspects - this.#jobs),
      bytes: Math.floor(associations * BYTES_PER_ASSOCIATION), // the reach is fractional, and Redis accepts only integers
    };
  }

  /** True if jobs of high priority wait in Redis and are not being fetched. */
  get wantsHigh(): boolean {
    return this.#highWaiting > 0;
  }

  /** The amount of high priority to fetch for one call; undefined if its bound is reached as well. */
  get roomForHigh(): TakeLimits | undefined {
    const { associations, maxInputs } = this.limits;
    if (this.#high >= associations) return undefined;
    return { jobs: maxInputs, bytes: maxInputs * BYTES_PER_HIGH_ASSOCIATION };
  }

  /** @returns true if `more` further suspects may wait for a batch. A single job of suspects always may. */
  hasRoomForSuspects(waiting: number, more: number): boolean {
    return waiting === 0 || waiting + more <= this.limits.associations;
  }

  /**
   * Reports that everything in memory has been opened and no lane is full.
   * @returns true if memory was stretched, so that there is more room now
   */
  stretch(): boolean {
    if (!this.#hasMore || this.hasRoom || this.#reach >= this.#farthestReach) return false;
    this.#reach = Math.min(this.#farthestReach, this.#reach * 2);
    return true;
  }

  // How much is opened, waited for, sealed

  /** @returns how many associations to open now, in whole jobs. @param isFull a lane is full, so that opening can wait */
  toOpen(isFull: boolean): number {
    return isFull ? 0 : Math.ceil(this.limits.maxInputs * OPENED_AT_ONCE);
  }

  /** @returns how long the first pair of a lane waits for others. @param high it has high priority and does not wait for a backlog */
  lingerMs(high: boolean): number {
    const isBacklog = this.#hasMore && this.hasRoom;
    return this.limits.lingerMs * (isBacklog && !high ? BACKLOG_PATIENCE : 1);
  }

  /** The bounds of memory before it stretches: this replica's share of them. */
  get #bound(): { associations: number; jobs: number } {
    const { batches, associations, jobs } = this.limits;
    if (this.#batches === batches) return this.limits;
    const share = this.#batches / batches;
    return {
      associations: Math.floor(associations * share),
      jobs: Math.max(Math.floor(jobs * share), LEAST_JOBS),
    };
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
 * @returns how many batches are sealed beyond the calls in flight. While permits are scarce, the worker requests one only with
 * a slot in hand, so that no permit waits longer than necessary. While they are plentiful, it requests them while all slots
 * are taken, and two full batches are ready for the next slots; otherwise slots were idle for a sixth of the time. (The
 * caller makes no more calls at once than allowed.)
 */
export const sealedAhead = (next: { line: Line; isFull: boolean; isScarce: boolean }): number =>
  next.line === 'first' && next.isFull && !next.isScarce ? SEALED_AHEAD : 0;
