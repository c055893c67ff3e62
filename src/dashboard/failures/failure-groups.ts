/**
 * Groups failures into rows for people: the same error of the same object pair is one row, whatever ids its message
 * contains. Pure, with bounded memory whatever HubSpot writes.
 */
import type { ErrorContext } from '../../shared/contract/association.js';
import { seenAt as timeOf, wordsOf } from '../../shared/state/rejection-groups.js';
import type { FailedJob, Failure } from './failed-jobs.js';

/** After this many different messages, further ones share a row for each category and object pair. */
const MAX_GROUPS = 1_000;
export const OTHER_MESSAGES = '(various other messages)';

export type FailureGroup = {
  category: string;
  fromObjectType: string;
  toObjectType: string;
  /** HubSpot's words, ids and numbers replaced by … */
  message: string;
  associations: number;
  jobs: number;
  firstSeen: string;
  lastSeen: string;
  /** one complete failure; without `from` and `to` for a job with unreadable data */
  example: { jobId: string; from?: string; to?: string; error: ErrorContext };
};

export type FailureSummary = { associations: number; jobs: number; groups: FailureGroup[] };

/** The field that makes a row; without it category, message and object pair together. */
export const GROUPINGS = ['category', 'message', 'objectPair'] as const;
export type Grouping = (typeof GROUPINGS)[number];
/** Placeholder for values that differ within a row. */
export const VARIOUS = '*';

/** Collects jobs one by one; `summary` orders the rows by number of associations. */
export class FailureGroups {
  readonly #groups = new Map<string, FailureGroup>();
  #associations = 0;
  #jobs = 0;

  constructor(private readonly by?: Grouping) {}

  add(job: FailedJob, failures: readonly Failure[]): void {
    this.#jobs += 1;
    const touched = new Set<FailureGroup>();
    for (const failure of failures) {
      const group = this.#groupOf(job, failure);
      const seen = seenAt(failure.error, job.failedAt);
      group.associations += failure.pairs.length;
      if (seen < group.firstSeen) group.firstSeen = seen;
      if (seen > group.lastSeen) group.lastSeen = seen;
      touched.add(group);
      this.#associations += failure.pairs.length;
    }
    for (const group of touched) group.jobs += 1;
  }

  summary(): FailureSummary {
    const groups = [...this.#groups.values()].sort(
      (a, b) => b.associations - a.associations || b.jobs - a.jobs,
    );
    return { associations: this.#associations, jobs: this.#jobs, groups };
  }

  #groupOf(job: FailedJob, failure: Failure): FailureGroup {
    const { fromObjectType, toObjectType } = job;
    const { category } = failure;
    const keyOf = (message: string) => this.#key([category, message, `${fromObjectType}\n${toObjectType}`]);
    let message = wordsOf(failure.error, failure.pairs);
    if (!this.#groups.has(keyOf(message)) && this.#groups.size >= MAX_GROUPS) message = OTHER_MESSAGES;
    const known = this.#groups.get(keyOf(message));
    if (known) return merged(known, { category, message, fromObjectType, toObjectType });
    const seen = seenAt(failure.error, job.failedAt);
    const [pair] = failure.pairs;
    const group: FailureGroup = {
      category,
      fromObjectType,
      toObjectType,
      message,
      associations: 0,
      jobs: 0,
      firstSeen: seen,
      lastSeen: seen,
      example: { jobId: job.id, ...(pair && { from: pair[0], to: pair[1] }), error: failure.error },
    };
    this.#groups.set(keyOf(message), group);
    return group;
  }

  /** @param parts in the order of {@link GROUPINGS} */
  #key(parts: readonly [category: string, message: string, objectPair: string]): string {
    return this.by === undefined ? parts.join('\n') : (parts[GROUPINGS.indexOf(this.by)] ?? '');
  }
}

type Common = Pick<FailureGroup, 'category' | 'message' | 'fromObjectType' | 'toObjectType'>;

function merged(group: FailureGroup, other: Common): FailureGroup {
  for (const field of ['category', 'message', 'fromObjectType', 'toObjectType'] as const)
    if (group[field] !== other[field]) group[field] = VARIOUS;
  return group;
}

const seenAt = (error: ErrorContext, failedAt: number): string =>
  new Date(timeOf(error, failedAt)).toISOString();
