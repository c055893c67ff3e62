/**
 * A plain job at work: what it asks for, and what becomes of it. Nearly all jobs are such, and where each holds one
 * association, what a job leaves to the garbage collector is what it costs: so it is one object, which waits for its
 * outcomes and for Redis without a promise.
 */

import type { FetchedJob } from '../../bullmq/job-queue.js';
import type { AssociationType } from '../../shared/contract/association.js';
import type { JobHead, PlainJob } from '../../shared/contract/job-text.js';
import type { Submission, Submitter } from '../batches/batch.js';
import type { Outcome } from '../batches/outcome.js';
import { NumberPairs, type Pairs } from '../batches/pair-set.js';
import type { CreatedEntry } from './ledger.js';

export type PlainWorkOwner = {
  onOutcomes(work: PlainWork, outcomes: readonly Outcome[]): void;
  onSettled(work: PlainWork, ours: boolean | Error): void;
};

export class PlainWork implements Submission, Submitter, CreatedEntry {
  readonly head: JobHead;
  readonly pairs: Pairs;
  batches = '';

  constructor(
    readonly job: FetchedJob,
    plain: PlainJob,
    private readonly owner: PlainWorkOwner,
    readonly onEnd: (job: FetchedJob) => void,
  ) {
    this.head = plain.head;
    this.pairs = new NumberPairs(plain.ids);
  }

  get fromObjectType(): string {
    return this.head.fromObjectType;
  }
  get toObjectType(): string {
    return this.head.toObjectType;
  }
  get types(): readonly AssociationType[] {
    return this.head.types;
  }
  get suspicion(): number {
    return 0;
  }
  get high(): boolean {
    return this.job.high;
  }
  onSealed(batchId: string): void {
    this.batches = withBatch(this.batches, batchId);
  }
  onOutcomes(outcomes: readonly Outcome[]): void {
    this.owner.onOutcomes(this, outcomes);
  }

  get jobId(): string {
    return this.job.id;
  }
  get token(): string {
    return this.job.token;
  }
  get created(): number {
    return this.pairs.length;
  }
  get requestId(): string | undefined {
    return this.head.requestId;
  }
  onSettled(ours: boolean | Error): void {
    this.owner.onSettled(this, ours);
  }
}

/** Ids of the batches that a job's pairs rode in, with spaces between them; each once. */
export const withBatch = (batches: string, id: string): string =>
  batches === '' ? id : ` ${batches}`.endsWith(` ${id}`) ? batches : `${batches} ${id}`;
