/** Grouping of failures: one row per error, whatever the ids in its words. */
import { describe, expect, test } from '@jest/globals';
import type { FailedJob } from '../../src/dashboard/failures/failed-jobs.js';
import { FailureGroups, type Grouping, OTHER_MESSAGES } from '../../src/dashboard/failures/failure-groups.js';
import {
  discardQuestion,
  discardText,
  exportText,
  listText,
  retryText,
} from '../../src/dashboard/text/failures-text.js';
import type { ErrorContext } from '../../src/shared/contract/association.js';
import { INVALID_JOB, withoutIds } from '../../src/shared/state/rejection-groups.js';

const error = (message: string, at = '2026-03-01T12:00:00Z'): ErrorContext => ({
  at,
  attempt: 1,
  httpStatus: 400,
  category: 'OBJECT_NOT_FOUND',
  message,
  correlationId: 'c-1',
  pairs: 1,
});

function job(id: string, ...failures: [message: string, at: string, pairs: number][]): FailedJob {
  return {
    id,
    json: '{}',
    failedAt: Date.parse('2026-03-01T12:00:00Z'),
    fromObjectType: 'contacts',
    toObjectType: 'companies',
    failures: failures.map(([message, at, pairs], index) => ({
      category: 'OBJECT_NOT_FOUND',
      error: error(message, at),
      pairs: Array.from({ length: pairs }, (_, pair) => [`${index}`, `${pair}`] as const),
    })),
  };
}

function group(...jobs: FailedJob[]) {
  const groups = new FailureGroups();
  for (const each of jobs) groups.add(each, each.failures);
  return groups.summary();
}

test.each([
  ['No contact with ID 101 exists', 'No contact with ID … exists'],
  ['ids 1, 2,3; 4 are gone', 'ids … are gone'],
  ['see 7f3c2b1e-aaaa-4000-8000-123456789abc', 'see …'],
  ['abc is not a valid id', 'abc is not a valid id'],
])('%s → %s', (message, text) => {
  expect(withoutIds(message)).toBe(text);
});

describe('groups', () => {
  test('500 messages that differ in their ids are one row, with first and last seen', () => {
    const jobs = Array.from({ length: 500 }, (_, at) =>
      job(`${at}`, [
        `No contact with ID ${at} exists`,
        new Date(Date.UTC(2026, 2, 1, 0, at)).toISOString(),
        2,
      ]),
    );
    expect(group(...jobs)).toMatchObject({
      associations: 1_000,
      jobs: 500,
      groups: [
        {
          message: 'No contact with ID … exists',
          associations: 1_000,
          jobs: 500,
          firstSeen: '2026-03-01T00:00:00.000Z',
          lastSeen: '2026-03-01T08:19:00.000Z',
          example: { jobId: '0', from: '0', to: '0', error: { message: 'No contact with ID 0 exists' } },
        },
      ],
    });
  });

  test('by category, message or object pair: what differs within a row is a star', () => {
    const deals = (id: string, ...failures: Parameters<typeof job>[1][]) => ({
      ...job(id, ...failures),
      fromObjectType: 'deals',
    });
    const at = '2026-03-01T12:00:00Z';
    const jobs = [job('1', ['No 1', at, 2], ['gone', at, 1]), deals('2', ['No 2', at, 4])];
    const by = (grouping: Grouping) => {
      const groups = new FailureGroups(grouping);
      for (const each of jobs) groups.add(each, each.failures);
      return groups
        .summary()
        .groups.map(row => [row.category, row.message, row.fromObjectType, row.associations, row.jobs]);
    };
    expect(by('category')).toEqual([['OBJECT_NOT_FOUND', '*', '*', 7, 2]]);
    expect(by('message')).toEqual([
      ['OBJECT_NOT_FOUND', 'No …', '*', 6, 2],
      ['OBJECT_NOT_FOUND', 'gone', 'contacts', 1, 1],
    ]);
    expect(by('objectPair')).toEqual([
      ['OBJECT_NOT_FOUND', 'No …', 'deals', 4, 1],
      ['OBJECT_NOT_FOUND', '*', 'contacts', 3, 1],
    ]);
    const groups = new FailureGroups('category');
    for (const each of jobs) groups.add(each, each.failures);
    expect(listText(groups.summary())).toMatch(
      /7 {2}OBJECT_NOT_FOUND {2}\* → companies[\s\S]*various words, such as: No 1/,
    );
  });

  test('the largest comes first, and a job with two errors is one job', () => {
    const summary = group(job('1', ['small', 'not a time', 1], ['large', '2026-03-01T12:00:00Z', 3]));
    expect(summary).toMatchObject({
      associations: 4,
      jobs: 1,
      groups: [{ message: 'large' }, { message: 'small' }],
    });
    expect(summary.groups[1]?.firstSeen).toBe('2026-03-01T12:00:00.000Z'); // the job's, for want of a time
  });

  test('memory is bounded whatever HubSpot writes', () => {
    const word = (at: number) => at.toString(26).replace(/\d/g, digit => 'qrstuvwxyz'.charAt(Number(digit)));
    const { groups, associations } = group(
      ...Array.from({ length: 5_000 }, (_, at) => job(`${at}`, [`word ${word(at)}!`, '', 1])),
    );
    expect(associations).toBe(5_000);
    expect(groups.length).toBeLessThanOrEqual(1_001);
    expect(groups[0]?.message).toBe(OTHER_MESSAGES);
  });
});

describe('texts', () => {
  test('a row, its message, its example, the total', () => {
    const text = listText(group(job('7', ['No contact with ID 5 exists\u001b[31m', '', 2])));
    expect(text).toContain('OBJECT_NOT_FOUND  contacts → companies');
    expect(text).toContain('No contact with ID … exists [');
    expect(text).not.toContain('\u001b');
    expect(text).toContain('for example 0 → 0 (job 7, correlation id c-1): No contact with ID 5 exists [');
    expect(text).toContain('2 associations in 1 job.');
    expect(listText(group())).toBe('No rejected associations.');
  });

  test('a job that cannot be read has no number of associations', () => {
    const invalid = {
      ...job('9'),
      failures: [{ category: INVALID_JOB, error: error('/types is missing'), pairs: [] }],
    };
    expect(listText(group(invalid))).toMatch(
      / – {2}INVALID_JOB[\s\S]*1 job without associations that can be read, for example job 9/,
    );
  });

  test('what was done, and what was not', () => {
    expect(retryText({ jobs: 1, associations: 1, alongside: 3, gone: 0 })).toBe(
      'Put back to be tried again: 1 association in 1 job. 3 associations with other errors came along: a job is retried as a whole, and what is still wrong is rejected again.',
    );
    expect(retryText({ jobs: 0, associations: 0, alongside: 0, gone: 2 })).toMatch(
      /^Nothing to retry. 2 jobs left alone/,
    );
    expect(exportText({ associations: 1_200, jobs: 3, unreadable: 1 })).toMatch(
      /^exported 1,200 associations of 3 jobs. 1 job copied as text: .* enqueue refuses/,
    );
    expect(discardText({ associations: 5, jobsRemoved: 1, jobsShrunk: 2, gone: 0 })).toBe(
      'Discarded 5 associations: 1 job removed; 2 jobs kept for the other rejected associations in them.',
    );
  });

  test('jobs that cannot be read are counted as jobs', () => {
    const unreadable = '7 jobs without associations that can be read';
    expect(retryText({ jobs: 7, associations: 0, alongside: 0, gone: 0 })).toBe(
      `Put back to be tried again: ${unreadable}.`,
    );
    expect(discardText({ associations: 0, jobsRemoved: 7, jobsShrunk: 0, gone: 0 })).toBe(
      `Discarded ${unreadable}.`,
    );
    expect(discardQuestion({ associations: 0, jobs: 7, groups: [] })).toMatch(
      `Discard ${unreadable} for good?`,
    );
  });
});
