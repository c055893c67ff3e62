/** The state sentence, its title, and short figures. */
import { describe, expect, test } from '@jest/globals';
import {
  type StateFigures,
  secondsLeft,
  short,
  stateSentence,
  stateTitle,
} from '../../../../src/dashboard/text/state-sentence.js';

const NOW = Date.parse('2026-03-01T14:00:00Z');
const clock = (ms: number) => new Date(ms).toISOString().slice(11, 16);

describe("the state's sentence", () => {
  const flowing: StateFigures = {
    now: NOW,
    redis: { refusal: '', memory: null, evicts: null },
    paused: null,
    hold: null,
    perSecond: 18_400,
    backlog: 1_200_000,
    inHand: 0,
    jobs: { waiting: 2_400, active: 40, delayed: 0, failed: 0 },
    rejected: 0,
    nextTryAt: null,
    oldestWaitingSeconds: 30,
    heldPairs: null,
    isolation: { inputs: 0, invalid: 0, callShare: 0 },
    workers: 2,
    callsNeeded: 600,
    callsLeftToday: 600,
    quotaBound: false,
    slotsBound: false,
  };
  const held = { kind: 'auth', since: NOW - 600_000, until: NOW + 300_000 };
  const auth = { ...held, reason: '401 from HubSpot: token expired' };
  const daily = { ...held, kind: 'daily', reason: 'the daily limit of 5 calls is used up' };
  const limit = {
    kind: 'rate-limit',
    since: NOW - 1_000,
    until: NOW + 9_000,
    reason: '429 from HubSpot: slow down.',
  };
  const auth401 = 'renew the token (HUBSPOT_ACCESS_TOKEN_FILE is read again)';
  const FOREIGN = { by: null, reason: null, at: null };
  const EVICTS = 'maxmemory-policy is allkeys-lru: …; set maxmemory-policy to noeviction';
  const healthy = { refusal: '', memory: null, evicts: null };
  const full = { usedBytes: 268_435_500, maxBytes: 268_435_456 };
  const noScope = { objectPair: 'contacts/companies', reason: '403 from HubSpot: no scope.' };
  test.each<[Partial<StateFigures>, string, string]>([
    [{ quotaBound: true }, 'good', 'Flowing: 18,400/s, 1.2 M left, done about 14:01; quota-bound'],
    [
      { slotsBound: true },
      'good',
      'Flowing: 18,400/s, 1.2 M left, done about 14:01; worker-bound: another worker would help',
    ],
    [{ perSecond: 2.34, backlog: 42 }, 'good', 'Flowing: 2.3/s, 42 left, done about 14:00'],
    [
      { heldPairs: { count: 1, first: noScope } },
      'warn',
      'Flowing: 18,400/s, 1.2 M left, done about 14:01; 1 object pair is held: contacts → companies: 403 from HubSpot: no scope',
    ],
    [
      {
        heldPairs: { count: 3, first: { ...noScope, reason: '😀'.repeat(101) } },
        ...{ perSecond: null, isolation: { inputs: 4_000, invalid: 610, callShare: 0.4 } },
      },
      'warn',
      `Working: 1.2 M left; finding 610 invalid ones among 4,000 inputs: 40 % of calls; 3 object pairs are held: contacts → companies: ${'😀'.repeat(100)}…, and 2 more`,
    ],
    [
      { backlog: 0, heldPairs: { count: 1, first: noScope } },
      'warn',
      'Idle: everything is decided; 1 object pair is held: contacts → companies: 403 from HubSpot: no scope',
    ],
    [
      { paused: FOREIGN, heldPairs: { count: 1, first: noScope } },
      'warn',
      'Paused by another client: 1.2 M wait until somebody resumes; 1 object pair is held: contacts → companies: 403 from HubSpot: no scope; nothing is lost',
    ],
    [
      { hold: daily, heldPairs: { count: 1, first: noScope } },
      'bad',
      'Held since 13:50: the daily limit of 5 calls is used up; next try 14:05; 1 object pair is held: contacts → companies: 403 from HubSpot: no scope; nothing is lost',
    ],
    [
      { workers: 0, heldPairs: { count: 1, first: noScope } },
      'bad',
      'No worker is alive while 1.2 M wait; 1 object pair is held: contacts → companies: 403 from HubSpot: no scope; nothing is lost. Start one: association-queue worker',
    ],
    [
      { perSecond: null, isolation: { inputs: 1, invalid: 0, callShare: 0 } },
      'good',
      'Working: 1.2 M left; looking for invalid ones among 1 input: 0 % of calls',
    ],
    [
      { hold: auth },
      'bad',
      `Held since 13:50: 401 from HubSpot: token expired; ${auth401}; next try 14:05; nothing is lost`,
    ],
    [
      { hold: daily },
      'bad',
      'Held since 13:50: the daily limit of 5 calls is used up; next try 14:05; nothing is lost',
    ],
    [
      { hold: limit },
      'warn',
      'Held since 13:59: 429 from HubSpot: slow down; next try in 9 s; nothing is lost',
    ],
    [
      { hold: { ...auth, since: null } },
      'bad',
      `Held: 401 from HubSpot: token expired; ${auth401}; next try 14:05; nothing is lost`,
    ],
    [{ hold: { ...auth, until: NOW - 1 } }, 'good', 'Flowing: 18,400/s, 1.2 M left, done about 14:01'],
    [{ backlog: 0, perSecond: 9 }, 'idle', 'Idle: everything is decided'],
    [
      { backlog: 0, workers: 0, rejected: 1 },
      'warn',
      'Idle: everything is decided; 1 rejected waits for you; nobody works: no worker is alive',
    ],
    [{ backlog: 0, workers: 0 }, 'warn', 'Idle: everything is decided; nobody works: no worker is alive'],
    [{ backlog: 0, rejected: 333 }, 'warn', 'Idle: everything is decided; 333 rejected wait for you'],
    [{ backlog: 0, rejected: 1 }, 'warn', 'Idle: everything is decided; 1 rejected waits for you'],
    [
      { backlog: 0, jobs: { waiting: 0, active: 0, delayed: 0, failed: 7 } },
      'warn',
      'Idle: everything is decided; 7 failed jobs wait for you',
    ],
    [
      { redis: { ...healthy, refusal: 'OOM command not allowed.', memory: full }, workers: 0 },
      'bad',
      'Redis is full (256 MB of 256 MB): producers are refused, nothing is lost. Give it more memory',
    ],
    [
      { redis: { ...healthy, memory: { ...full, usedBytes: 268_435_455 } } },
      'good',
      'Flowing: 18,400/s, 1.2 M left, done about 14:01',
    ],
    [
      { redis: { ...healthy, refusal: "READONLY You can't write against a read only replica." }, workers: 0 },
      'bad',
      "Redis refuses writes: READONLY You can't write against a read only replica; nothing is lost. REDIS_URL leads to a replica: set it to the primary",
    ],
    [
      { redis: { ...healthy, refusal: 'NOREPLICAS Not enough good replicas to write.' } },
      'bad',
      'Redis refuses writes: NOREPLICAS Not enough good replicas to write; nothing is lost. It misses replicas (min-replicas-to-write): bring them back',
    ],
    [
      { redis: { ...healthy, refusal: 'MISCONF Errors writing to the AOF file: No space left.' } },
      'bad',
      'Redis refuses writes: MISCONF Errors writing to the AOF file: No space left; nothing is lost. It cannot save to its disk: look at its log and at the disk',
    ],
    [
      { redis: { ...healthy, refusal: 'CLUSTERDOWN' } },
      'bad',
      'Redis refuses writes: CLUSTERDOWN; nothing is lost. Look at its log',
    ],
    [
      { redis: { ...healthy, evicts: { words: EVICTS, keys: 0 } }, backlog: 0 },
      'warn',
      `Idle: everything is decided; ${EVICTS}`,
    ],
    [
      { redis: { ...healthy, evicts: { words: EVICTS, keys: 1_200 } }, paused: FOREIGN },
      'bad',
      `Paused by another client: 1.2 M wait until somebody resumes; Redis has deleted 1,200 keys since its start: ${EVICTS}`,
    ],
    [
      { workers: 0, hold: auth },
      'bad',
      'No worker is alive while 1.2 M wait; nothing is lost. Start one: association-queue worker',
    ],
    [
      { paused: FOREIGN },
      'warn',
      'Paused by another client: 1.2 M wait until somebody resumes; nothing is lost',
    ],
    [
      { paused: { by: 'anna@ops', reason: 'HubSpot maintenance.', at: NOW - 600_000 } },
      'warn',
      'Paused by anna@ops since 13:50 (HubSpot maintenance): 1.2 M wait until somebody resumes; nothing is lost',
    ],
    [
      { paused: { by: 'anna@ops', reason: null, at: NOW }, backlog: 0 },
      'warn',
      'Paused by anna@ops since 14:00: what comes now waits until somebody resumes; nothing is lost',
    ],
    [
      { paused: FOREIGN, workers: 0 },
      'warn',
      'Paused by another client: 1.2 M wait until somebody resumes, and no worker is alive; nothing is lost',
    ],
    [
      { paused: FOREIGN, backlog: 0 },
      'warn',
      'Paused by another client: what comes now waits until somebody resumes; nothing is lost',
    ],
    [
      { paused: FOREIGN, inHand: 32_500, backlog: 132_500 },
      'warn',
      'Paused by another client: 100 k wait until somebody resumes; 32,500 in hand are still being finished; nothing is lost',
    ],
    [
      { callsLeftToday: 599 },
      'warn',
      "Flowing: 18,400/s, 1.2 M left; today's calls end before it: 599 left today",
    ],
    [{ callsLeftToday: null }, 'good', 'Flowing: 18,400/s, 1.2 M left, done about 14:01'],
    [{ perSecond: null }, 'good', 'Working: 1.2 M left'],
    [
      { perSecond: null, callsLeftToday: 0 },
      'warn',
      "Working: 1.2 M left; today's calls end before it: 0 left today",
    ],
    [
      {
        ...{ perSecond: null, oldestWaitingSeconds: 300 },
        jobs: { waiting: 2_400, active: 0, delayed: 0, failed: 0 },
      },
      'warn',
      'Waiting: 1.2 M left, none in hand, 2 workers alive; nothing is lost',
    ],
    [{ perSecond: 0 }, 'good', 'Starting: 1.2 M left'],
    [
      { perSecond: 0, oldestWaitingSeconds: 300 },
      'bad',
      'Not moving: 1.2 M left, 2 workers alive; look at their logs. Nothing is lost',
    ],
    [
      {
        perSecond: 0,
        backlog: 300,
        jobs: { waiting: 0, active: 0, delayed: 3, failed: 0 },
        nextTryAt: NOW + 119_000,
      },
      'warn',
      'Waiting to try 300 again, next try in 119 s; nothing is lost',
    ],
    [
      {
        perSecond: 0,
        backlog: 300,
        jobs: { waiting: 0, active: 0, delayed: 3, failed: 0 },
        nextTryAt: NOW + 120_000,
      },
      'warn',
      'Waiting to try 300 again, next try 14:02; nothing is lost',
    ],
  ])('says what the figures mean: %j', (figures, tone, text) => {
    expect(stateSentence({ ...flowing, ...figures }, clock)).toEqual({ tone, text });
  });

  test("tells how long the backlog takes only where the rate and the day's calls allow it", () => {
    expect(secondsLeft(flowing)).toBeCloseTo(1_200_000 / 18_400);
    for (const figures of [{ perSecond: null }, { perSecond: 0 }, { backlog: 0 }, { callsLeftToday: 3 }])
      expect(secondsLeft({ ...flowing, ...figures })).toBeNull();
  });

  test.each([
    ['Held since 14:05: 401 from HubSpot', 'Held since 14:05'],
    ['Flowing: 18,400/s, 1.2 M left', 'Flowing'],
    ['No worker is alive while 9,999 wait; nothing is lost', 'No worker is alive while 9,999 wait'],
    ['Redis is full (256 MB of 256 MB): nothing', 'Redis is full'],
  ])('shortens %j to the title %j', (text, title) => expect(stateTitle(text)).toBe(title));

  test.each([
    [0, '0'],
    [9_999, '9,999'],
    [18_432, '18,400'],
    [164_312, '164 k'],
    [1_234_567, '1.2 M'],
    [5e9, '5.0 G'],
  ])('shortens the figure %d', (n, text) => expect(short(n)).toBe(text));
});
