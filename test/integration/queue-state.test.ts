/** The state of the queue, read in one round trip: on a real Redis with data as workers and BullMQ write it. */
import { expect, test } from '@jest/globals';
import { JOB_NAME } from '../../src/shared/contract/keys.js';
import { writeCapacity } from '../../src/shared/state/capacity.js';
import { type QueueState, queueStateReader } from '../../src/shared/state/queue-state.js';
import { hearReplicas, reportAlive } from '../../src/shared/state/worker-reports.js';
import { CapacityMeter } from '../../src/worker/report/capacity-meter.js';
import { eventually } from '../support/eventually.js';
import { useQueue } from '../support/queue.js';
import { queueStateOf } from '../support/queue-state.js';
import { contactsToCompanies, goodPairs } from '../support/samples.js';

const on = useQueue(import.meta.url);
const { redis } = on;
const own = queueStateOf({}).capacity.limits;
const read = (): Promise<QueueState> => queueStateReader(on.keys, own)(redis);
const job = (pairs: number) => ({ ...contactsToCompanies, pairs: goodPairs(pairs) });

test('the state of a queue that does not exist yet is empty', async () => {
  const state = await read();
  const { now, quota } = state;
  const { msUntilReset } = quota;
  expect(state).toEqual(queueStateOf({ now, quota: { msUntilReset } }));
});

test('the state has jobs, associations and the oldest of all, whatever its priority', async () => {
  const now = Date.now();
  await on.queue.add(JOB_NAME, job(10), { timestamp: now - 5_000 });
  await on.queue.add(JOB_NAME, job(20), { timestamp: now - 1_000 });
  await on.queue.add(JOB_NAME, job(30), { timestamp: now - 2_000, priority: 1 });
  await on.queue.add(JOB_NAME, job(30), { timestamp: now - 9_000, priority: 5 });
  await on.queue.add(JOB_NAME, job(30), { timestamp: now - 60_000, priority: 70 });
  await on.queue.add(JOB_NAME, job(40), { timestamp: now - 600_000, delay: 900_000 });
  await on.queue.pause();
  const state = await read();
  expect(state.jobs).toEqual({ waiting: 5, active: 0, delayed: 1, failed: 0, completed: 0 });
  expect(state).toMatchObject({ backlogAssociations: 160, paused: { by: null } });
  expect(Math.round((state.oldestWaitingSeconds ?? 0) / 10)).toBe(6);
  expect(state.nextTryAt).toBe(now + 300_000);
});

test("the state has the limits that the workers report, not the reader's own settings", async () => {
  const limits = { ...own, limit: 190, windowMs: 1_000, dailyLimit: 0, maxConcurrentCalls: 5 };
  await redis.hset(on.keys.capacity, writeCapacity({ limits, callMs: 250, busyMs: undefined }));
  const now = Date.now();
  await redis.zadd(on.keys.window, now - 5_000, 'before', now - 300, 'in');
  const state = await read();
  expect(state.capacity).toEqual({ limits, callMs: 250, busyMs: undefined });
  expect(state.quota).toMatchObject({ limit: 190, usedInWindow: 1, leftToday: Number.POSITIVE_INFINITY });
});

test('the state has the capacity that a worker has measured', async () => {
  const meter = new CapacityMeter(redis, on.keys, () => ({ ...own, limit: 190 }), 20);
  await meter.start();
  await eventually(async () => expect((await read()).quota.limit).toBe(190));
  expect((await read()).capacity.callMs).toBeUndefined();
  for (let call = 0; call < 5; call++) meter.call(250);
  const { capacity } = await eventually(async () => {
    const state = await read();
    expect(state.capacity.callMs).toBeDefined();
    return state;
  });
  // a replica that makes no calls any more does not repeat what it measured once
  await redis.hset(on.keys.capacity, 'callMs', 900, 'limit', 1);
  await eventually(async () => expect((await read()).quota.limit).toBe(190));
  await meter.stop();
  expect((await read()).capacity.callMs).toBe(900);
  expect(capacity.callMs).toBe(250);
  expect(capacity.busyMs).toBeGreaterThan(0);
});

test("the state has the calls of the account's day, used and left until its midnight", async () => {
  await redis.hset(
    on.keys.capacity,
    writeCapacity({ limits: { ...own, timeZone: 'Asia/Kolkata' }, callMs: 1, busyMs: 1 }),
  );
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Kolkata' }).format(Date.now());
  await redis.hset(on.keys.daily, { [day]: 499_000, '1999-01-01': 7 });
  const { quota } = await read();
  expect(quota).toMatchObject({ usedToday: 499_000, leftToday: 1_000 });
  expect(quota.msUntilReset > 0 && quota.msUntilReset <= 86_400_000).toBe(true);
});

test('the state has the hold of the account, also between two probes, and those of object pairs while they last', async () => {
  const now = Date.now();
  await redis.hset(on.keys.hold, { until: now + 60_000, kind: 'migration', reason: '477' });
  await redis.hset(on.keys.heldPairs, {
    'contacts/companies': JSON.stringify({ until: now + 60_000, reason: '403', strikes: 1 }),
    'contacts/deals': JSON.stringify({ until: now - 1, reason: '403', strikes: 1 }),
    'contacts/tickets': '{',
  });
  expect(await read()).toMatchObject({
    hold: { kind: 'migration', reason: '477', since: null, until: now + 60_000 },
    heldPairs: [{ objectPair: 'contacts/companies', until: now + 60_000, reason: '403' }],
  });
  await redis.hset(on.keys.hold, { until: now - 1, kind: 'auth', strikes: 2 });
  expect((await read()).hold).toBeNull(); // and nothing to probe with
  await on.queue.add(JOB_NAME, job(1));
  const probing = await read();
  expect(probing.hold).toMatchObject({ kind: 'auth', until: probing.now });
});

test('the state ignores what another client has written as the report of a worker', async () => {
  await redis.zadd(on.keys.workers, Date.now(), 'a', Date.now(), 'b', Date.now(), 'c');
  await redis.mset(`${on.keys.worker}a`, '{', `${on.keys.worker}b`, 'null', `${on.keys.worker}c`, '[]');
  expect(await hearReplicas(redis, on.keys)).toEqual([]);
  expect((await read()).workers.alive).toEqual([]);
});

test('the state counts workers that live, and not one that fell silent', async () => {
  const report = { version: '0', host: 'h', pid: 1, startedAt: 0, rssBytes: 0, state: 'idle' as const };
  const load = { inFlight: 0, maxInFlight: 10, jobs: 0, associations: 0 };
  await reportAlive(redis, on.keys, { id: 'one', ...report, ...load });
  await reportAlive(redis, on.keys, { id: 'two', ...report, ...load });
  await redis.zadd(on.keys.workers, Date.now() - 11_000, 'three');
  const { alive, vanished } = (await read()).workers;
  expect(alive.map(({ id }) => id).sort()).toEqual(['one', 'two']);
  expect(vanished).toEqual([{ id: 'three', lastSeen: expect.any(Number) }]);
});
