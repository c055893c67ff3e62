/** What `stats` says to people: the sentence, the figures, the days. */
import { describe, expect, test } from '@jest/globals';
import { aligned, count, duration, moment } from '../../src/dashboard/figures.js';
import type { Snapshot, Stats } from '../../src/dashboard/stats.js';
import { stateSentence, statsLine, statsText } from '../../src/dashboard/stats-text.js';

const now = Date.parse('2026-03-01T12:00:00Z');

function snapshot(
  jobs: Partial<Stats['jobs']>,
  rest: Partial<Omit<Snapshot, 'stats'>> = {},
  quota: Partial<Stats['quota']> = {},
): Snapshot {
  return {
    stats: {
      account: 'default',
      jobs: { waiting: 0, active: 0, delayed: 0, failed: 0, completed: 0, ...jobs },
      associations: { created: 1_234_567, rejected: 2, retried: 3 },
      calls: { total: 640, rateLimited: 1, failed: 0 },
      batches: { sent: 640, meanInputs: 1_929.01 },
      quota: {
        limit: 100,
        windowMs: 10_000,
        usedInWindow: 56,
        usedToday: 12_034,
        dailyLimit: 500_000,
        heldUntil: null,
        holdReason: null,
        ...quota,
      },
      oldestWaitingSeconds: null,
    },
    heldPairs: [],
    paused: false,
    now,
    ...rest,
  };
}

describe('the state in a sentence', () => {
  const held = { heldUntil: '2026-03-01T12:02:10.000Z', holdReason: 'HubSpot answered 429' };

  test.each([
    ['nothing there', snapshot({}), 'idle: nothing to do'],
    ['failed jobs only', snapshot({ failed: 3 }), 'idle: nothing to do'],
    ['in work', snapshot({ active: 40, waiting: 1_203 }), 'flowing: 40 jobs in work, 1,203 waiting'],
    [
      'no worker',
      snapshot({ waiting: 1 }),
      'waiting: 1 job, none in work: is a worker running? (association-queue worker)',
    ],
    ['backoff', snapshot({ delayed: 2 }), 'pausing: 2 jobs to be tried again, nothing else to do'],
    [
      'paused',
      snapshot({ waiting: 2 }, { paused: true }),
      'paused by an operator, 2 jobs waiting: resume the queue in a BullMQ dashboard; nothing is lost',
    ],
    [
      'held',
      snapshot({ active: 2 }, {}, held),
      'held until 2026-03-01 12:02:10 UTC (in 2 min 10 s): HubSpot answered 429; nothing is lost',
    ],
  ])('%s', (_name, given, sentence) => {
    expect(stateSentence(given)).toBe(sentence);
  });
});

test('the human form: numbers aligned, with thousands separators', () => {
  const lines = statsText(snapshot({ waiting: 1_203, failed: 1 }), 'redis://127.0.0.1:6379').split('\n');
  expect(lines[0]).toBe('account default at redis://127.0.0.1:6379');
  expect(lines).toContain('associations  created       1,234,567');
  expect(lines).toContain('jobs          waiting           1,203');
  expect(lines).toContain('              rejected              2  see: association-queue failures list');
  expect(lines).toContain('quota         in window            56  of 100 calls per 10 s');
});

test('held object pairs are shown with their reason', () => {
  const heldPairs = [
    { objectPair: 'contacts/companies HUBSPOT_DEFINED:279', until: now + 60_000, reason: '403: no scope' },
  ];
  expect(statsText(snapshot({}, { heldPairs }), 'redis://x')).toContain(
    'contacts/companies HUBSPOT_DEFINED:279: until 2026-03-01 12:01:00 UTC (in 1 min): 403: no scope',
  );
});

test('the line for a pipe is one line', () => {
  expect(statsLine(snapshot({ waiting: 5 }))).toMatch(
    /^2026-03-01T12:00:00.000Z {2}created 1234567 .*waiting 5 .*in-window 56\/100/,
  );
  expect(statsLine(snapshot({}))).not.toContain('\n');
});

describe('figures', () => {
  test.each([
    [0, '0 s'],
    [0.4, '0 s'],
    [59.6, '1 min'],
    [200, '3 min 20 s'],
    [3_600, '1 h'],
    [7_505, '2 h 5 min'],
    [90_061, '1 d 1 h'],
    [-5, '0 s'],
  ])('%p seconds: %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  test('counts and moments', () => {
    expect(count(1_234_567)).toBe('1,234,567');
    expect(moment(now)).toBe('2026-03-01 12:00:00 UTC');
  });

  test('columns', () => {
    expect(
      aligned(
        [
          ['a', '1'],
          ['bbb', '22'],
        ],
        new Set([1]),
      ),
    ).toEqual(['a     1', 'bbb  22']);
  });
});
