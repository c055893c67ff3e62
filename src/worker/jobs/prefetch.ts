/**
 * Prefetch: how much the worker may hold, so that memory is bounded in associations, whatever the jobs' sizes. Pure.
 * Jobs of high priority are let in when memory is full, too, up to once more the bound.
 *
 * Where many object pairs alternate, memory may be full before any call is: it may hold more then, for a while, because
 * a call costs the same quota however few it carries.
 *
 * Suspects (searches.ts) go slowly: up to the bound once more, they do not count, or nobody else would be fetched.
 */
import type { TakeLimits } from '../../bullmq/job-queue.js';

export type PrefetchBounds = {
  /** associations in memory */
  readonly associations: number;
  /** jobs in memory, whatever their size */
  readonly jobs: number;
};

/** As most ids are written, a pair with 9 digits on each side: `["100000001","500000001"],` */
const BYTES_PER_ASSOCIATION = 26;
/** So many times the bound, where no call becomes full otherwise. */
const FARTHEST_REACH = 16;
/** After so many full calls about, the bound is what it was. */
const NARROWING = 0.98;
/** Less room than this part of the bounds is not worth a trip to Redis. */
const LEAST_ROOM = 1 / 8;

export class Prefetch {
  #jobs = 0;
  #associations = 0;
  /** how many times the bound may be in memory */
  #reach = 1;

  /** @param suspects associations of batches that are searched, and of those that wait to be tried again apart */
  constructor(
    private readonly bounds: PrefetchBounds,
    private readonly suspects: () => number = () => 0,
  ) {}

  get jobs(): number {
    return this.#jobs;
  }

  get associations(): number {
    return this.#associations;
  }

  /** More is going to be fetched, if there is more. With nothing in memory there is room for a job of any size. */
  get hasRoom(): boolean {
    const { associations, jobs } = this.bounds;
    if (this.#jobs === 0) return true;
    const most = associations * (this.#reach - LEAST_ROOM);
    return this.#unsuspected <= most && this.#jobs <= jobs * (1 - LEAST_ROOM) + this.#suspects;
  }

  /** What still fits. */
  get room(): TakeLimits {
    const associations = Math.max(0, this.bounds.associations * this.#reach - this.#unsuspected);
    return {
      jobs: Math.max(1, this.bounds.jobs + this.#suspects - this.#jobs),
      bytes: Math.floor(associations * BYTES_PER_ASSOCIATION), // the reach is no whole number, and Redis takes no other
    };
  }

  /** Jobs of high priority may still be let in. */
  get hasReserve(): boolean {
    return this.#unsuspected < this.bounds.associations * (this.#reach + 1);
  }

  get #suspects(): number {
    return Math.min(this.suspects(), this.bounds.associations);
  }

  get #unsuspected(): number {
    return Math.max(0, this.#associations - this.#suspects);
  }

  /** Memory is full, there is more in Redis, and no call is full. @returns whether there is more room now */
  widen(): boolean {
    if (this.#reach >= FARTHEST_REACH) return false;
    this.#reach = Math.min(FARTHEST_REACH, this.#reach * 2);
    return true;
  }

  /** A call was full. */
  narrow(): void {
    this.#reach = Math.max(1, this.#reach * NARROWING);
  }

  fetched(associations: number): void {
    this.#jobs += 1;
    this.#associations += associations;
  }

  ended(associations: number): void {
    this.#jobs -= 1;
    this.#associations -= associations;
  }
}
