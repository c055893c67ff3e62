/** The output of `failures`. */
import { describe, expect, test } from '@jest/globals';
import {
  discardQuestion,
  discardText,
  exportText,
  listText,
  meansYes,
  retryText,
  unknownCategoryText,
} from '../../../../src/dashboard/text/failures-text.js';
import { INVALID_JOB } from '../../../../src/shared/state/rejection-groups.js';
import { errorOf, failedJob, groupsOf } from '../../../support/failed-jobs.js';

describe('the text of failures', () => {
  test('shows each row with its message and an example, and the total', () => {
    const text = listText(groupsOf(failedJob('7', ['No contact with ID 5 exists\u001b[31m', '', 2])));
    expect(text).toContain('OBJECT_NOT_FOUND  contacts → companies');
    expect(text).toContain('No contact with ID … exists [');
    expect(text).not.toContain('\u001b');
    expect(text).toContain('for example 0 → 0 (job 7, correlation id c-1): No contact with ID 5 exists [');
    expect(text).toContain('2 associations in 1 job.');
    expect(listText(groupsOf())).toBe('No rejected associations.');
  });

  test('shows no number of associations for a job that cannot be read', () => {
    const invalid = {
      ...failedJob('9'),
      failures: [{ category: INVALID_JOB, error: errorOf('/types is missing'), pairs: [] }],
    };
    expect(listText(groupsOf(invalid))).toMatch(
      / – {2}INVALID_JOB[\s\S]*1 job without associations that can be read, for example job 9/,
    );
  });

  test('says what was done and what was not', () => {
    expect(retryText({ jobs: 1, associations: 1, alongside: 3, gone: 0 })).toBe(
      'Put back to be tried again: 1 association in 1 job. 3 associations with other errors came along: a job is retried as a whole, and what is still wrong is rejected again.',
    );
    expect(retryText({ jobs: 0, associations: 0, alongside: 0, gone: 2 })).toMatch(
      /^Nothing to retry. 2 jobs left alone/,
    );
    expect(exportText({ associations: 1_200, jobs: 3, unreadable: 1 })).toMatch(
      /^exported 1,200 associations of 3 jobs. 1 job copied as text: .* enqueue refuses/,
    );
    expect(exportText({ associations: 0, jobs: 0, unreadable: 0 })).toBe('nothing to export.');
    const none = { associations: 0, jobs: 0, groups: [] };
    expect([listText(none), listText(none, true)]).toEqual([
      'No rejected associations.',
      'No rejected association matches.',
    ]);
    expect(discardText({ associations: 5, jobsRemoved: 1, jobsShrunk: 2, gone: 0 })).toBe(
      'Discarded 5 associations: 1 job removed; 2 jobs kept for the other rejected associations in them.',
    );
  });

  test('counts jobs that cannot be read as jobs', () => {
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

describe('a category that no rejection has', () => {
  const there = ['OBJECT_NOT_FOUND', 'VALIDATION_ERROR'];

  test('is said, with the one that is meant or with those that there are', () => {
    const why = unknownCategoryText('TIMEOUT\u001b', there);
    expect(retryText({ jobs: 0, associations: 0, alongside: 0, gone: 0 }, why)).toBe(
      'Nothing to retry: no rejection has the category TIMEOUT ; there are OBJECT_NOT_FOUND, VALIDATION_ERROR.',
    );
    const near = unknownCategoryText('object_notfound', there);
    expect(discardText({ associations: 0, jobsRemoved: 0, jobsShrunk: 0, gone: 0 }, near)).toBe(
      'Nothing to discard: no rejection has the category object_notfound: did you mean OBJECT_NOT_FOUND?',
    );
    const many = Array.from({ length: 30 }, (_, at) => `CATEGORY_${at}`);
    expect(listText(groupsOf(), true, unknownCategoryText('X', many))).toMatch(
      /^No rejected association matches: .*CATEGORY_9, …\.$/,
    );
  });

  test('is not the reason if there are no rejections, or some have it', () => {
    expect(unknownCategoryText('X', [])).toBe('');
    expect(unknownCategoryText(undefined, there)).toBe('');
    expect(unknownCategoryText('validation_error', there)).toBe('');
  });
});

test('a discard takes y and yes', () => {
  expect(['y', ' YES\n', 'Yes', 'yess', 'n', ''].map(meansYes)).toEqual([
    ...[true, true, true, false, false, false],
  ]);
});
