/** Grouping of failures: one row per error, whatever the ids in its words. */
import { describe, expect, test } from '@jest/globals';
import {
  FailureGroups,
  type Grouping,
  OTHER_MESSAGES,
} from '../../../../src/dashboard/failures/failure-groups.js';
import { listText } from '../../../../src/dashboard/text/failures-text.js';
import { failedJob, groupsOf } from '../../../support/failed-jobs.js';

describe('a group of failures', () => {
  test('is one row of 500 messages that differ in their ids, with first and last seen', () => {
    const jobs = Array.from({ length: 500 }, (_, at) =>
      failedJob(`${at}`, [
        `No contact with ID ${at} exists`,
        new Date(Date.UTC(2026, 2, 1, 0, at)).toISOString(),
        2,
      ]),
    );
    expect(groupsOf(...jobs)).toMatchObject({
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

  test('is made by category, message or object pair, and shows what differs within it as a star', () => {
    const deals = (id: string, ...failures: Parameters<typeof failedJob>[1][]) => ({
      ...failedJob(id, ...failures),
      fromObjectType: 'deals',
    });
    const at = '2026-03-01T12:00:00Z';
    const jobs = [failedJob('1', ['No 1', at, 2], ['gone', at, 1]), deals('2', ['No 2', at, 4])];
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

  test('comes first when it is the largest, and counts a job with two errors once', () => {
    const summary = groupsOf(
      failedJob('1', ['small', 'not a time', 1], ['large', '2026-03-01T12:00:00Z', 3]),
    );
    expect(summary).toMatchObject({
      associations: 4,
      jobs: 1,
      groups: [{ message: 'large' }, { message: 'small' }],
    });
    expect(summary.groups[1]?.firstSeen).toBe('2026-03-01T12:00:00.000Z'); // the job's time, because the error has none
  });

  test('takes bounded memory whatever HubSpot writes', () => {
    const word = (at: number) => at.toString(26).replace(/\d/g, digit => 'qrstuvwxyz'.charAt(Number(digit)));
    const { groups, associations } = groupsOf(
      ...Array.from({ length: 5_000 }, (_, at) => failedJob(`${at}`, [`word ${word(at)}!`, '', 1])),
    );
    expect(associations).toBe(5_000);
    expect(groups.length).toBeLessThanOrEqual(1_001);
    expect(groups[0]?.message).toBe(OTHER_MESSAGES);
  });
});
