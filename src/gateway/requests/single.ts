/**
 * Requests of one job each that share it with nobody: those of one turn of the event loop share a pipeline.
 * Where Redis refuses some of it (it is just becoming full), each finds out for itself whether its job is there.
 */
import type { BulkJobOptions, Queue } from 'bullmq';
import { producerJobOptions } from '../../bullmq/layout.js';
import type { JobData } from '../../shared/contract/association.js';
import { messageOf } from '../../shared/contract/errors.js';
import { JOB_NAME, type Priority } from '../../shared/contract/keys.js';
import type { Tracing } from '../../shared/runtime/tracing.js';

type SingleJob = { name: string; data: JobData; opts: BulkJobOptions & { jobId: string } };
type Waiting = { readonly job: SingleJob; resolve(): void; reject(error: unknown): void };

/** More in one pipeline would keep the first ones waiting. */
const JOBS_PER_BULK = 100;

export class SingleJobs {
  #waiting: Waiting[] = [];

  /** @param isThere asks Redis whether it has a job with this id */
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

  /** Each request's own: the pipeline that they share runs in the trace of the first. */
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
      // a pipeline of ioredis costs as much as the job itself
      if (first && others.length === 0) await this.queue.add(first.job.name, first.job.data, first.job.opts);
      else await this.queue.addBulk(some.map(({ job }) => job));
      for (const { resolve } of some) resolve();
    } catch (error) {
      for (const { job, resolve, reject } of some)
        this.isThere(job.opts.jobId).then(
          there => (there ? resolve() : reject(error)),
          // not the refusal of the job itself: whether it is there, nobody knows
          (cause: unknown) => reject(new Error(messageOf(cause))),
        );
    }
  }
}
