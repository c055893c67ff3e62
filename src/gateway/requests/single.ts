/**
 * Enqueues requests of one job that do not share it. Requests of the same turn of the event loop share a pipeline.
 * If Redis refuses a part of the pipeline (because it is becoming full), each request checks whether its job exists.
 */
import type { BulkJobOptions, Queue } from 'bullmq';
import { producerJobOptions } from '../../bullmq/layout.js';
import type { JobData } from '../../shared/contract/association.js';
import { messageOf } from '../../shared/contract/errors.js';
import { JOB_NAME, type Priority } from '../../shared/contract/keys.js';
import type { Tracing } from '../../shared/runtime/tracing.js';

type SingleJob = { name: string; data: JobData; opts: BulkJobOptions & { jobId: string } };
type Waiting = { readonly job: SingleJob; resolve(): void; reject(error: unknown): void };

/** Most jobs of a pipeline, because the first ones wait for the last. */
const JOBS_PER_BULK = 100;

export class SingleJobs {
  #waiting: Waiting[] = [];

  /** @param isThere asks Redis whether a job with this id exists */
  constructor(
    private readonly queue: Queue,
    private readonly isThere: (jobId: string) => Promise<boolean>,
    private readonly tracing?: Tracing,
  ) {}

  /** Resolves when Redis has the job. */
  add(jobId: string, data: JobData, priority: Priority): Promise<void> {
    const opts = { jobId, ...producerJobOptions(priority) };
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        job: { name: JOB_NAME, data, opts: { ...opts, ...this.#trace() } },
        resolve,
        reject,
      });
      if (this.#waiting.length === 1) setImmediate(() => this.#flush());
    });
  }

  /** Each job gets the trace of its request, because the shared pipeline runs in the trace of the first. */
  #trace(): Pick<BulkJobOptions, 'telemetry'> {
    const contexts = this.tracing?.telemetry.contextManager;
    return contexts ? { telemetry: { metadata: contexts.getMetadata(contexts.active()) } } : {};
  }

  #flush(): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < all.length; at += JOBS_PER_BULK) void this.#send(all.slice(at, at + JOBS_PER_BULK));
  }

  async #send(some: readonly Waiting[]): Promise<void> {
    try {
      const [first, ...others] = some;
      // for one job a pipeline of ioredis would cost as much as the job itself
      if (first && others.length === 0) await this.queue.add(first.job.name, first.job.data, first.job.opts);
      else await this.queue.addBulk(some.map(({ job }) => job));
      for (const { resolve } of some) resolve();
    } catch (error) {
      for (const { job, resolve, reject } of some)
        this.isThere(job.opts.jobId).then(
          there => (there ? resolve() : reject(error)),
          // this is not a refusal of the job: it is unknown whether the job exists
          () => reject(new Error(messageOf(error))),
        );
    }
  }
}
