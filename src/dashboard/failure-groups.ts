/**
 * Gathers failures into rows that a person can read: the same error of the same object pair is one row, whatever the
 * ids in its words. Pure; its memory is bounded whatever HubSpot writes.
 */
import type { ErrorContext } from '../shared/association.js';
import type { FailedJob, Failure } from './failed-jobs.js';

/** Past this many different texts, further ones share a row per category and object pair. */
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
  /** one failure in full; without `from` and `to` for a job whose data cannot be read */
  example: { jobId: string; from?: string; to?: string; error: ErrorContext };
};

export type FailureSummary = { associations: number; jobs: number; groups: FailureGroup[] };

/** Collects jobs one by one; `summary` orders the rows by number of associations. */
export class FailureGroups {
  readonly #groups = new Map<string, FailureGroup>();
  #associations = 0;
  #jobs = 0;

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
    const keyOf = (message: string) => [failure.category, fromObjectType, toObjectType, message].join('\n');
    let message = withoutIds(failure.error.message);
    if (!this.#groups.has(keyOf(message)) && this.#groups.size >= MAX_GROUPS) message = OTHER_MESSAGES;
    const known = this.#groups.get(keyOf(message));
    if (known) return known;
    const seen = seenAt(failure.error, job.failedAt);
    const [pair] = failure.pairs;
    const group: FailureGroup = {
      category: failure.category,
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
}

/** `No contact with ID 101 exists` and `… 102 …` become one text; so do lists of ids of any length, and UUIDs. */
export function withoutIds(message: string): string {
  return message
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, '…')
    .replace(/\d+/g, '…')
    .replace(/…(?:\s*[,;-]\s*…)+/g, '…');
}

/** The error's own time, in one form so that texts compare as times; the job's where it has none that can be read. */
function seenAt(error: ErrorContext, failedAt: number): string {
  const at = Date.parse(error.at);
  return new Date(Number.isNaN(at) ? failedAt : at).toISOString();
}
