/** What `requests cancel` says. */
import { describe, expect, test } from '@jest/globals';
import {
  type CancelEnd,
  cancelEndText,
  cancelProgressText,
} from '../../../../src/dashboard/text/cancel-text.js';

const progress = { cancelled: 4_900, decided: 7, queued: 1_000 };

test('the progress says what the command waits for', () => {
  expect(cancelProgressText(progress, '')).toBe('cancelled 4,900, 1,000 left');
  expect(cancelProgressText({ ...progress, active: 1 }, 'No worker is alive')).toBe(
    "cancelled 4,900, 1,000 left: workers have 1 job of it: these end with HubSpot's answers, or, if a worker was killed, when another one requeues them after their locks (JOB_LOCK_MS). No worker is alive",
  );
  expect(cancelProgressText({ ...progress, queued: 0, active: 1 }, 'Paused')).toBe('cancelled 4,900, 0 left');
});

describe('the end', () => {
  const end: CancelEnd = { id: 'r1', isCutShort: false, cancelled: 10, decided: 0, queued: 0 };
  const list = { path: 'my list.ndjson', ours: 10, listed: 10, left: 0 };

  test('with everything taken back and listed has no further lines', () => {
    expect(cancelEndText(end)).toEqual([]);
    expect(cancelEndText({ ...end, list })).toEqual([]);
  });

  test('says what this command has not listed, and why', () => {
    expect(cancelEndText({ ...end, list: { ...list, ours: 1, listed: 4 } })).toEqual([
      'my list.ndjson got 1 association from this command',
      '3 associations listed by other commands',
      '6 associations taken back before anybody asked for a list',
    ]);
  });

  test('of a list that is not complete says how to complete it', () => {
    expect(
      cancelEndText({ ...end, queued: 1, isCutShort: true, list: { ...list, ours: 9, listed: 9, left: 1 } }),
    ).toEqual([
      "1 association in no list yet, kept as long as the request: association-queue requests cancel r1 --list 'my list.ndjson'",
      '1 association left: the workers take them back',
    ]);
    const full = { ...list, ours: 0, listed: 0, left: 10, problem: 'ENOSPC: no space left on device, write' };
    expect(cancelEndText({ ...end, list: full })).toEqual([
      'my list.ndjson cannot be written: ENOSPC: no space left on device, write; the cancel went on without it',
      '10 associations in no list yet, kept as long as the request: association-queue requests cancel r1 --list ANOTHER.ndjson',
    ]);
  });
});
