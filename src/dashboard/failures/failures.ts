/**
 * The operator's commands for rejected associations: list, retry, export, discard.
 *
 * The unit of each command, and what a crash at any point leaves behind:
 *   retry    whole jobs that contain a match. One step moves a job from failed to waiting, including its other rejections, and
 *            counts them as queued again (retry.ts). Splitting a job would need two writes, and a crash between them would leave
 *            an association in two jobs or in none.
 *   discard  only the matching associations, because a discarded association is lost. One script shrinks the job's data,
 *            provided that it is still the failed job that was read; then an empty job is removed.
 *            If a crash leaves an empty job behind, the next discard of everything removes it.
 *   export   only reads.
 * Discarded associations stay counted as rejected; unfinished ones count as rejected when they are discarded:
 * accepted = created + rejected + still queued holds throughout.
 */

import { bullmqKeys } from '../../bullmq/layout.js';
import type { AssociationType, ErrorContext, JobData } from '../../shared/contract/association.js';
import { sameTypeName } from '../../shared/contract/object-types.js';
import { loadScript, type Script } from '../../shared/runtime/script.js';
import { INVALID_JOB, indexRejections, reasonArgs, UNFINISHED } from '../../shared/state/rejection-groups.js';
import { DISCARDED_FIELD, type DiscardedRejections } from '../../shared/state/request-notes.js';
import { requestKeys } from '../../shared/state/requests.js';
import type { QueueAccess } from '../connection.js';
import { type FailedJob, type Failure, failedJobs, latestFailure } from './failed-jobs.js';
import { FailureGroups, type FailureSummary, type Grouping } from './failure-groups.js';
import { indexEntry, jobsOfGroups, unindex } from './rejection-index.js';
import { Retries } from './retry.js';

/** Every given field must be equal. Categories are compared without case, object types under any of their names. */
export type FailureFilter = {
  category?: string;
  from?: string;
  to?: string;
  /** id of the request that enqueued them */
  request?: string;
  /** who enqueued them, as the job says */
  source?: string;
  /** groups of the index, whose jobs alone are read instead of the whole failed set; excludes the other fields */
  groups?: ReadonlySet<string>;
  /** {@link latestFailure} when the operator was asked; jobs that fail later are not touched */
  until?: string;
};

/** Yields jobs with at least one matching failure, page by page, each with its matching failures. */
async function* matching(access: QueueAccess, filter: FailureFilter): AsyncGenerator<MatchedJob[]> {
  if (filter.groups !== undefined) {
    yield* jobsOfGroups(access, filter.groups);
    return;
  }
  const category = filter.category?.toUpperCase();
  const until = filter.until ?? (await latestFailure(access));
  if (until === undefined) return;
  for await (const page of failedJobs(access, until, filter.request)) {
    yield page.flatMap(job => {
      if (filter.from !== undefined && !isSameType(filter.from, job.fromObjectType)) return [];
      if (filter.to !== undefined && !isSameType(filter.to, job.toObjectType)) return [];
      if (filter.request !== undefined && filter.request !== job.requestId) return [];
      if (filter.source !== undefined && filter.source !== job.source) return [];
      const matched = job.failures.filter(
        each => category === undefined || each.category.toUpperCase() === category,
      );
      return matched.length > 0 ? [{ job, matched }] : [];
    });
  }
}

/** `contacts`, `contact` and `0-1` are the same. */
const isSameType = (one: string, other: string | undefined): boolean =>
  other !== undefined && (one === other || sameTypeName(one) === sameTypeName(other));

type MatchedJob = { job: FailedJob; matched: Failure[] };

/** @param by the field that makes a row; without it category, message and object pair together */
export async function summariseFailures(
  access: QueueAccess,
  filter: FailureFilter,
  by?: Grouping,
): Promise<FailureSummary> {
  const groups = new FailureGroups(by);
  for await (const page of matching(access, filter))
    for (const { job, matched } of page) groups.add(job, matched);
  return groups.summary();
}

/** @returns the categories of the failures that match apart from theirs, the most frequent first */
export async function categoriesBeside(
  access: QueueAccess,
  { category: _, ...filter }: FailureFilter,
): Promise<string[]> {
  const { groups } = await summariseFailures(access, filter, 'category');
  return groups.map(({ category }) => category);
}

/** @returns true if a failed job says that this request has enqueued it */
export async function isNamedByFailures(access: QueueAccess, request: string): Promise<boolean> {
  for await (const page of matching(access, { request })) if (page.length > 0) return true;
  return false;
}

export type Retried = { jobs: number; associations: number; alongside: number; gone: number };

/** Puts whole jobs back to waiting. `alongside` counts their associations that do not match the filter. */
export async function retryFailures(access: QueueAccess, filter: FailureFilter): Promise<Retried> {
  const done: Retried = { jobs: 0, associations: 0, alongside: 0, gone: 0 };
  const retries = new Retries(access);
  const writes = access.replicas.begin();
  try {
    for await (const page of matching(access, filter)) {
      await Promise.all(
        page.map(async ({ job, matched }) => {
          if (!(await retries.retry(job))) {
            done.gone += 1;
            return;
          }
          const asked = pairsIn(matched);
          done.jobs += 1;
          done.associations += asked;
          done.alongside += pairsIn(job.failures) - asked;
        }),
      );
    }
    await writes.confirmed();
  } finally {
    await retries.close();
  }
  return done;
}

/** `unreadable`: jobs whose data was written unchanged. */
export type Exported = { associations: number; jobs: number; unreadable: number };

/**
 * Writes one line per association in the form that `enqueue` accepts. For a job with unreadable data it writes one line
 * with the data as text, which `enqueue` refuses, so that a later discard loses nothing.
 * @param write resolves when the line may be followed by the next one
 */
export async function exportFailures(
  access: QueueAccess,
  filter: FailureFilter,
  write: (lines: string) => Promise<void>,
): Promise<Exported> {
  const done: Exported = { associations: 0, jobs: 0, unreadable: 0 };
  for await (const page of matching(access, filter)) {
    for (const { job, matched } of page) {
      if (!job.data) {
        await write(`${unreadableLine(job)}\n`);
        done.unreadable += 1;
        continue;
      }
      const { types, fromObjectType, toObjectType } = job.data;
      const lines = matched.flatMap(({ error, pairs }) =>
        pairs.map(([from, to]) => JSON.stringify({ from, to, types, fromObjectType, toObjectType, error })),
      );
      if (lines.length === 0) continue;
      await write(`${lines.join('\n')}\n`);
      done.jobs += 1;
      done.associations += lines.length;
    }
  }
  return done;
}

export type RejectedAssociation = Pick<JobData, 'fromObjectType' | 'toObjectType'> & {
  readonly types: readonly AssociationType[];
  readonly from: string;
  readonly to: string;
  readonly error: ErrorContext;
};

/** Yields matching associations one by one. Jobs with unreadable data are left out. */
export async function* rejectedAssociations(
  access: QueueAccess,
  filter: FailureFilter,
): AsyncGenerator<RejectedAssociation> {
  for await (const page of matching(access, filter))
    for (const { job, matched } of page) {
      if (!job.data) continue;
      const { types, fromObjectType, toObjectType } = job.data;
      for (const { error, pairs } of matched)
        for (const [from, to] of pairs) yield { from, to, types, fromObjectType, toObjectType, error };
    }
}

/** Puts the data under `error`, where it cannot be taken for an association (producer/import/ndjson.ts knows the category). */
function unreadableLine({ id, json, failures }: FailedJob): string {
  const [failure] = failures;
  return JSON.stringify({ error: { ...failure?.error, category: INVALID_JOB, jobId: id, data: json } });
}

export type Discarded = { associations: number; jobsRemoved: number; jobsShrunk: number; gone: number };

export async function discardFailures(access: QueueAccess, filter: FailureFilter): Promise<Discarded> {
  const done: Discarded = { associations: 0, jobsRemoved: 0, jobsShrunk: 0, gone: 0 };
  const forget = loadScript(new URL('./forget.lua', import.meta.url));
  const writes = access.replicas.begin();
  for await (const page of matching(access, filter)) {
    await Promise.all(
      page.map(async match => {
        const left = dataWithout(match);
        if (left !== undefined && !(await replaceData(access, forget, match, left))) {
          done.gone += 1;
          return;
        }
        if (left === undefined || left.empty) {
          const removed = await access.queue.remove(match.job.id);
          if (left === undefined) await unindex(access, match.job);
          done.jobsRemoved += removed;
        } else done.jobsShrunk += 1;
        done.associations += pairsIn(match.matched);
      }),
    );
  }
  await writes.confirmed();
  return done;
}

type Left = { json: string; empty: boolean; entry: (string | number)[] };

/** @returns the job's data without the discarded associations; undefined for unreadable data, which is removed as a whole */
function dataWithout({ job, matched }: MatchedJob): Left | undefined {
  if (!job.data) return undefined;
  const gone = new Set(matched);
  const kept = job.failures.filter(failure => !gone.has(failure));
  const rejected = kept
    .filter(({ category }) => category !== UNFINISHED)
    .map(({ error, pairs }) => ({ error, pairs }));
  const pairs = kept.find(({ category }) => category === UNFINISHED)?.pairs ?? [];
  const json = JSON.stringify({ ...job.data, pairs, rejected });
  return { json, empty: kept.length === 0, entry: indexEntry(job, kept) };
}

/** @returns false if the job has changed since it was read */
async function replaceData(
  { redis, keys }: QueueAccess,
  forget: Script,
  { job, matched }: MatchedJob,
  { json, entry }: Left,
): Promise<boolean> {
  const undecided = matched.filter(({ category }) => category === UNFINISHED);
  const { failed, jobs } = bullmqKeys(keys);
  const index = [keys.rejections, keys.rejection, keys.rejectedJobs];
  const counts = [pairsIn(undecided), pairsIn(matched)];
  const note = [DISCARDED_FIELD, discarded(job, matched), job.data?.requestId ?? ''];
  const reasons = reasonArgs(indexRejections(job.id, job, undecided, job.failedAt));
  const replaced = await forget(
    redis,
    [failed, jobs + job.id, keys.counters, ...index, ...requestKeys(keys)],
    [job.id, job.json, json, ...counts, ...note, ...entry, ...reasons],
  );
  return replaced === 1;
}

/** The note about discarded associations, which the gateway shows to the sender of the request. */
function discarded({ id, data }: MatchedJob['job'], matched: readonly Failure[]): string {
  const { fromObjectType = '', toObjectType = '' } = data ?? {};
  const rejected = matched.map(({ error, pairs }) => ({ error, pairs: [...pairs] }));
  const all: DiscardedRejections = { jobId: id, fromObjectType, toObjectType, rejected };
  return JSON.stringify(all);
}

const pairsIn = (failures: readonly Failure[]): number =>
  failures.reduce((sum, { pairs }) => sum + pairs.length, 0);
