/**
 * Settlement: the outcomes of a job's pairs → the job's new data and what happens to the job. Pure.
 * One clause for each outcome; the counts always add up to the pairs.
 */
import {
  type ErrorContext,
  type JobData,
  MAX_ERRORS_PER_JOB,
  type Pair,
  type Rejected,
} from '../shared/association.js';
import type { Failure, Hold, Outcome } from './outcome.js';

export type Next =
  | { readonly kind: 'complete'; readonly created: number }
  | { readonly kind: 'fail'; readonly reason: string }
  /** an attempt was spent */
  | { readonly kind: 'retry'; readonly attempt: number; readonly reason: string; readonly leastMs: number }
  /** no attempt was spent */
  | { readonly kind: 'hold'; readonly hold: Hold };

export type Settlement = {
  /** undefined: all pairs were created and nothing was rejected before; the data may stay as it is */
  readonly data: JobData | undefined;
  readonly created: number;
  readonly rejected: number;
  readonly retried: number;
  readonly next: Next;
};

/** @param maxAttempts JOB_ATTEMPTS: who has failed so often is rejected with the last error */
export function settleJob(data: JobData, outcomes: readonly Outcome[], maxAttempts: number): Settlement {
  if (outcomes.length !== data.pairs.length)
    throw new Error(`${data.pairs.length} pairs have ${outcomes.length} outcomes`);
  // nearly all jobs, of which a queue may hold millions
  if (!data.rejected && outcomes.every(({ kind }) => kind === 'created'))
    return allCreated(data.pairs.length, data.created);
  const attempt = nextAttempt(data);
  const remaining: Pair[] = [];
  const retries = new Map<Failure, Pair[]>();
  const rejections = new Map<Failure, Pair[]>();
  let created = 0;
  let hold: Hold | undefined;
  outcomes.forEach((outcome, index) => {
    const pair = data.pairs[index] as Pair;
    switch (outcome.kind) {
      case 'created':
        created += 1;
        break;
      case 'retry':
        if (attempt >= maxAttempts) add(rejections, outcome.failure, pair);
        else {
          add(retries, outcome.failure, pair);
          remaining.push(pair);
        }
        break;
      case 'rejected':
        add(rejections, outcome.failure, pair);
        break;
      case 'held':
        hold = hold && hold.forMs > outcome.hold.forMs ? hold : outcome.hold;
        remaining.push(pair);
        break;
      default:
        outcome satisfies never;
    }
  });

  const errors = alike(retries).map(([failure, pairs]) => errorContext(failure, attempt, pairs.length));
  const rejected = [
    ...(data.rejected ?? []),
    ...[...rejections].map(
      ([failure, pairs]): Rejected => ({ error: errorContext(failure, attempt, pairs.length), pairs }),
    ),
  ];
  const total = (data.created ?? 0) + created;
  const counts = { created, rejected: sum(rejections), retried: sum(retries) };
  if (remaining.length === 0 && rejected.length === 0)
    return { ...counts, data: undefined, next: { kind: 'complete', created: total } };
  const next: Next =
    remaining.length === 0
      ? { kind: 'fail', reason: rejectionReason(rejected, total) }
      : errors.length > 0
        ? { kind: 'retry', attempt, reason: retryReason(errors), leastMs: hold?.forMs ?? 0 }
        : { kind: 'hold', hold: hold ?? { scope: 'pair', forMs: 0, reason: '' } };
  return {
    ...counts,
    data: {
      ...data,
      pairs: remaining,
      ...((data.errors || errors.length > 0) && {
        errors: [...(data.errors ?? []), ...errors].slice(-MAX_ERRORS_PER_JOB),
      }),
      ...(rejected.length > 0 && { rejected }),
      ...(total > 0 && { created: total }),
    },
    next,
  };
}

/** @param before how many of the job's pairs were created at earlier attempts */
export const allCreated = (pairs: number, before = 0): Settlement => ({
  created: pairs,
  rejected: 0,
  retried: 0,
  data: undefined,
  next: { kind: 'complete', created: before + pairs },
});

/** Which attempt the pairs of a job are at, from 1: holds and crashes spend none. */
export const nextAttempt = (data: JobData): number => (data.errors?.at(-1)?.attempt ?? 0) + 1;

/**
 * How often the pairs failed in company (the coalescer's lanes). Every refusal counts. Of failures that were nobody's
 * fault (5xx, timeouts) the first does not: an outage must not turn full batches into crumbs, but an input that makes
 * HubSpot stumble must not take its company along for ever.
 */
export function suspicion(data: JobData): number {
  const { errors } = data;
  if (!errors || errors.length === 0) return 0;
  const attempts = new Map<number, boolean>();
  for (const error of errors)
    attempts.set(error.attempt, isNobodysFault(error) && attempts.get(error.attempt) !== false);
  const nobodys = [...attempts.values()].filter(Boolean).length;
  return nextAttempt(data) - 1 - nobodys + Math.max(0, nobodys - 1);
}

// HTTP_404 and its like: it was not HubSpot who answered
const isNobodysFault = ({ httpStatus, category }: ErrorContext): boolean =>
  httpStatus === undefined || httpStatus >= 500 || (category === `HTTP_${httpStatus}` && httpStatus !== 413);

/**
 * A failed job that somebody retries from a dashboard: its rejected pairs are to be created after all, from the first
 * attempt on. Undefined when the job is no such job.
 */
export function reopen(data: JobData): { data: JobData; reopened: number } | undefined {
  if (data.pairs.length > 0 || !data.rejected || data.rejected.length === 0) return undefined;
  const { rejected, errors: _spent, ...rest } = data;
  const pairs = rejected.flatMap(rejection => rejection.pairs);
  return { data: { ...rest, pairs }, reopened: pairs.length };
}

function rejectionReason(rejected: readonly Rejected[], created: number): string {
  const count = rejected.reduce((total, rejection) => total + rejection.pairs.length, 0);
  const first = rejected.slice(0, 3).map(({ error, pairs }) => `${pairs.length} × ${named(error)}`);
  const more = rejected.length > 3 ? `; and ${rejected.length - 3} more reasons` : '';
  return `${count} of ${count + created} rejected: ${first.join('; ')}${more}`;
}

const retryReason = (errors: readonly ErrorContext[]): string =>
  errors
    .slice(0, 3)
    .map(error => `${error.pairs} × ${named(error)}`)
    .join('; ');

const named = ({ category, message }: ErrorContext): string =>
  category ? `${category}: ${message}` : message;

const errorContext = (failure: Failure, attempt: number, pairs: number): ErrorContext => {
  const { at, ...rest } = failure;
  return { at, attempt, ...rest, pairs };
};

/** Inputs that were judged one by one hear the same words, each in an answer of its own: one entry of ten is enough. */
function alike(groups: ReadonlyMap<Failure, readonly Pair[]>): [Failure, readonly Pair[]][] {
  const byWords = new Map<string, [Failure, readonly Pair[]]>();
  for (const [failure, pairs] of groups) {
    const { at: _at, correlationId: _id, ...words } = failure;
    const key = JSON.stringify(words);
    const [first = failure, others = []] = byWords.get(key) ?? [];
    byWords.set(key, [first, [...others, ...pairs]]);
  }
  return [...byWords.values()];
}

const sum = (groups: ReadonlyMap<Failure, readonly Pair[]>): number =>
  [...groups.values()].reduce((total, pairs) => total + pairs.length, 0);

function add(groups: Map<Failure, Pair[]>, failure: Failure, pair: Pair): void {
  const pairs = groups.get(failure);
  if (pairs) pairs.push(pair);
  else groups.set(failure, [pair]);
}
