/**
 * Public way: uses only BullMQ's own commands, job by job. It runs with a release of BullMQ whose scripts are unknown.
 * Our script writes a job's settlement in this way as well; then a BullMQ command ends the job.
 */
import { Job } from 'bullmq';
import { JOB_NAME } from '../shared/contract/keys.js';
import type { FetchedJob, Run, TakeLimits } from './fetched-job.js';
import { HIGH_PRIORITY } from './layout.js';
import type { Way, WayParts } from './way.js';

/** Most jobs of a run; more would delay the jobs that are already fetched. */
const JOBS_PER_RUN = 100;

export class PublicWay implements Way {
  /** ids of jobs of high priority that are at the head of the queue and not yet fetched */
  readonly #raised = new Set<string>();
  /** Pending fetch of high priority; no other fetch runs meanwhile, which would take these jobs as normal ones. */
  #fetchingHigh: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: WayParts) {}

  async next(block: boolean): Promise<FetchedJob | undefined> {
    await this.#fetchingHigh;
    return this.#fetch(block);
  }

  async take(limits: TakeLimits, highOnly: boolean): Promise<Run> {
    const most = Math.min(limits.jobs, JOBS_PER_RUN);
    if (!highOnly) return this.#run(most, limits.bytes, () => this.next(false));
    const taken = this.#fetchingHigh.then(() => this.#takeHigh(most, limits.bytes));
    this.#fetchingHigh = taken.catch(() => {}); // the caller gets the error
    return taken;
  }

  /** Fetches one job after the other, because the length of a job's data is known only once it is fetched. */
  async #run(most: number, mostBytes: number, fetch: () => Promise<FetchedJob | undefined>): Promise<Run> {
    const jobs: FetchedJob[] = [];
    let bytes = 0;
    while (jobs.length < most && (jobs.length === 0 || bytes < mostBytes)) {
      const job = await fetch();
      if (!job) return { jobs, more: false };
      jobs.push(job);
      bytes += job.text.length;
    }
    return { jobs, more: true };
  }

  async #takeHigh(most: number, mostBytes: number): Promise<Run> {
    const { length } = await this.#raise(most);
    const run = await this.#run(length, mostBytes, () => this.#fetch(false));
    this.#raised.clear(); // other replicas have the remaining ones
    return run;
  }

  async #fetch(block: boolean): Promise<FetchedJob | undefined> {
    const { fetcher, newToken } = this.parts;
    const job = await fetcher.fetch(newToken(), block);
    if (!job) return undefined;
    const high = this.#raised.delete(job.id);
    // restores the priority before the job may return to the queue; a removed job needs none
    if (high)
      await this.#own(job.id)
        .changePriority({ priority: HIGH_PRIORITY })
        .catch(() => {});
    return { ...job, high: high || job.high, standsAlone: false };
  }

  renewLocks(jobs: readonly FetchedJob[]): Promise<string[]> {
    const { fetcher, lockMs } = this.parts;
    const [ids, tokens] = [jobs.map(({ id }) => id), jobs.map(({ token }) => token)];
    return fetcher.extendJobLocks(ids, tokens, lockMs);
  }

  async hold(ms: number): Promise<void> {
    await this.parts.queue.rateLimit(ms);
  }

  /**
   * BullMQ serves jobs with a priority after all others. To be first, jobs of high priority lose it and go to the head of the
   * queue. @returns their ids
   */
  async #raise(most: number): Promise<string[]> {
    const { queue } = this.parts;
    const { [HIGH_PRIORITY]: waiting = 0 } = await queue.getCountsPerPriority([HIGH_PRIORITY]);
    if (waiting === 0) return [];
    const ids = await queue.getRanges(['prioritized'], 0, Math.min(waiting, most) - 1, true);
    // each job goes in front of the previous one
    for (const id of ids.toReversed()) {
      this.#raised.add(id);
      await this.#own(id).changePriority({ priority: 0, lifo: true });
    }
    return ids;
  }

  /** For commands that only need the id. */
  #own(id: string): Job {
    return new Job(this.parts.queue, JOB_NAME, undefined, {}, id);
  }
}
