/**
 * Processor: opens jobs. It reads a job's text and turns its pairs into submissions, each of which carries its own end
 * (job-end.ts). A job with invalid data ends at once. It never waits and never throws.
 */
import type { FetchedJob } from '../../bullmq/fetched-job.js';
import { JobReader, type ReadJob } from '../../shared/contract/job-text.js';
import type { Submission } from '../batches/submission.js';
import { JobEnd, type JobEndParts } from './job-end.js';
import { type JobSpan, JobWork, submissionsOf } from './job-work.js';
import { readProgress, ridesOf } from './progress.js';
import { reopen } from './settlement.js';

export type ProcessorParts = JobEndParts & {
  /** starts the job's span; absent if traces are off */
  readonly traces?: { job(job: FetchedJob): JobSpan } | undefined;
};

const MAX_FAULTS_SHOWN = 20;

export class Processor {
  readonly #reader = new JobReader();
  readonly #end: JobEnd;

  constructor(private readonly parts: ProcessorParts) {
    this.#end = new JobEnd(parts);
  }

  /** @returns the submissions of a job; none for a job that ends at once */
  open(job: FetchedJob): readonly Submission[] {
    const trace = this.parts.traces?.job(job);
    try {
      if (!job.mustFail) return this.#open(job, trace);
      this.#end.fail({ job, trace }, job.mustFail);
    } catch (error) {
      this.#end.bringBack({ job, trace }, error);
    }
    return [];
  }

  #open(job: FetchedJob, trace: JobSpan | undefined): readonly Submission[] {
    const read = this.#reader.read(job.text);
    if ('faults' in read) {
      this.#end.fail({ job, trace }, invalidReason(read.faults));
      return [];
    }
    // nearly all jobs
    if (read.pairs.length > 0 && !read.history.progress) return [new JobWork(job, read, this.#end, trace)];
    return this.#openUnusual(job, read, trace);
  }

  #openUnusual(job: FetchedJob, read: ReadJob, trace: JobSpan | undefined): readonly Submission[] {
    const work = () => new JobWork(job, read, this.#end, trace);
    const again = reopen(read);
    if (again) {
      this.#end.settleAs(work(), again);
      return [];
    }
    const [ride, ...others] = ridesOf(readProgress(read));
    if (!ride) {
      this.#end.settle(work(), []);
      return [];
    }
    if (others.length > 0) return submissionsOf(work(), [ride, ...others]);
    return [new JobWork(job, read, this.#end, trace, ride.suspicion, ride.failedBefore)];
  }
}

function invalidReason(faults: readonly string[]): string {
  const more = faults.length > MAX_FAULTS_SHOWN ? `; and ${faults.length - MAX_FAULTS_SHOWN} more` : '';
  return `invalid job data: ${faults.slice(0, MAX_FAULTS_SHOWN).join('; ')}${more}`;
}
