/**
 * Processor: opens jobs. A job's text is read, and its pairs become submissions, each of which carries its own end
 * (job-end.ts). What cannot be worked on ends at once. It never waits and never throws.
 */
import type { FetchedJob } from '../../bullmq/job-queue.js';
import { parseJobData } from '../../shared/contract/association.js';
import { PlainJobReader } from '../../shared/contract/job-text.js';
import { readJson } from '../../shared/contract/json.js';
import type { Submission } from '../batches/batch.js';
import { NumberPairs } from '../batches/pair-set.js';
import type { JobSpan } from '../report/tracing.js';
import { JobEnd, type JobEndParts } from './job-end.js';
import { JobWork, type ReadJob, submissionsOf } from './job-work.js';
import { readProgress, ridesOf } from './progress.js';
import { reopen } from './settlement.js';

export type ProcessorParts = JobEndParts & {
  /** the job's span, from here to its end; left out where traces are off */
  readonly beginSpan?: ((job: FetchedJob) => JobSpan) | undefined;
};

const MAX_FAULTS_SHOWN = 20;

export class Processor {
  readonly #reader = new PlainJobReader();
  readonly #end: JobEnd;

  constructor(private readonly parts: ProcessorParts) {
    this.#end = new JobEnd(parts);
  }

  /** What the job wants to be sent; nothing of a job that ends at once, by itself. */
  open(job: FetchedJob): readonly Submission[] {
    const trace = this.parts.beginSpan?.(job);
    try {
      if (!job.mustFail) return this.#open(job, trace);
      this.#end.fail({ job, trace }, job.mustFail);
    } catch (error) {
      this.#end.bringBack({ job, trace }, error);
    }
    return [];
  }

  #open(job: FetchedJob, trace: JobSpan | undefined): readonly Submission[] {
    const plain = this.#reader.read(job.text);
    if (plain)
      return [new JobWork(job, { head: plain.head, pairs: new NumberPairs(plain.ids) }, this.#end, trace)];
    const checked = parseJobData(readJson(job.text));
    if (!checked.ok) {
      this.#end.fail({ job, trace }, invalidReason(checked.faults));
      return [];
    }
    const { data } = checked;
    const read: ReadJob = { head: data, pairs: data.pairs, data };
    const again = reopen(data);
    if (again) {
      this.#end.settleAs(new JobWork(job, read, this.#end, trace), again);
      return [];
    }
    const [ride, ...others] = ridesOf(readProgress(data));
    if (!ride) {
      this.#end.settle(new JobWork(job, read, this.#end, trace), []);
      return [];
    }
    if (others.length > 0) return submissionsOf(new JobWork(job, read, this.#end, trace), [ride, ...others]);
    return [new JobWork(job, read, this.#end, trace, ride.suspicion, ride.failedBefore)];
  }
}

function invalidReason(faults: readonly string[]): string {
  const more = faults.length > MAX_FAULTS_SHOWN ? `; and ${faults.length - MAX_FAULTS_SHOWN} more` : '';
  return `invalid job data: ${faults.slice(0, MAX_FAULTS_SHOWN).join('; ')}${more}`;
}
