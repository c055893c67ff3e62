/** `stats` against a real Redis: the totals, the quota and the hold, on Redis' own clock. */

import { expect, test } from '@jest/globals';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { withQueue } from '../../src/dashboard/connection.js';
import { readStats } from '../../src/dashboard/overview/stats.js';
import { pauseQueue, resumeQueue } from '../../src/dashboard/pause.js';
import { type Config, parseConfig } from '../../src/shared/runtime/config.js';
import { dayIn } from '../../src/shared/state/day.js';
import { reportAlive } from '../../src/shared/state/worker-reports.js';
import { useQueue } from '../support/queue.js';

const on = useQueue(import.meta.url);
const { url, redis } = on;

const configWith = (env: Record<string, string> = {}): Config =>
  parseConfig({ REDIS_URL: url, QUEUE_PREFIX: on.prefix, ...env });
const read = (config = configWith()) => withQueue(config, access => readStats(access, config));
const redisNow = async () => Math.floor(Number((await redis.time())[0]) * 1_000);

test('stats of a queue that does not exist yet are zeros in the shape of the contract, and create nothing', async () => {
  await on.queue.close(); // a producer's queue writes its meta key
  await redis.del(`${bullmqKeys(on.keys).jobs}meta`);
  const { stats } = await read();
  expect(stats).toStrictEqual({
    account: 'default',
    jobs: { waiting: 0, active: 0, delayed: 0, failed: 0, completed: 0 },
    associations: { created: 0, rejected: 0, cancelled: 0, retried: 0 },
    calls: { total: 0, rateLimited: 0, failed: 0 },
    batches: { sent: 0, meanInputs: 0 },
    quota: {
      limit: 100,
      windowMs: 10_000,
      usedInWindow: 0,
      usedToday: 0,
      dailyLimit: 500_000,
      heldUntil: null,
      holdReason: null,
    },
    oldestWaitingSeconds: null,
    paused: null,
    workers: { alive: 0, standby: 0, vanished: 0, lastVanishedAt: null },
    isolation: { inputs: 0, invalid: 0, callShare: 0 },
    heldPairs: [],
  });
  expect(await redis.keys(`${on.prefix}:*`)).toEqual([]);
});

test('stats have the totals that the replicas counted', async () => {
  await redis.hset(on.keys.counters, {
    created: 4_000,
    rejected: 2,
    retried: 3,
    cancelled: 5,
    calls: 5,
    callsRateLimited: 1,
    callsFailed: 2,
    batches: 3,
    inputs: 4_004,
  });
  const { stats } = await read();
  expect(stats.associations).toEqual({ created: 4_000, rejected: 2, cancelled: 5, retried: 3 });
  expect(stats.calls).toEqual({ total: 5, rateLimited: 1, failed: 2 });
  expect(stats.batches).toEqual({ sent: 3, meanInputs: 1_334.67 });
});

test('stats count prioritized jobs as waiting, and say for how long the oldest has waited', async () => {
  const now = Date.now();
  await on.queue.add('associate', {}, { timestamp: now - 5_000 });
  await on.queue.add('associate', {}, { timestamp: now - 1_000 });
  await on.queue.add('associate', {}, { timestamp: now - 60_000, priority: 1 });
  await on.queue.add('associate', {}, { delay: 60_000 });
  const { stats } = await read();
  expect(stats.jobs).toMatchObject({ waiting: 3, delayed: 1 });
  expect(stats.oldestWaitingSeconds).toBeGreaterThanOrEqual(60);
  expect(stats.oldestWaitingSeconds).toBeLessThan(70);
});

test('stats say who paused the queue, why and since when; of another client they only say that it is paused', async () => {
  await on.queue.add('associate', {});
  await on.queue.pause();
  const nobody = { by: null, reason: null, at: null };
  expect((await read()).stats).toMatchObject({ paused: nobody, jobs: { waiting: 1 } });
  const before = await redisNow();
  await withQueue(configWith(), access => pauseQueue(access, 'anna@ops', ' maintenance '));
  const { paused } = (await read()).stats;
  expect(paused).toEqual({ by: 'anna@ops', reason: 'maintenance', at: expect.any(String) });
  expect(Date.parse(paused?.at ?? '')).toBeGreaterThanOrEqual(before);
  expect(await withQueue(configWith(), resumeQueue)).toBe(true);
  expect((await read()).stats.paused).toBeNull();
  await on.queue.pause();
  expect((await read()).stats.paused).toEqual(nobody);
});

test('stats count calls of the window that were sent, not earlier ones and not reservations to come', async () => {
  const now = await redisNow();
  await redis.zadd(
    on.keys.window,
    now - 20_000,
    'before',
    now - 5_000,
    'in',
    now - 1,
    'in too',
    now + 60_000,
    'to come',
  );
  expect((await read()).stats.quota).toMatchObject({ usedInWindow: 2, limit: 100 });
});

test("stats count the calls of the account's own day", async () => {
  const day = new Date(await redisNow()).toISOString().slice(0, 10);
  await redis.hset(on.keys.daily, { [day]: 12_034, '1999-01-01': 7 });
  expect((await read()).stats.quota.usedToday).toBe(12_034);
  expect((await read(configWith({ DAILY_CALL_LIMIT: '0' }))).stats.quota.dailyLimit).toBe(0);
});

test('stats show the limits that the workers report, and the configured ones while none has', async () => {
  const now = await redisNow();
  await redis.zadd(on.keys.window, now - 15_000, 'in a longer window', now - 5_000, 'in any');
  const own = configWith({ RATE_LIMIT_CALLS: '190', DAILY_CALL_LIMIT: '1000000' });
  expect((await read(own)).stats.quota).toMatchObject({
    ...{ limit: 190, windowMs: 10_000, dailyLimit: 1_000_000, usedInWindow: 1 },
  });
  const limits = { limit: 42, windowMs: 20_000, dailyLimit: 0, timeZone: 'Pacific/Kiritimati' };
  await redis.hset(on.keys.capacity, { ...limits, batchMaxInputs: 500, maxConcurrentCalls: 3 });
  const { day } = dayIn('Pacific/Kiritimati', now);
  await redis.hset(on.keys.daily, { [day]: 7 });
  const said = await read(own);
  expect(said.stats.quota).toMatchObject({
    ...{ limit: 42, windowMs: 20_000, dailyLimit: 0, usedInWindow: 2, usedToday: 7 },
  });
  expect(said.queueState.capacity.limits).toMatchObject({ batchMaxInputs: 500, maxConcurrentCalls: 3 });
});

test('stats show a hold while it lasts', async () => {
  const until = (await redisNow()) + 60_000;
  await redis.hset(on.keys.hold, { until, reason: 'HubSpot answered 429', kind: 'rate-limit' });
  expect((await read()).stats.quota).toMatchObject({
    heldUntil: new Date(until).toISOString(),
    holdReason: 'HubSpot answered 429',
  });
  await redis.hset(on.keys.hold, { until: (await redisNow()) - 1_000 });
  expect((await read()).stats.quota).toMatchObject({ heldUntil: null, holdReason: null });
});

test('stats show the object pairs that are still held, whatever cannot be read beside them', async () => {
  const now = await redisNow();
  await redis.hset(on.keys.heldPairs, {
    'contacts/companies HUBSPOT_DEFINED:279': JSON.stringify({
      until: now + 60_000,
      reason: '403',
      strikes: 1,
    }),
    'contacts/deals HUBSPOT_DEFINED:4': JSON.stringify({ until: now - 60_000, reason: '403', strikes: 1 }),
    'contacts/tickets HUBSPOT_DEFINED:16': '{',
  });
  const held = { objectPair: 'contacts/companies HUBSPOT_DEFINED:279', reason: '403' };
  const { queueState, stats } = await read();
  expect(queueState.heldPairs).toEqual([{ ...held, until: now + 60_000 }]);
  expect(stats.heldPairs).toEqual([{ ...held, until: new Date(now + 60_000).toISOString() }]);
});

test('stats sum what the living workers search among refused inputs', async () => {
  const report = {
    ...{ version: '0.1.0', host: 'h', pid: 1, startedAt: 1, rssBytes: 1, state: 'sending' as const },
    ...{ inFlight: 1, maxInFlight: 10, jobs: 1, associations: 2_000 },
    search: { inputs: 2_000, invalid: 305, calls: 50, suspectCalls: 20 },
  };
  for (const id of ['a', 'b']) await reportAlive(redis, on.keys, { ...report, id });
  expect((await read()).stats.isolation).toEqual({ inputs: 4_000, invalid: 610, callShare: 0.4 });
});

test('stats say at once that Redis is away, in a sentence without the password', async () => {
  const config = parseConfig({ REDIS_URL: 'redis://user:hunter2@127.0.0.1:1' });
  const begun = Date.now();
  const failure = withQueue(config, access => readStats(access, config));
  await expect(failure).rejects.toThrow(/^Redis at redis:\/\/127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED/);
  await expect(failure).rejects.not.toThrow(/hunter2/);
  expect(Date.now() - begun).toBeLessThan(5_000);
});
