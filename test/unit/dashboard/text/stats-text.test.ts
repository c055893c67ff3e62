/** The output of `stats`. */
import { describe, expect, test } from '@jest/globals';
import type { Stats } from '../../../../src/dashboard/overview/stats.js';
import type { StateFigures } from '../../../../src/dashboard/text/state-sentence.js';
import { statsLine, statsText } from '../../../../src/dashboard/text/stats-text.js';
import { factsOf } from '../../../../src/shared/runtime/redis-facts.js';
import type { HeldPair } from '../../../../src/shared/state/queue-state.js';

const now = Date.parse('2026-03-01T12:00:00Z');

type StatsReading = Parameters<typeof statsLine>[0];

function readingOf(
  jobs: Partial<Stats['jobs']>,
  figures: Partial<StateFigures> = {},
  heldPairs: HeldPair[] = [],
): StatsReading {
  const stats: Stats = {
    account: 'default',
    jobs: { waiting: 0, active: 0, delayed: 0, failed: 0, completed: 0, ...jobs },
    associations: { created: 1_234_567, rejected: 2, cancelled: 0, retried: 3 },
    calls: { total: 640, rateLimited: 1, failed: 0 },
    batches: { sent: 640, meanInputs: 1_929.01 },
    quota: {
      ...{ limit: 100, windowMs: 10_000, usedInWindow: 56, usedToday: 12_034, dailyLimit: 500_000 },
      ...{ heldUntil: null, holdReason: null },
    },
    oldestWaitingSeconds: null,
    paused: null,
    workers: { alive: 0, standby: 0, vanished: 0, lastVanishedAt: null },
    isolation: { inputs: 0, invalid: 0, callShare: 0 },
    heldPairs: [],
  };
  const state: StateFigures = {
    ...{ now, redis: { refusal: '', memory: null, evicts: null }, paused: null, hold: null },
    ...{ perSecond: null, backlog: 0, inHand: 0, jobs: stats.jobs, rejected: 0, nextTryAt: null },
    ...{ oldestWaitingSeconds: null, heldPairs: null, workers: 1, isolation: stats.isolation },
    ...{ callsNeeded: 0, callsLeftToday: null, quotaBound: false, slotsBound: false },
    ...figures,
  };
  return { queueState: { now, heldPairs }, stats, state, server: undefined };
}

describe("the state is said in the page's own sentence", () => {
  const hold = { kind: 'rate-limit', since: now, until: now + 130_000, reason: 'HubSpot answered\x1b 429' };

  test.each([
    ['nothing there', readingOf({}), 'Idle: everything is decided'],
    ['in work', readingOf({ active: 40 }, { backlog: 1_203 }), 'Working: 1,203 left'],
    [
      'backoff',
      readingOf({ delayed: 2 }, { backlog: 2, nextTryAt: now + 60_000 }),
      'Waiting to try 2 again, next try in 60 s; nothing is lost',
    ],
    [
      'held, without a word of HubSpot reaching the terminal as a command',
      readingOf({ active: 2 }, { hold, backlog: 2 }),
      'Held since 12:00 UTC: HubSpot answered  429; next try 12:02 UTC; nothing is lost',
    ],
  ])('is said for a queue with %s', (_name, given, sentence) => {
    expect(statsText(given, 'redis://x').split('\n')[1]).toBe(sentence);
    expect(statsLine(given).endsWith(`  ${sentence}`)).toBe(true);
  });

  test('is wrapped on a terminal', () => {
    const given = readingOf({ delayed: 2 }, { backlog: 2, nextTryAt: now + 60_000 });
    expect(statsText(given, 'redis://x', 30).split('\n').slice(1, 4)).toEqual([
      'Waiting to try 2 again, next',
      'try in 60 s; nothing is lost',
      '',
    ]);
  });
});

test('what endangers the queue in Redis follows the sentence', () => {
  const endangered = { ...readingOf({}), server: factsOf('redis_version:6.0.16\naof_enabled:0', '') };
  expect(statsText(endangered, 'redis://x').split('\n').slice(1, 5)).toEqual([
    'Idle: everything is decided',
    expect.stringMatching(/^Redis 6\.0\.16 is too old: .*; install Redis/),
    expect.stringMatching(/^Redis writes nothing to disk: a restart loses the queue; set appendonly to yes/),
    '',
  ]);
});

test('the text of stats aligns its numbers and separates thousands', () => {
  const lines = statsText(readingOf({ waiting: 1_203, failed: 1 }), 'redis://127.0.0.1:6379').split('\n');
  expect(lines[0]).toBe('account default at redis://127.0.0.1:6379');
  expect(lines).toContain('associations  created       1,234,567');
  expect(lines).toContain('jobs          waiting           1,203');
  expect(lines).toContain('              rejected              2  see: association-queue failures list');
  expect(lines).toContain('quota         in window            56  of 100 calls per 10 s');
});

test('the text of stats shows held object pairs with their reason', () => {
  const heldPairs = [
    { objectPair: 'contacts/companies HUBSPOT_DEFINED:279', until: now + 60_000, reason: '403: no scope' },
  ];
  expect(statsText(readingOf({}, {}, heldPairs), 'redis://x')).toContain(
    'contacts/companies HUBSPOT_DEFINED:279: until 2026-03-01 12:01:00 UTC (in 1 min): 403: no scope',
  );
});

test('the text of stats for a pipe is one line', () => {
  expect(statsLine(readingOf({ waiting: 5 }))).toMatch(
    /^2026-03-01T12:00:00.000Z {2}created 1234567 .*waiting 5 .*in-window 56\/100/,
  );
  expect(statsLine(readingOf({}))).not.toContain('\n');
});

test('the text of stats shows the workers that are alive, and when the last one vanished', () => {
  const lineOf = (workers: Stats['workers']) => {
    const given = readingOf({});
    const lines = statsText({ ...given, stats: { ...given.stats, workers } }, 'redis://x').split('\n');
    return lines.find(line => line.startsWith('workers'));
  };
  const lastVanishedAt = new Date(now - 12_000).toISOString();
  expect(lineOf({ alive: 2, standby: 0, vanished: 0, lastVanishedAt: null })).toMatch(/^workers +alive +2$/);
  expect(lineOf({ alive: 2, standby: 1, vanished: 1, lastVanishedAt })).toMatch(
    / 2 {2}1 of them on standby; 1 vanished 12 s ago$/,
  );
  expect(lineOf({ alive: 0, standby: 0, vanished: 3, lastVanishedAt })).toMatch(
    / 0 {2}3 vanished, the latest 12 s ago$/,
  );
});
