/**
 * Settlement: turns the outcomes of a job's pairs into the job's new data and the job's next state. Pure.
 * One clause for each outcome; the counts always add up to the pairs. Each pair has its own attempts and patience
 * (progress.ts); outcomes of other pairs do not spend them.
 */
import {
  type ErrorContext,
  type JobData,
  MAX_ERRORS_PER_JOB,
  MAX_PAIRS_PER_JOB,
  type PairProgress,
  type Rejected,
} from '../../shared/contract/association.js';
import type { ReadJob } from '../../shared/contract/job-text.js';
import { errorWords, rejectionReason } from '../../shared/contract/rejection-reason.js';
import { reopenedJob } from '../../shared/contract/reopen.js';
import type { Failure, Hold, Outcome } from '../batches/outcome.js';
import { progressAfter, readProgress, writeProgress } from './progress.js';
import { isOutOfPatience, type RetryPolicy, retryWithinMs, unavailable } from './retry-policy.js';

export type Next =
  | { readonly kind: 'complete'; readonly created: number }
  | { readonly kind: 'fail'; readonly reason: string }
  /** some pairs are retried: not before `leastMs`, and at a random moment within `withinMs` */
  | { readonly kind: 'retry'; readonly reason: string; readonly leastMs: number; readonly withinMs: number }
  /** some pairs are held and spend nothing */
  | { readonly kind: 'hold'; readonly hold: Hold }
  /** another client retries its rejections: it waits like a new job */
  | { readonly kind: 'reopened' };

export type Settlement = {
  /** undefined: all pairs were created and none rejected before, so the data stays unchanged */
  readonly data: JobData | undefined;
  readonly created: number;
  readonly rejected: number;
  readonly retried: number;
  readonly next: Next;
};

export function settleJob(job: ReadJob, outcomes: readonly Outcome[], policy: RetryPolicy): Settlement {
  const { pairs, history } = job;
  if (outcomes.length !== pairs.length)
    throw new Error(`${pairs.length} pairs have ${outcomes.length} outcomes`);
  // the fast path for nearly all jobs
  if (!history.rejected && outcomes.every(isCreated))
    return (!history.created && WHOLE[pairs.length]) || allCreated(pairs.length, history.created);
  const judged = new Judgement(job, policy);
  outcomes.forEach((outcome, at) => {
    judged.add(at, outcome);
  });
  return judged.settlement();
}

const isCreated = ({ kind }: Outcome): boolean => kind === 'created';

/** @param before how many of the job's pairs were created at earlier attempts */
const allCreated = (pairs: number, before = 0): Settlement => ({
  created: pairs,
  rejected: 0,
  retried: 0,
  data: undefined,
  next: { kind: 'complete', created: before + pairs },
});

/** The settlement of nearly all jobs, which differ in nothing but their size. */
const WHOLE = Array.from({ length: 1 + MAX_PAIRS_PER_JOB }, (_, pairs) => allCreated(pairs));

/** Pairs are indexes into the job's pairs; only pairs that are written back become texts. */
class Judgement {
  readonly #before: readonly PairProgress[];
  readonly #remaining: number[] = [];
  readonly #progress: PairProgress[] = [];
  readonly #retries = new Groups();
  readonly #rejections = new Groups();
  /** last failure → the failure of pairs whose patience ended with it */
  readonly #outOfPatience = new Map<Failure, Failure>();
  #created = 0;
  #hold: Hold | undefined;
  #withinMs = 0;

  constructor(
    private readonly job: ReadJob,
    private readonly policy: RetryPolicy,
  ) {
    this.#before = readProgress(job);
  }

  add(at: number, outcome: Outcome): void {
    const before = this.#before[at] as PairProgress;
    const attempt = (before.attempts ?? 0) + 1;
    switch (outcome.kind) {
      case 'created':
        this.#created += 1;
        break;
      case 'retry': {
        const progress = progressAfter(before, outcome);
        const last = this.#last(progress, outcome.failure);
        if (last) {
          this.#rejections.add(last, attempt, at);
          break;
        }
        this.#retries.add(outcome.failure, attempt, at);
        this.#withinMs = Math.max(this.#withinMs, retryWithinMs(progress, outcome, this.policy));
        this.#keep(at, progress);
        break;
      }
      case 'rejected':
        this.#rejections.add(outcome.failure, attempt, at);
        break;
      case 'held':
        this.#hold = this.#hold && this.#hold.forMs > outcome.hold.forMs ? this.#hold : outcome.hold;
        this.#keep(at, before);
        break;
      default:
        outcome satisfies never;
    }
  }

  settlement(): Settlement {
    const { head, pairs, history } = this.job;
    const errors = this.#retries.alike().map(errorContext);
    const rejected = [
      ...(history.rejected ?? []),
      ...this.#rejections
        .all()
        .map(group => ({ error: errorContext(group), pairs: pairs.pick(group.pairs).toTexts() })),
    ];
    const total = (history.created ?? 0) + this.#created;
    const counts = {
      created: this.#created,
      rejected: this.#rejections.size,
      retried: this.#retries.size,
    };
    if (this.#remaining.length === 0 && rejected.length === 0)
      return { ...counts, data: undefined, next: { kind: 'complete', created: total } };
    const progress = writeProgress(this.#progress);
    return {
      ...counts,
      data: {
        ...head,
        pairs: pairs.pick(this.#remaining).toTexts(),
        ...((history.errors || errors.length > 0) && {
          errors: [...(history.errors ?? []), ...errors].slice(-MAX_ERRORS_PER_JOB),
        }),
        ...(progress && { progress }),
        ...(rejected.length > 0 && { rejected }),
        ...(total > 0 && { created: total }),
      },
      next: this.#next(errors, rejected, total),
    };
  }

  #next(errors: readonly ErrorContext[], rejected: readonly Rejected[], created: number): Next {
    if (this.#remaining.length === 0) return { kind: 'fail', reason: rejectionReason(rejected, created) };
    if (errors.length === 0)
      return { kind: 'hold', hold: this.#hold ?? { scope: 'pair', forMs: 0, reason: '' } };
    const leastMs = this.#hold?.forMs ?? 0;
    return { kind: 'retry', reason: retryReason(errors), leastMs, withinMs: this.#withinMs };
  }

  /** @returns the final failure of a pair; undefined if the pair is retried */
  #last(progress: PairProgress, failure: Failure): Failure | undefined {
    if ((progress.attempts ?? 0) >= this.policy.maxAttempts) return failure;
    if (!isOutOfPatience(progress, failure, this.policy)) return undefined;
    const last = this.#outOfPatience.get(failure) ?? unavailable(failure, this.policy);
    this.#outOfPatience.set(failure, last);
    return last;
  }

  #keep(at: number, progress: PairProgress): void {
    this.#remaining.push(at);
    this.#progress.push(progress);
  }
}

type Group = { readonly failure: Failure; readonly attempt: number; readonly pairs: readonly number[] };

/** Groups pairs by failure and attempt. */
class Groups {
  /** by failure, then by attempt; the pairs of a call share one failure object */
  readonly #groups = new Map<Failure, Map<number, number[]>>();
  #size = 0;

  /** pairs in all groups */
  get size(): number {
    return this.#size;
  }

  add(failure: Failure, attempt: number, at: number): void {
    this.#size += 1;
    let byAttempt = this.#groups.get(failure);
    if (!byAttempt) {
      byAttempt = new Map();
      this.#groups.set(failure, byAttempt);
    }
    const pairs = byAttempt.get(attempt);
    if (pairs) pairs.push(at);
    else byAttempt.set(attempt, [at]);
  }

  all(): Group[] {
    return [...this.#groups].flatMap(([failure, byAttempt]) =>
      [...byAttempt].map(([attempt, pairs]) => ({ failure, attempt, pairs })),
    );
  }

  /** Inputs that were judged one by one have the same words from separate answers; one of the ten error entries suffices for them. */
  alike(): Group[] {
    const byWords = new Map<string, Group>();
    for (const group of this.all()) {
      const { at: _at, correlationId: _id, ...words } = group.failure;
      const key = JSON.stringify([group.attempt, words]);
      const first = byWords.get(key);
      byWords.set(key, first ? { ...first, pairs: [...first.pairs, ...group.pairs] } : group);
    }
    return [...byWords.values()];
  }
}

/**
 * @returns the settlement of a failed job that another client has retried: nobody has counted its rejections back yet. Undefined
 * for any other job (contract/reopen.ts).
 */
export function reopen(job: ReadJob): Settlement | undefined {
  const again = reopenedJob(job);
  if (!again) return undefined;
  const { data, associations } = again;
  return { created: 0, rejected: -associations, retried: 0, data, next: { kind: 'reopened' } };
}

const retryReason = (errors: readonly ErrorContext[]): string =>
  errors
    .slice(0, 3)
    .map(error => `${error.pairs} × ${errorWords(error)}`)
    .join('; ');

const errorContext = ({ failure, attempt, pairs }: Group): ErrorContext => {
  const { at, ...rest } = failure;
  return { at, attempt, ...rest, pairs: pairs.length };
};
