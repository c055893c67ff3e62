/** Answers to a request, in HubSpot's shapes. Pure. */
import type { ErrorContext, JobData, Pair, Rejected } from '../shared/contract/association.js';
import { objectTypeId } from '../shared/contract/object-types.js';
import type { RequestView } from '../shared/state/requests.js';
import type { FoundRejections, RequestCounts } from './requests/found.js';
import type { AssociationError, BatchAnswer, Result, Status } from './schemas.js';

const iso = (ms: number): string => new Date(ms).toISOString();
export const statusPath = (id: string): string => `/requests/${id}`;

export function pendingAnswer(id: string, enqueuedAt: number): BatchAnswer {
  const at = iso(enqueuedAt);
  return {
    status: 'PENDING',
    results: [],
    requestedAt: at,
    startedAt: at,
    links: { status: statusPath(id) },
  };
}

/**
 * The answer that HubSpot would give: ids are strings, as in its documentation and its SDK, and exact whatever their length.
 * Associations whose outcome is unknown, because another client removed their job, are in neither list; one error counts them.
 */
export function completeAnswer(
  counts: RequestCounts,
  jobs: readonly JobData[],
  { of, unknown }: FoundRejections,
): BatchAnswer {
  if (counts.cancelled > 0) return cancelledAnswer(counts);
  const errors = jobs.flatMap((job, index) =>
    (of.get(index)?.rejected ?? []).flatMap(rejected => associationErrors(job, rejected)),
  );
  const missing = counts.rejected - errors.length;
  if (missing > 0)
    errors.push({
      status: 'error',
      category: 'UNKNOWN',
      message: `${missing} more were rejected, and their jobs were removed since: which ones nobody knows any more`,
      context: {},
    });
  return {
    ...pendingAnswer(counts.id, counts.enqueuedAt),
    status: 'COMPLETE',
    results: jobs.flatMap((job, index) =>
      unknown.has(index) ? [] : resultsOf(job, of.get(index)?.rejected ?? []),
    ),
    ...(errors.length > 0 && { numErrors: errors.length, errors }),
    completedAt: iso(counts.doneAt ?? counts.enqueuedAt),
  };
}

/** What was taken back has left no trace by which it could be told from what was created: the answer lists neither. */
function cancelledAnswer({
  id,
  accepted,
  created,
  rejected,
  cancelled,
  ...times
}: RequestCounts): BatchAnswer {
  const message = `${cancelled} of ${accepted} associations were taken back before they were sent; ${created} were created, ${rejected} rejected`;
  return {
    ...pendingAnswer(id, times.enqueuedAt),
    status: 'CANCELED',
    numErrors: 1,
    errors: [{ status: 'error', category: 'CANCELED', message, context: {} }],
    completedAt: iso(times.doneAt ?? times.enqueuedAt),
  };
}

/** Most warnings in a header. */
const MAX_WARNINGS = 5;

/** The header x-association-warnings, because HubSpot's body has no place for warnings. Undefined if there are none. */
export function warningsHeader(warnings: readonly string[]): string | undefined {
  if (warnings.length === 0) return undefined;
  const more = warnings.length - MAX_WARNINGS;
  return [...warnings.slice(0, MAX_WARNINGS), ...(more > 0 ? [`and ${more} more`] : [])].join(' | ');
}

/** @param view as people and programs see every request; HubSpot's fields stand beside it */
export function statusAnswer(view: Omit<RequestView, 'file'>, errors: AssociationError[]): Status {
  const { doneAt } = view;
  const ended = view.cancelled > 0 ? 'CANCELED' : 'COMPLETE';
  return {
    ...view,
    status: doneAt === undefined ? 'PENDING' : ended,
    rejections: [...view.rejections],
    requestedAt: view.enqueuedAt,
    ...(doneAt !== undefined && { completedAt: doneAt }),
    errors,
  };
}

type ObjectPair = Pick<JobData, 'fromObjectType' | 'toObjectType'>;

/** One error for each rejected association, so that the caller finds each by its ids. */
export function associationErrors(
  { fromObjectType, toObjectType }: ObjectPair,
  { error, pairs }: Rejected,
): AssociationError[] {
  const { category = 'UNKNOWN', subCategory, message, correlationId }: ErrorContext = error;
  return pairs.map(([from, to]) => ({
    status: 'error',
    category,
    ...(subCategory !== undefined && { subCategory }),
    message,
    ...(correlationId !== undefined && { id: correlationId }),
    context: {
      fromObjectType: [fromObjectType],
      fromObjectId: [from],
      toObjectType: [toObjectType],
      toObjectId: [to],
    },
  }));
}

function resultsOf(job: JobData, rejections: readonly Rejected[]): Result[] {
  // the same pair may be in a job twice and be rejected once
  const left = new Map<string, number>();
  for (const pair of rejections.flatMap(({ pairs }) => pairs))
    left.set(pairKey(pair), (left.get(pairKey(pair)) ?? 0) + 1);
  const isRejected = (pair: Pair): boolean => {
    if (left.size === 0) return false;
    const count = left.get(pairKey(pair)) ?? 0;
    if (count > 0) left.set(pairKey(pair), count - 1);
    return count > 0;
  };
  const fromObjectTypeId = objectTypeId(job.fromObjectType) ?? job.fromObjectType;
  const toObjectTypeId = objectTypeId(job.toObjectType) ?? job.toObjectType;
  return job.pairs
    .filter(pair => !isRejected(pair))
    .map(([fromObjectId, toObjectId]) => ({
      fromObjectTypeId,
      fromObjectId,
      toObjectTypeId,
      toObjectId,
      labels: [],
    }));
}

const pairKey = ([from, to]: Pair): string => `${from} ${to}`;
