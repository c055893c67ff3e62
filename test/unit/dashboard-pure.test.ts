/** The dashboard's pure parts: the sentence, series, search, titles; the guard is dashboard-guard.test.ts. */
import { describe, expect, test } from '@jest/globals';
import { toSeries } from '../../src/dashboard/minutes.js';
import type { Overview, Reading } from '../../src/dashboard/overview.js';
import { answersText } from '../../src/dashboard/page/format.js';
import { type Contact, noticeText } from '../../src/dashboard/page/notice.js';
import { Rate } from '../../src/dashboard/rate.js';
import { healthOf } from '../../src/dashboard/redis-health.js';
import { fateOf, needles } from '../../src/dashboard/search.js';
import { heldText, sizeText, totalText } from '../../src/dashboard/text/rejection-words.js';
import {
  type StateFigures,
  secondsLeft,
  short,
  stateSentence,
  stateTitle,
} from '../../src/dashboard/text/state-sentence.js';
import { jobTitle } from '../../src/dashboard/web/board.js';
import { Poller } from '../../src/dashboard/web/poller.js';
import type { JobData } from '../../src/shared/contract/association.js';
import type { ConfigError } from '../../src/shared/contract/errors.js';
import { parseConfig } from '../../src/shared/runtime/config.js';
import { indexedRejections } from '../../src/shared/state/rejection-groups.js';
import { stateOf } from '../../src/worker/report/heartbeat.js';
import { eventually } from '../support/eventually.js';

const NOW = Date.parse('2026-03-01T14:00:00Z');
const clock = (ms: number) => new Date(ms).toISOString().slice(11, 16);

describe('the sentence', () => {
  const flowing: StateFigures = {
    now: NOW,
    redis: { refusal: '', memory: null, evicts: null },
    paused: false,
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
      { paused: true, heldPairs: { count: 1, first: noScope } },
      'warn',
      'Paused: 1.2 M wait until somebody resumes; 1 object pair is held: contacts → companies: 403 from HubSpot: no scope; nothing is lost',
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
    [{ backlog: 0, workers: 0 }, 'idle', 'Idle: everything is decided'],
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
      { redis: { ...healthy, evicts: { policy: 'allkeys-lru', keys: 0 } }, backlog: 0 },
      'warn',
      'Idle: everything is decided; Redis evicts keys when its memory is full, queued jobs among them: set maxmemory-policy to noeviction, not allkeys-lru',
    ],
    [
      { redis: { ...healthy, evicts: { policy: 'volatile-lru', keys: 1_200 } }, paused: true },
      'bad',
      'Paused: 1.2 M wait until somebody resumes; Redis has evicted 1,200 keys, perhaps those that keep the rate limit among them: set maxmemory-policy to noeviction, not volatile-lru',
    ],
    [
      { workers: 0, hold: auth },
      'bad',
      'No worker is alive while 1.2 M wait; nothing is lost. Start one: association-queue worker',
    ],
    [{ paused: true }, 'warn', 'Paused: 1.2 M wait until somebody resumes; nothing is lost'],
    [
      { paused: true, workers: 0 },
      'warn',
      'Paused: 1.2 M wait until somebody resumes, and no worker is alive; nothing is lost',
    ],
    [
      { paused: true, backlog: 0 },
      'warn',
      'Paused: what comes now waits until somebody resumes; nothing is lost',
    ],
    [
      { paused: true, inHand: 32_500, backlog: 132_500 },
      'warn',
      'Paused: 100 k wait until somebody resumes; 32,500 in hand are still being finished; nothing is lost',
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
        nextTryAt: NOW + 60_000,
      },
      'warn',
      'Waiting to try 300 again, next try 14:01; nothing is lost',
    ],
  ])('%j', (figures, tone, text) => {
    expect(stateSentence({ ...flowing, ...figures }, clock)).toEqual({ tone, text });
  });

  test('how long it takes is told only where the rate and the day allow it', () => {
    expect(secondsLeft(flowing)).toBeCloseTo(1_200_000 / 18_400);
    for (const figures of [{ perSecond: null }, { perSecond: 0 }, { backlog: 0 }, { callsLeftToday: 3 }])
      expect(secondsLeft({ ...flowing, ...figures })).toBeNull();
  });

  test.each([
    ['Held since 14:05: 401 from HubSpot', 'Held since 14:05'],
    ['Flowing: 18,400/s, 1.2 M left', 'Flowing'],
    ['No worker is alive while 9,999 wait; nothing is lost', 'No worker is alive while 9,999 wait'],
    ['Redis is full (256 MB of 256 MB): nothing', 'Redis is full'],
  ])('the title of %j is %j', (text, title) => expect(stateTitle(text)).toBe(title));

  test.each([
    [0, '0'],
    [9_999, '9,999'],
    [18_432, '18,400'],
    [164_312, '164 k'],
    [1_234_567, '1.2 M'],
    [5e9, '5.0 G'],
  ])('short(%d)', (n, text) => expect(short(n)).toBe(text));
});

test.each<[Partial<Contact>, string]>([
  [{}, ''],
  [{ lastWordAt: 0 }, ''],
  [{ lastWordAt: NOW - 5_000 }, ''],
  [
    { lastWordAt: NOW - 5_001 },
    'No word from the dashboard since 13:59; what you see is how it was then. Trying again …',
  ],
  [
    { lastWordAt: NOW - 60_000, trouble: { since: NOW - 90_000 }, unreachable: true },
    'No word from the dashboard since 13:59; what you see is how it was then. Trying again …',
  ],
  [{ unreachable: true }, 'The dashboard cannot be reached; what you see is how it was. Trying again …'],
  [{ trouble: { since: NOW } }, 'Redis cannot be read since 14:00; what you see is how it was.'],
])('what the page shows is old: %j', (contact, text) => {
  expect(noticeText({ lastWordAt: NOW, unreachable: false, trouble: null, ...contact }, NOW, clock)).toBe(
    text,
  );
});

test.each([
  [['207'], '207'],
  [new Array(37).fill('207'), '207 × 37'],
  [['207', '400 c-1', '207', ''], '207 × 2, 400 c-1'],
  [[], ''],
])('answers %j', (answers, text) => expect(answersText(answers)).toBe(text));

test('rejections in words: jobs that cannot be read are counted as jobs', () => {
  const invalid = { category: 'INVALID_JOB', associations: 0, jobs: 7 };
  const missing = { category: 'OBJECT_NOT_FOUND', associations: 1_200, jobs: 3 };
  expect(heldText(invalid)).toBe('7 jobs whose data cannot be read');
  expect(heldText({ ...invalid, jobs: 1 })).toBe('1 job whose data cannot be read');
  expect(heldText(missing)).toBe('1,200 associations');
  expect([sizeText(invalid), sizeText(missing)]).toEqual(['–', '1,200']);
  expect(totalText(1_200, [missing, invalid])).toBe(
    '1,200 associations and 7 jobs whose data cannot be read',
  );
  expect(totalText(0, [invalid])).toBe('7 jobs whose data cannot be read');
  expect(totalText(0, [])).toBe('');
});

describe('configuration', () => {
  const problems = (env: Record<string, string>): readonly string[] => {
    try {
      parseConfig(env, { dashboard: true });
      return [];
    } catch (error) {
      return (error as ConfigError).problems;
    }
  };
  test('elsewhere than on loopback it needs user and password; all problems at once, the password in none', () => {
    expect(problems({})).toEqual([]);
    expect(problems({ DASHBOARD_HOST: '0.0.0.0', DASHBOARD_PORT: 'x', DASHBOARD_READ_ONLY: 'yes' })).toEqual([
      expect.stringMatching(/^DASHBOARD_PORT "x" is not/),
      expect.stringMatching(/^DASHBOARD_READ_ONLY "yes" is not one of true, false/),
      expect.stringMatching(/^DASHBOARD_USER is not set: anybody who reaches 0.0.0.0/),
      expect.stringMatching(/^DASHBOARD_PASSWORD is not set: anybody/),
    ]);
    expect(problems({ DASHBOARD_PASSWORD: 'hunter2' })).toEqual([
      'DASHBOARD_USER is not set: the password needs a user',
    ]);
    expect(problems({ DASHBOARD_USER: 'me' })).toEqual([
      'DASHBOARD_PASSWORD is not set: the user needs a password',
    ]);
    expect(problems({ DASHBOARD_HOST: '::', DASHBOARD_USER: 'a:b', DASHBOARD_PASSWORD: 'hunter2' })).toEqual([
      'DASHBOARD_USER holds a colon, which no browser can send',
    ]);
  });
});

test('minutes become steps: counts are added, samples are the largest, batches have a mean', () => {
  const series = toSeries(
    [
      [
        { created: '5', batches: '2', inputs: '3000', backlog: '70' },
        { created: '7', backlog: '50', oldest: '9' },
      ],
      [{}, { callsRateLimited: '1', calls: '4' }],
    ],
    100,
    2,
  );
  expect(series).toMatchObject({
    at: [6_000, 6_120],
    stepSeconds: 120,
    created: [12, 0],
    calls: [0, 4],
    limited: [0, 1],
  });
  expect(series).toMatchObject({ fill: [1_500, null], backlog: [70, null], oldest: [9, null] });
});

test('the rate comes from readings that are far enough apart; until there are two, there is none', () => {
  const rate = new Rate();
  expect(rate.perSecond(300_000, 1_000)).toBeNull();
  expect(rate.perSecond(303_900, 1_400)).toBeNull();
  expect(rate.perSecond(304_000, 1_400)).toBeCloseTo(100);
  expect(rate.perSecond(310_000, 1_500)).toBeCloseTo(50);
  // nothing moved for as long as readings are remembered
  for (let at = 311_000; at <= 330_000; at += 1_000) rate.perSecond(at, 1_500);
  expect(rate.perSecond(331_000, 1_500)).toBe(0);
  // rejections were taken back: not a negative rate
  expect(rate.perSecond(332_000, 1_000)).toBeNull();
  // nobody looked for a while
  expect(rate.perSecond(337_000, 1_500)).toBeCloseTo(100);
  expect(rate.perSecond(400_000, 9_500)).toBeNull();
});

test.each([
  [200, 100, 'noeviction', { refusal: 'OOM', memory: { usedBytes: 200, maxBytes: 100 }, evicts: null }],
  [99, 100, 'noeviction', { refusal: '', memory: { usedBytes: 99, maxBytes: 100 }, evicts: null }],
  [200, 0, 'allkeys-lru', { refusal: '', memory: null, evicts: null }],
  [200, 100, 'allkeys-lru', { refusal: '', memory: null, evicts: { policy: 'allkeys-lru', keys: 7 } }],
  [
    99,
    100,
    'volatile-ttl',
    { refusal: '', memory: { usedBytes: 99, maxBytes: 100 }, evicts: { policy: 'volatile-ttl', keys: 7 } },
  ],
])('INFO: %i of %i bytes, %s', (used, most, policy, health) => {
  const info = `used_memory:${used}\r\nmaxmemory:${most}\r\nmaxmemory_policy:${policy}\r\nevicted_keys:7\r\n`;
  expect(healthOf('', info)).toEqual(health);
  expect(healthOf('READONLY no', info)).toEqual({ ...health, refusal: 'READONLY no' });
});
test('where INFO is forbidden, only the refusal is known', () =>
  expect(healthOf('', '')).toEqual({ refusal: '', memory: null, evicts: null }));

describe('search', () => {
  const data: JobData = {
    version: 1,
    ...{ fromObjectType: 'contacts', toObjectType: 'companies' },
    types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
    pairs: [['1', '2']],
    rejected: [
      { error: { at: '', attempt: 1, message: 'no', category: 'X', pairs: 1 }, pairs: [['3', '4']] },
    ],
  };
  test('what became of a pair, as far as its job knows', () => {
    expect(fateOf(data, ['1', '2'], 'wait')).toEqual({ fate: 'queued', errors: [] });
    const errors = [{ at: '', attempt: 1, message: 'later', pairs: 1 }];
    expect(fateOf({ ...data, errors }, ['1', '2'], 'delayed')).toEqual({ fate: 'retrying', errors });
    expect(fateOf(data, ['1', '2'], 'completed')).toEqual({ fate: 'created', errors: [] });
    expect(fateOf(data, ['3', '4'], 'failed')).toMatchObject({
      fate: 'rejected',
      errors: [{ message: 'no' }],
    });
    expect(fateOf(data, ['2', '1'], 'wait')).toBeUndefined();
  });
  test('ids that mean something in a pattern or in JSON are only themselves', () => {
    expect(needles(['1', 'a.b"%'])).toEqual([
      '1',
      'a.b\\"%',
      '"1","a.b\\"%"',
      '%[%s*"?0*1"?%s*,%s*"?a%.b%\\%"%%"?%s*%]',
    ]);
  });
});

test('a job is titled so that a person understands it', () => {
  const objectPair = {
    version: 1,
    fromObjectType: 'contacts',
    toObjectType: 'companies',
    types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
  };
  const pairs = (n: number) => Array.from({ length: n }, (_, at) => ['1', at]);
  const rejected = [{ error: { at: '', attempt: 1, message: 'no', pairs: 2 }, pairs: pairs(2) }];
  expect(jobTitle({ ...objectPair, pairs: pairs(312) })).toBe(
    '312 contacts → companies, HUBSPOT_DEFINED:279',
  );
  expect(jobTitle({ ...objectPair, pairs: [], rejected })).toBe(
    '2 rejected, contacts → companies, HUBSPOT_DEFINED:279',
  );
  expect(jobTitle({ ...objectPair, pairs: pairs(3), rejected })).toBe(
    '3 and 2 rejected, contacts → companies, HUBSPOT_DEFINED:279',
  );
  expect(jobTitle({ anything: 1 })).toBeUndefined();
});

test('a group is what a person would call the same', () => {
  const error = (message: string) => ({
    at: '2026-03-01T12:00:00Z',
    attempt: 1,
    category: 'X',
    message,
    pairs: 1,
  });
  const job = { version: 1 as const, fromObjectType: 'a', toObjectType: 'b', types: [], pairs: [] };
  const groups = indexedRejections(
    '7',
    {
      ...job,
      rejected: [
        { error: error('Contact 123 not found'), pairs: [['123', '1']] },
        { error: error('Contact 456 not found'), pairs: [['456', '1']] },
        { error: error('jane@example.com is no id'), pairs: [['jane@example.com', '1']] },
      ],
    },
    0,
  );
  expect(groups.map(({ associations, fields }) => [associations, fields[3]])).toEqual([
    [2, 'Contact … not found'],
    [1, '… is no id'],
  ]);
});

test.each([
  [{ stopping: true }, 'draining'],
  [{ running: false }, 'starting'],
  [{ held: true, inFlight: 1 }, 'held'],
  [{ inFlight: 1 }, 'sending'],
  [{ associations: 1 }, 'gathering'],
  [{}, 'idle'],
])('a worker with %j is %s', (now, state) => {
  expect(stateOf({ running: true, stopping: false, held: false, inFlight: 0, associations: 0, ...now })).toBe(
    state,
  );
});

describe('the poller', () => {
  /** Readings by hand: each waits until it is answered. */
  function overview() {
    const asked: { answer(reading: unknown): void; refuse(error: Error): void }[] = [];
    const read = () =>
      new Promise<Reading>((resolve, reject) => {
        asked.push({ answer: reading => resolve(reading as Reading), refuse: reject });
      });
    return { asked, overview: { read } as unknown as Overview };
  }

  test('one reading for all who look, parts only when they have changed, and none when nobody looks', async () => {
    const { asked, overview: one } = overview();
    const poller = new Poller(one);
    const heard: string[][] = [[], [], []];
    const ends = heard.map(list => poller.watch((part, json) => list.push(`${part} ${json}`)));
    expect(asked).toHaveLength(1);
    asked[0]?.answer({ figures: 1, workers: 1 });
    await eventually(() => expect(heard[2]).toEqual(['figures 1', 'workers 1', 'trouble null']));
    expect(heard[0]).toEqual(heard[2]);
    await eventually(() => expect(asked).toHaveLength(2));
    asked[1]?.answer({ figures: 2, workers: 1 });
    await eventually(() => expect(heard[0]?.slice(3)).toEqual(['figures 2']));
    for (const end of ends) end();
    expect(poller.viewers).toBe(0);
    await eventually(() => expect(poller.isReading).toBe(false));
    expect(asked).toHaveLength(2);
    // who comes later is not shown what is old by then
    const late: string[] = [];
    const end = poller.watch(part => late.push(part));
    expect(late).toEqual([]);
    expect(asked).toHaveLength(3);
    end();
    poller.stop();
  });

  test('with Redis away it says so, since when, and goes on trying', async () => {
    const { asked, overview: one } = overview();
    const poller = new Poller(one);
    const heard: string[] = [];
    poller.watch((part, json) => heard.push(`${part} ${json}`));
    asked[0]?.refuse(new Error('gone'));
    await eventually(() =>
      expect(heard).toEqual([expect.stringMatching(/^trouble \{"since":\d+,"message":"gone"\}$/)]),
    );
    await eventually(() => expect(asked).toHaveLength(2));
    // each time, so that a page that hears nothing knows that it is cut off
    asked[1]?.refuse(new Error('still gone'));
    await eventually(() => expect(asked).toHaveLength(3));
    expect(heard[1]).toBe(heard[0]);
    asked[2]?.answer({ figures: 1 });
    await eventually(() => expect(heard.slice(2)).toEqual(['figures 1', 'trouble null']));
    poller.stop();
  });
});
