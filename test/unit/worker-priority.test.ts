/** High priority in the worker's parts: whose turn it is, what rides along, what is let into memory, who is fetched first. */
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import { accountKeys, HIGH_PRIORITY_BELOW, producerJobOptions, queueName } from '../../src/shared/queue.js';
import { loadScript } from '../../src/shared/script.js';
import { Arrivals } from '../../src/worker/arrivals.js';
import { Coalescer, type Submission, settle } from '../../src/worker/coalescer.js';
import { CREATED } from '../../src/worker/outcome.js';
import { Prefetch } from '../../src/worker/prefetch.js';
import { useRedis } from '../support/redis.js';
import { CONTACT_TO_COMPANY, pairsOf } from '../support/worker-samples.js';

const LINGER_MS = 10;
const BACKLOG_LINGER_MS = 80;

function bench(maxInputs = 4) {
  let now = 0;
  let changes = 0;
  const coalescer = new Coalescer({
    maxInputs,
    lingerMs: high => (high ? LINGER_MS : BACKLOG_LINGER_MS),
    now: () => now,
    onChange: () => {
      changes += 1;
    },
  });
  const submit = (fromObjectType: string, first: number, count: number, more: Partial<Submission> = {}) =>
    coalescer.submit({
      fromObjectType,
      toObjectType: 'companies',
      types: [CONTACT_TO_COMPANY],
      pairs: pairsOf(first + count - 1).slice(first - 1),
      suspicion: 0,
      ...more,
    });
  const seal = () => {
    const batch = coalescer.seal();
    for (const input of batch?.inputs ?? []) settle(input, CREATED);
    return batch && `${batch.trigger} ${batch.fromObjectType} ${batch.inputs.map(({ from }) => from)}`;
  };
  return {
    coalescer,
    submit,
    seal,
    pass: (ms: number) => {
      now += ms;
    },
    get changes() {
      return changes;
    },
  };
}

describe('a batch', () => {
  it('begins with high priority, in its own order, and is filled with the others', async () => {
    const { coalescer, submit, seal } = bench();
    submit('contacts', 1, 3);
    submit('contacts', 11, 1, { high: true });
    submit('contacts', 21, 2, { high: true });
    submit('contacts', 31, 2);
    expect(coalescer.next()).toEqual({ full: true });
    expect(seal()).toBe('full contacts 11,21,22,1');
    submit('contacts', 41, 1, { high: true });
    expect(seal()).toBe('full contacts 41,2,3,31');
  });

  it('says how many of it are of high priority', () => {
    const { coalescer, submit } = bench();
    submit('contacts', 1, 3, { high: true });
    submit('contacts', 11, 3);
    expect(coalescer.seal()?.high).toBe(3);
    submit('contacts', 21, 9, { high: true });
    expect(coalescer.seal()?.high).toBe(4);
  });
});

describe('a lane with high priority', () => {
  it('takes a call that is about to go for another lane, and every other one at most', () => {
    const { submit, seal, pass } = bench();
    submit('contacts', 1, 100);
    pass(1);
    const turns: (string | undefined)[] = [];
    for (let call = 0; call < 6; call++) {
      submit('deals', 1 + call, 1, { high: true });
      turns.push(seal());
    }
    expect(turns).toEqual([
      'high deals 1',
      'full contacts 1,2,3,4',
      'high deals 2,3',
      'full contacts 5,6,7,8',
      'high deals 4,5',
      'full contacts 9,10,11,12',
    ]);
  });

  it('is ready after a linger, also while others wait longer for company, and says so at once', () => {
    const box = bench();
    box.submit('contacts', 1, 1);
    expect(box.coalescer.lingersUntil()).toBe(BACKLOG_LINGER_MS);
    const { changes } = box;
    box.submit('deals', 1, 1, { high: true });
    expect(box.changes).toBe(changes + 1);
    expect(box.coalescer.lingersUntil()).toBe(LINGER_MS);
    expect(box.coalescer.next()).toBeUndefined(); // no call of its own before company could come
    box.pass(LINGER_MS);
    expect(box.seal()).toBe('linger deals 1');
    expect(box.seal()).toBeUndefined();
  });

  it('rides without a full batch of its own where only full ones may go', () => {
    const { coalescer, submit } = bench();
    submit('deals', 1, 1, { high: true });
    expect(coalescer.next(false)).toBeUndefined();
    expect(coalescer.seal(false)).toBeUndefined();
    submit('contacts', 1, 5);
    expect(coalescer.next(false)).toEqual({ full: true });
    expect(coalescer.seal(false)).toMatchObject({ fromObjectType: 'deals', trigger: 'high' });
    expect(coalescer.seal(false)).toMatchObject({ fromObjectType: 'contacts', trigger: 'full' });
  });
});

it('a full memory lets high priority in, until it has doubled', () => {
  const prefetch = new Prefetch({ associations: 1_000, jobs: 10, run: 10 });
  for (const id of ['1', '2']) prefetch.fetched(id, 500);
  expect([prefetch.hasRoom, prefetch.concurrency]).toEqual([false, 2]);
  prefetch.admit(3);
  expect(prefetch.concurrency).toBe(5);
  prefetch.fetched('3', 500);
  prefetch.fetched('4', 400);
  expect([prefetch.concurrency, prefetch.hasReserve]).toEqual([5, true]);
  prefetch.admit(0);
  expect([prefetch.concurrency, prefetch.hasRoom]).toEqual([4, false]);
  prefetch.fetched('5', 100);
  expect(prefetch.hasReserve).toBe(false);
  for (const id of ['1', '2', '3', '4']) prefetch.ended(id);
  expect([prefetch.hasRoom, prefetch.hasReserve]).toEqual([true, true]);
});

it('arrivals are complete when so many were fetched and submitted, or nothing more comes', async () => {
  const state = async (arrivals: Arrivals) =>
    Promise.race([arrivals.complete.then(() => 'complete'), turn('open')]);
  const two = new Arrivals(2);
  for (const id of ['a', 'b', 'later']) two.fetched(id);
  for (const id of ['before', 'b']) two.submitted(id);
  expect(await state(two)).toBe('open');
  two.submitted('a');
  await two.complete;
  const drained = new Arrivals(5);
  drained.fetched('a');
  drained.noMore();
  expect(await state(drained)).toBe('open');
  drained.submitted('a');
  await drained.complete;
});

describe('the head of the line', () => {
  const test = useRedis(import.meta.url);
  const hasten = loadScript(new URL('../../src/worker/hasten.lua', import.meta.url));
  const queue = new Queue(queueName(), { connection: test.redis, prefix: test.prefix });
  afterAll(() => queue.close());
  const keys = accountKeys(test.prefix);
  const waiting = async () => (await test.redis.lrange(keys.wait, '0', '-1')).reverse();

  it('is taken in the order of enqueueing, as much as a call needs; other priorities keep their meaning', async () => {
    const add = (jobId: string, opts: object) =>
      queue.add('associate', { pairs: 'x'.repeat(100) }, { jobId, ...opts });
    await add('bulk', producerJobOptions());
    await add('later', { priority: 2 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) await add(id, producerJobOptions('high'));
    const go = (jobs: number, bytes: number) =>
      hasten(test.redis, [keys.prioritized, keys.wait], [keys.jobs, HIGH_PRIORITY_BELOW, jobs, bytes]);
    expect(await go(100, 200)).toBe(2);
    expect(await waiting()).toEqual(['a', 'b', 'bulk']);
    expect(await go(1, 1_000_000)).toBe(1);
    expect(await waiting()).toEqual(['c', 'a', 'b', 'bulk']);
    expect(await go(100, 1_000_000)).toBe(2);
    expect(await go(100, 1_000_000)).toBe(0);
    expect(await queue.getJobCounts('wait', 'prioritized')).toEqual({ wait: 6, prioritized: 1 });
  });
});
