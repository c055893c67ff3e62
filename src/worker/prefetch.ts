/**
 * Prefetch: how many jobs the worker may hold, so that memory is bounded in associations, whatever the jobs' sizes. Pure.
 *
 * BullMQ fetches up to `concurrency` jobs one after another before it starts any of them, and one more for each job that
 * ends. It announces each job when it is fetched; the rule is applied there, so a run of large jobs stops at once.
 * Jobs of high priority are let in whatever else is in memory, until that has doubled.
 */
export type PrefetchBounds = {
  /** associations in memory */
  readonly associations: number;
  /** jobs in memory, whatever their size */
  readonly jobs: number;
  /** jobs fetched in one run before the first of them is started: locks are renewed only from the start on */
  readonly run: number;
};

export class Prefetch {
  readonly #sizes = new Map<string, number>();
  readonly #unstarted = new Set<string>();
  #associations = 0;
  #draining = false;
  /** jobs that are let in without room */
  #admitted = 0;
  /** associations that the next job is expected to hold: quick to rise, slow to fall */
  #expected = 500;

  constructor(private readonly bounds: PrefetchBounds) {}

  get jobs(): number {
    return this.#sizes.size;
  }

  get associations(): number {
    return this.#associations;
  }

  /** More is going to be fetched, if there is more. */
  get hasRoom(): boolean {
    return this.#sizes.size === 0 || (this.#room >= 1 && this.#sizes.size < this.bounds.jobs);
  }

  /** Jobs of high priority may still be let in. */
  get hasReserve(): boolean {
    return this.#associations < 2 * this.bounds.associations;
  }

  /** The next so many jobs are fetched without room; 0 takes back what was not used. */
  admit(jobs: number): void {
    this.#admitted = jobs;
  }

  fetched(jobId: string, associations: number): void {
    this.ended(jobId); // fetched again after a lost lock
    this.#admitted = Math.max(0, this.#admitted - 1);
    const size = Math.max(1, associations);
    this.#sizes.set(jobId, size);
    this.#unstarted.add(jobId);
    this.#associations += size;
    this.#expected = Math.max(size, this.#expected * 0.9 + size * 0.1);
    if (this.#unstarted.size >= this.bounds.run) this.#draining = true;
  }

  started(jobId: string): void {
    this.#unstarted.delete(jobId);
    // Not at 0: BullMQ's loop looks at the concurrency when it takes the next unstarted job, and then sleeps until a job
    // ends. Whoever raised it after the last start would raise it for nobody.
    if (this.#unstarted.size < this.bounds.run / 2) this.#draining = false;
  }

  ended(jobId: string): void {
    this.started(jobId);
    this.#associations -= this.#sizes.get(jobId) ?? 0;
    this.#sizes.delete(jobId);
  }

  /** Jobs that may be in memory now; at least one, or nothing would ever move. */
  get concurrency(): number {
    const more = this.#draining ? 0 : Math.max(0, this.#room);
    const withRoom = Math.min(this.#sizes.size + more, this.bounds.jobs);
    return Math.max(1, withRoom, this.#sizes.size + this.#admitted);
  }

  /** Jobs of the expected size that still fit. */
  get #room(): number {
    return Math.floor((this.bounds.associations - this.#associations) / this.#expected);
  }
}
