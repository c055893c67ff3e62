/** Failed jobs for tests of their groups and texts. */
import type { FailedJob } from '../../src/dashboard/failures/failed-jobs.js';
import { FailureGroups } from '../../src/dashboard/failures/failure-groups.js';
import type { ErrorContext } from '../../src/shared/contract/association.js';

export const errorOf = (message: string, at = '2026-03-01T12:00:00Z'): ErrorContext => ({
  at,
  attempt: 1,
  httpStatus: 400,
  category: 'OBJECT_NOT_FOUND',
  message,
  correlationId: 'c-1',
  pairs: 1,
});

/** A failed job with this many pairs for each of these messages. */
export function failedJob(
  id: string,
  ...failures: [message: string, at: string, pairs: number][]
): FailedJob {
  return {
    id,
    json: '{}',
    failedAt: Date.parse('2026-03-01T12:00:00Z'),
    fromObjectType: 'contacts',
    toObjectType: 'companies',
    failures: failures.map(([message, at, pairs], index) => ({
      category: 'OBJECT_NOT_FOUND',
      error: errorOf(message, at),
      pairs: Array.from({ length: pairs }, (_, pair) => [`${index}`, `${pair}`] as const),
    })),
  };
}

export function groupsOf(...jobs: FailedJob[]) {
  const groups = new FailureGroups();
  for (const each of jobs) groups.add(each, each.failures);
  return groups.summary();
}
