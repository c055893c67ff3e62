/**
 * Prefetch: how much the worker may hold, so that memory is bounded in associations, whatever the jobs' sizes. Pure.
 * Jobs of high priority are let in whatever else is in memory, until that has doubled.
 */
import type { TakeLimits } from './job-queue.js';

export type PrefetchBounds = {
  /** associations in memory */
  readonly associations: number;
  /** jobs in memory, whatever their size */
  readonly jobs: number;
};

/** As most ids are written, a pair with 9 digits on each side: `["100000001","500000001"],` */
const BYTES_PER_ASSOCIATION = 26;
/** Less room than this part of the bounds is not worth a trip to Redis. */
const LEAST_ROOM = 1 / 8;

export class Prefetch {
  #jobs = 0;
  #associations = 0;

  constructor(private readonly bounds: PrefetchBounds) {}

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
    return this.#associations <= associations * (1 - LEAST_ROOM) && this.#jobs <= jobs * (1 - LEAST_ROOM);
  }

  /** What still fits. */
  get room(): TakeLimits {
    const associations = Math.max(0, this.bounds.associations - this.#associations);
    return { jobs: Math.max(1, this.bounds.jobs - this.#jobs), bytes: associations * BYTES_PER_ASSOCIATION };
  }

  /** Jobs of high priority may still be let in. */
  get hasReserve(): boolean {
    return this.#associations < 2 * this.bounds.associations;
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
