/**
 * A job at work: one object that is the job's submission, its entry in the ledger and its end. So nearly all jobs wait for
 * their outcomes and for Redis without a promise. For jobs of one association the cost of a job is the garbage that it
 * leaves to the collector.
 */
import type { FetchedJob } from '../../bullmq/fetched-job.js';
import type { AssociationType, JobData, Rejected } from '../../shared/contract/association.js';
import type { JobHead, JobHistory, ReadJob } from '../../shared/contract/job-text.js';
import type { Pairs } from '../../shared/contract/pairs.js';
import type { Outcome } from '../batches/outcome.js';
import type { Submission } from '../batches/submission.js';
import type { Finish, LedgerEntry } from './ledger.js';
import type { Ride } from './progress.js';
import type { Settlement } from './settlement.js';

/** The span of a job in a trace, from reading to its end. */
export type JobSpan = {
  /** OpenTelemetry's span */
  readonly span: unknown;
  /** runs work within the span */
  run<T>(work: () => T): T;
  failed(error: unknown): void;
  end(): void;
};

/** The callbacks that end the job (job-end.ts). */
export type Ending = {
  settle(work: JobWork, outcomes: readonly Outcome[]): void;
  onSettled(work: JobWork, ours: boolean | Error): void;
};

export class JobWork implements ReadJob, Submission, LedgerEntry {
  readonly head: JobHead;
  readonly pairs: Pairs;
  readonly history: JobHistory;
  batches = '';
  /** set before the job is settled */
  settlement: Settlement | undefined;

  constructor(
    readonly job: FetchedJob,
    read: ReadJob,
    private readonly end: Ending,
    readonly trace: JobSpan | undefined,
    readonly suspicion = 0,
    readonly failedBefore = false,
  ) {
    this.head = read.head;
    this.pairs = read.pairs;
    this.history = read.history;
  }

  // the submission

  get fromObjectType(): string {
    return this.head.fromObjectType;
  }
  get toObjectType(): string {
    return this.head.toObjectType;
  }
  get types(): readonly AssociationType[] {
    return this.head.types;
  }
  get high(): boolean {
    return this.job.high;
  }
  get span(): unknown {
    return this.trace?.span;
  }
  onSealed(batchId: string): void {
    this.batches = withBatch(this.batches, batchId);
  }
  onOutcomes(outcomes: readonly Outcome[]): void {
    this.end.settle(this, outcomes);
  }

  // the ledger entry

  get jobId(): string {
    return this.job.id;
  }
  get token(): string {
    return this.job.token;
  }
  get requestId(): string | undefined {
    return this.head.requestId;
  }
  get rejectedBefore(): readonly Rejected[] | undefined {
    return this.history.rejected;
  }
  get created(): number {
    return this.settlement?.created ?? 0;
  }
  get rejected(): number {
    return this.settlement?.rejected ?? 0;
  }
  get retried(): number {
    return this.settlement?.retried ?? 0;
  }
  get data(): JobData | undefined {
    return this.settlement?.data;
  }
  get isSimple(): boolean {
    const { job, settlement } = this;
    if (!settlement || !job.standsAlone || !job.isFirstAttempt) return false;
    const { next, created, data } = settlement;
    return created > 0 && !data && next.kind === 'complete' && next.created === created;
  }
  /** The job ends with its settlement; otherwise it goes on, or BullMQ must end it because it concerns other jobs. */
  get endsSettled(): boolean {
    const kind = this.settlement?.next.kind;
    return this.job.standsAlone && (kind === 'complete' || kind === 'fail');
  }
  get finish(): Finish | undefined {
    const next = this.settlement?.next;
    if (!next || !this.endsSettled) return undefined;
    if (next.kind === 'complete') return { state: 'completed', returnValue: { created: next.created } };
    return next.kind === 'fail' ? { state: 'failed', reason: next.reason } : undefined;
  }
  onSettled(ours: boolean | Error): void {
    this.end.onSettled(this, ours);
  }
}

/**
 * @returns the submissions of a job whose pairs have different suspicion, or of which only some are first-timers. They are
 * sent in different batches; the job is settled when all submissions have their outcomes.
 */
export function submissionsOf(work: JobWork, rides: readonly Ride[]): Submission[] {
  const all = new Array<Outcome>(work.pairs.length);
  let open = rides.length;
  const { fromObjectType, toObjectType, types, high, requestId, span } = work;
  const about = { fromObjectType, toObjectType, types, high, requestId, span };
  return rides.map(({ suspicion, failedBefore, places }) => ({
    ...{ ...about, suspicion, failedBefore },
    pairs: work.pairs.pick(places),
    onSealed: id => work.onSealed(id),
    onOutcomes(outcomes) {
      for (const [at, place] of places.entries()) all[place] = outcomes[at] as Outcome;
      open -= 1;
      if (open === 0) work.onOutcomes(all);
    },
  }));
}

/** Adds the id of a batch to a job's list, separated by spaces, each id once. */
const withBatch = (batches: string, id: string): string =>
  batches === '' ? id : ` ${batches}`.endsWith(` ${id}`) ? batches : `${batches} ${id}`;
