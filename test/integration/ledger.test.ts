/** The ledger on a real Redis: data and totals change together, once, and only with the job's lock. */

import { beforeEach, describe, expect, it } from '@jest/globals';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import type { JobData, Pair, Rejected } from '../../src/shared/contract/association.js';
import { accountKeys, type Keys } from '../../src/shared/contract/keys.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { openRedis } from '../../src/shared/runtime/redis.js';
import { type BatchRecord, Ledger, type LedgerEntry } from '../../src/worker/jobs/ledger.js';
import { eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis.js';
import { CONTACT_TO_COMPANY } from '../support/samples.js';
import { pairsOf, settleIn } from '../support/worker-samples.js';

const test = useRedis(import.meta.url);
let keys: Keys;
let ledger: Ledger;
/** events of the warnings */
let refusals: string[];
beforeEach(() => {
  keys = accountKeys(test.newPrefix());
  refusals = [];
  const logger = createLogger('silent', 'test');
  logger.warn = (({ event }: { event: string }) => refusals.push(event)) as typeof logger.warn;
  ledger = new Ledger(test.redis, keys, logger);
});

const data = (pairs: number): JobData => ({
  version: 1,
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  types: [CONTACT_TO_COMPANY],
  pairs: pairsOf(pairs),
});
/** A job as BullMQ keeps it while a worker has it. */
async function job(jobId: string, token = 'mine'): Promise<void> {
  await test.redis.hset(bullmqKeys(keys).jobs + jobId, 'data', JSON.stringify(data(3)), 'ats', 1);
  await test.redis.set(`${bullmqKeys(keys).jobs}${jobId}:lock`, token);
}
const entry = (jobId: string, more: Partial<LedgerEntry> = {}) => ({
  jobId,
  token: 'mine',
  ...more,
});
const batch = (id: string, inputs: number): BatchRecord => ({
  ...{ id, inputs, objectPair: 'contacts/companies', trigger: 'full', counts: { created: inputs } },
  ...{ answers: ['400 c-1', '201'], ms: 12 },
});
const counters = () => test.redis.hgetall(keys.counters);
const dataOf = async (jobId: string) =>
  JSON.parse((await test.redis.hget(bullmqKeys(keys).jobs + jobId, 'data')) ?? '') as unknown;

describe('a settlement', () => {
  it('writes data and totals together', async () => {
    await job('1');
    expect(await settleIn(ledger, entry('1', { data: data(1), created: 1, rejected: 2, retried: 4 }))).toBe(
      true,
    );
    expect(await dataOf('1')).toEqual(data(1));
    expect(await counters()).toEqual({ created: '1', rejected: '2', retried: '4' });
    expect((await test.redis.hkeys(`${bullmqKeys(keys).jobs}1`)).sort()).toEqual(['ats', 'data']);
  });

  it('does not touch a job that another worker has, or that was removed', async () => {
    await job('1', 'theirs');
    const settled = await Promise.all([
      settleIn(ledger, entry('1', { data: data(1), created: 1 })),
      settleIn(ledger, entry('1', { created: 3 })),
      settleIn(ledger, entry('gone', { created: 3 })),
      settleIn(ledger, entry('gone', { data: data(1), retried: 3 })),
    ]);
    expect(settled).toEqual([false, false, false, false]);
    expect(await dataOf('1')).toEqual(data(3));
    expect(await counters()).toEqual({});
    expect(await test.redis.exists(`${bullmqKeys(keys).jobs}gone`)).toBe(0);
  });

  it('a copy of a job from before its lock ran out does not stand in the way of the good one', async () => {
    await job('1');
    const stale = entry('1', { token: 'earlier', data: data(1), created: 2 });
    expect(
      await Promise.all([settleIn(ledger, stale), settleIn(ledger, { ...stale, token: 'mine' })]),
    ).toEqual([false, true]);
    expect(await counters()).toEqual({ created: '2' });
  });

  it('counts a job about to complete once, even when it runs again', async () => {
    await job('1');
    const done = entry('1', { created: 3 });
    expect(await settleIn(ledger, done)).toBe(true);
    expect(await dataOf('1')).toEqual(data(3));
    // its worker died before it could complete the job
    await test.redis.set(`${bullmqKeys(keys).jobs}1:lock`, 'next');
    expect(await settleIn(ledger, { ...done, token: 'next' })).toBe(true);
    expect(await counters()).toEqual({ created: '3', jobsCompleted: '1' });
  });

  it('takes a rejection back', async () => {
    await job('1');
    await settleIn(ledger, entry('1', { data: data(0), rejected: 3 }));
    await settleIn(ledger, entry('1', { data: data(3), rejected: -3 }));
    expect(await counters()).toEqual({ rejected: '0' });
  });

  it("counts a gateway's request along, once, and publishes its completion", async () => {
    const heard: string[] = [];
    const subscriber = test.redis.duplicate();
    subscriber.on('message', channel => heard.push(channel));
    const request = `${keys.requests}r`;
    await subscriber.subscribe(request);
    const counts = () => test.redis.hmget(request, 'created', 'rejected');
    const isComplete = async () => (await test.redis.hexists(request, 'doneAt')) === 1;
    try {
      await test.redis.hset(request, { accepted: 6, created: 0, rejected: 0 });
      for (const id of ['1', '2']) await job(id);
      const done = entry('1', { created: 3, requestId: 'r' });
      await Promise.all([
        settleIn(ledger, done),
        settleIn(ledger, entry('2', { data: data(2), created: 1, retried: 2, requestId: 'r' })),
      ]);
      await settleIn(ledger, done); // it ran again
      expect([await counts(), await isComplete()]).toEqual([['4', '0'], false]);
      await settleIn(ledger, entry('2', { data: data(0), rejected: 2, requestId: 'r' }));
      expect([await counts(), await isComplete()]).toEqual([['4', '2'], true]);
      await eventually(() => expect(heard).toEqual([request]));
      // retried by an operator
      await settleIn(ledger, entry('2', { data: data(2), rejected: -2, requestId: 'r' }));
      expect([await counts(), await isComplete()]).toEqual([['4', '0'], false]);
    } finally {
      subscriber.disconnect();
    }
  });

  it('a request that does not exist is not counted', async () => {
    await job('1');
    await settleIn(ledger, entry('1', { created: 3, requestId: 'from-the-library' }));
    expect(await test.redis.keys(`${keys.requests}*`)).toEqual([]);
    expect(await counters()).toEqual({ created: '3', jobsCompleted: '1' });
  });

  it('has an answer for each of many jobs', async () => {
    const ids = Array.from({ length: 1_203 }, (_, index) => String(index));
    for (const id of ids) if (Number(id) % 3 !== 0) await job(id, Number(id) % 3 === 1 ? 'mine' : 'theirs');
    const before = Number(
      /cmdstat_evalsha:calls=(\d+)/.exec(await test.redis.info('commandstats'))?.[1] ?? 0,
    );
    const settled = await Promise.all(
      ids.map(id =>
        settleIn(ledger, entry(id, Number(id) % 2 === 0 ? { created: 1 } : { data: data(1), retried: 2 })),
      ),
    );
    const after = Number(/cmdstat_evalsha:calls=(\d+)/.exec(await test.redis.info('commandstats'))?.[1] ?? 0);
    expect(settled).toEqual(ids.map(id => Number(id) % 3 === 1));
    const mine = ids.map(Number).filter(id => id % 3 === 1);
    expect(await counters()).toEqual({
      created: String(mine.filter(id => id % 2 === 0).length),
      jobsCompleted: String(mine.filter(id => id % 2 === 0).length),
      retried: String(2 * mine.filter(id => id % 2 === 1).length),
    });
    // three calls of 500 jobs at most; others may use this Redis too, but not in this number
    expect(after - before).toBeLessThan(100);
  });

  it('fails all who wait when Redis is away, and none of them hangs', async () => {
    const away = openRedis(test.url, 'hasty');
    const broken = new Ledger(away, keys, createLogger('silent', 'test'));
    await away.connect();
    away.disconnect();
    const settled = await Promise.allSettled(
      ['1', '2'].map(id => settleIn(broken, entry(id, { created: 1 }))),
    );
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    broken.countCall('200'); // never fails the work
    broken.countBatch(batch('b', 3));
  });
});

it('counts what Redis refused once more, when it takes it', async () => {
  await test.redis.set(keys.counters, 'of somebody else');
  ledger.countCall('201');
  ledger.countBatch(batch('refused', 3));
  await eventually(async () => expect(refusals).toContain('not counted'));
  ledger.countCall('429');
  await test.redis.del(keys.counters);
  await eventually(async () =>
    expect(await counters()).toMatchObject({ calls: '2', callsRateLimited: '1', batches: '1', inputs: '3' }),
  );
  expect(await test.redis.xlen(keys.batches)).toBe(1);
});

it('the ledger counts calls and batches', async () => {
  for (const status of ['200', '201', '207', '429', '400', 'TIMEOUT']) ledger.countCall(status);
  ledger.countBatch(batch('b-1', 2_000));
  ledger.countBatch(batch('b-2', 7));
  await eventually(async () =>
    expect(await counters()).toEqual({
      calls: '6',
      callsRateLimited: '1',
      callsFailed: '2',
      batches: '2',
      inputs: '2007',
    }),
  );
  expect(await minutes()).toMatchObject({
    calls: 6,
    batches: 2,
    inputs: 2_007,
    'status:429': 1,
    'status:TIMEOUT': 1,
  });
  const [[, fields] = []] = await test.redis.xrange(keys.batches, '-', '+');
  expect(fields).toEqual(expect.arrayContaining(['id', 'b-1', 'answers', '400 c-1\n201', 'created', '2000']));
});

/** All minutes of this test together; a test may cross the border of a minute. */
async function minutes(): Promise<Record<string, number>> {
  const sum: Record<string, number> = {};
  for (const key of await test.redis.keys(`${keys.minutes}*`)) {
    expect(await test.redis.ttl(key)).toBeGreaterThan(47 * 3_600);
    for (const [name, by] of Object.entries(await test.redis.hgetall(key)))
      sum[name] = (sum[name] ?? 0) + Number(by);
  }
  return sum;
}

describe('the index of rejections', () => {
  const rejection = (message: string, at: string, ...pairs: Pair[]): Rejected => ({
    error: { at, attempt: 1, httpStatus: 400, category: 'OBJECT_NOT_FOUND', message, pairs: pairs.length },
    pairs,
  });
  const missing = (id: string, minute = '00') =>
    rejection(`No contact with ID ${id} exists`, `2026-03-01T12:${minute}:00.000Z`, [id, '2']);
  const rejected = (...all: Rejected[]): JobData => ({ ...data(0), rejected: all });
  const groups = async () => {
    const flat = await test.redis.zrange(keys.rejections, '0', '-1', 'WITHSCORES');
    const ids = flat.filter((_, at) => at % 2 === 0);
    return Promise.all(
      ids.map(async (id, at) => ({
        ...(await test.redis.hgetall(keys.rejection + id)),
        associations: Number(flat[2 * at + 1]),
        jobs: (await test.redis.smembers(`${keys.rejection}${id}:jobs`)).sort(),
      })),
    );
  };
  const indexKeys = async () => (await test.redis.keys(`${keys.rejection.slice(0, -1)}*`)).length;

  it('has one group for the same words, whatever the ids; and is in step with the totals', async () => {
    await Promise.all(['1', '2', '3'].map(id => job(id)));
    await settleIn(ledger, entry('1', { data: rejected(missing('101'), missing('102', '05')), rejected: 2 }));
    await settleIn(ledger, entry('2', { data: rejected(missing('103', '01')), rejected: 1 }));
    await settleIn(ledger, entry('3', { created: 3 }));
    const [group, ...others] = await groups();
    expect(others).toEqual([]);
    expect(group).toMatchObject({
      ...{
        category: 'OBJECT_NOT_FOUND',
        from: 'contacts',
        to: 'companies',
        associations: 3,
        jobs: ['1', '2'],
      },
      message: 'No contact with ID … exists',
      first: String(Date.parse('2026-03-01T12:00:00Z')),
      last: String(Date.parse('2026-03-01T12:05:00Z')),
    });
    expect(await minutes()).toMatchObject({ created: 3, rejected: 3 });
  });

  it('goes down when rejections are taken back, and leaves nothing behind', async () => {
    await job('1');
    const first = {
      data: rejected(missing('101'), rejection('abc-def is bad', '', ['abc-def', '1'])),
      rejected: 2,
    };
    await settleIn(ledger, entry('1', first));
    expect((await groups()).map(each => (each as unknown as { message: string }).message).sort()).toEqual([
      'No contact with ID … exists',
      '… is bad',
    ]);
    await settleIn(ledger, entry('1', first)); // sent again after a lost connection
    expect((await groups()).map(each => each.associations)).toEqual([1, 1]);
    await settleIn(ledger, entry('1', { data: data(2), rejected: -2 }));
    expect(await groups()).toEqual([]);
    expect(await indexKeys()).toBe(0);
    expect(await minutes()).toMatchObject({ rejected: 2, reopened: 2 });
  });

  it('is bounded: past a thousand different texts further ones share a group', async () => {
    await Promise.all(['1', '2'].map(id => job(id)));
    const letters = (n: number) => [...String(n)].map(digit => 'abcdefghij'[Number(digit)]).join('');
    const many = Array.from({ length: 1_010 }, (_, n) =>
      rejection(`text ${letters(n)}`, '', ['1', String(n)]),
    );
    await settleIn(ledger, entry('1', { data: rejected(...many), rejected: 1_010 }));
    const all = await groups();
    expect(all).toHaveLength(1_001);
    expect(all.find(each => each.associations > 1)).toMatchObject({
      category: 'OTHER',
      associations: 10,
      jobs: ['1'],
    });
    await settleIn(ledger, entry('1', { data: data(1), rejected: -1_010 }));
    expect(await indexKeys()).toBe(0);
  });

  it('a job remembers the batches that its pairs rode in, the latest ones', async () => {
    await job('1');
    await settleIn(ledger, entry('1', { data: data(2), retried: 2, batches: 'x-1 x-2' }));
    await settleIn(ledger, entry('1', { created: 2, batches: 'x-3' }));
    const marks = await test.redis.hmget(
      `${bullmqKeys(keys).jobs}1`,
      'associationsBatches',
      'associationsCounted',
    );
    expect(marks).toEqual([' x-1 x-2', '2 x-3']);
  });
});
