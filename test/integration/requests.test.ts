/** Requests of the library: their records from the first job to the end, and enqueueing exactly once. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Queue, RedisQueueBackend } from 'bullmq';
import { type ChainableCommander, Redis } from 'ioredis';
import { JobAdder } from '../../src/bullmq/job-adder.js';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import {
  createProducer,
  EnqueueError,
  type Producer,
  RedisUnavailableError,
  UnknownRequestError,
} from '../../src/index.js';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { loadScript } from '../../src/shared/runtime/script.js';
import { RequestReader, requestKeys } from '../../src/shared/state/requests.js';
import { Ledger } from '../../src/worker/jobs/ledger.js';
import { eventually } from '../support/eventually.js';
import { useQueue } from '../support/queue.js';
import { RedisServer } from '../support/redis-server.js';
import { pairsInQueue } from '../support/requests.js';
import { settleIn } from '../support/worker-samples.js';

const test = useQueue(import.meta.url);
const made: Producer[] = [];
const producer = (options: Partial<Parameters<typeof createProducer>[0]> = {}) => {
  const one = createProducer({ redisUrl: test.url, prefix: test.prefix, ...options });
  made.push(one);
  return one;
};
afterEach(async () => {
  await Promise.all(made.splice(0).map(one => one.close()));
});
const link = (from: number, toObjectType = 'companies') => ({
  ...{ fromObjectType: 'contacts', toObjectType, from, to: 7 },
  types: [{ associationCategory: 'HUBSPOT_DEFINED' as const, associationTypeId: 1 }],
});
const links = (count: number) => Array.from({ length: count }, (_, id) => link(id));
const key = (id: string) => test.keys.requests + id;
const reader = () => new RequestReader(test.redis, test.keys);
/** Settles all jobs of the queue as created. */
async function settleAll(): Promise<void> {
  const { redis, keys } = test;
  const ledger = new Ledger(redis, keys, createLogger('silent', 'test'));
  const { wait, jobs } = bullmqKeys(keys);
  for (const id of await redis.lrange(wait, 0, -1)) {
    const data = JSON.parse((await redis.hget(jobs + id, 'data')) ?? '') as { pairs: []; requestId?: string };
    await redis.hset(jobs + id, 'ats', 1);
    await redis.set(`${jobs}${id}:lock`, 'mine');
    const { requestId } = data;
    await settleIn(ledger, { jobId: id, token: 'mine', created: data.pairs.length, requestId });
  }
}

describe('a request of the library', () => {
  it('is counted with its jobs, whose ids name it, and ends with their last settlement', async () => {
    const { requestId, associations, jobs } = await producer().enqueueMany(links(1_201));
    expect([associations, jobs]).toEqual([1_201, 3]);
    const names = (await test.redis.lrange(bullmqKeys(test.keys).wait, 0, -1)).sort();
    expect(names).toEqual([0, 1, 2].map(n => `${requestId}-${n}`));
    expect(await reader().read(requestId)).toMatchObject({
      ...{ via: 'library', state: 'open', accepted: 1_201, queued: 1_201 },
    });
    await settleAll();
    expect(await reader().read(requestId)).toMatchObject({ state: 'done', created: 1_201, queued: 0 });
    const bulks = (await test.redis.hkeys(key(requestId))).filter(name => name.startsWith('seq:'));
    expect(bulks).toHaveLength(1); // the last one
  });

  it('is listed and kept if it has a name or more than one job, and otherwise found by its id for a day', async () => {
    const one = producer({ requestRetentionDays: 2 });
    const small = await one.enqueueMany(links(3));
    const large = await one.enqueueMany(links(501));
    const named = await one.enqueueMany(links(1), { request: { name: 'one link', source: 'crm' } });
    const { requests } = await reader().list();
    expect(requests.map(({ id }) => id).sort()).toEqual([large, named].map(r => r.requestId).sort());
    expect(requests.find(({ name }) => name === 'one link')).toMatchObject({ source: 'crm', accepted: 1 });
    await settleAll();
    expect(await test.redis.ttl(key(small.requestId))).toBeLessThanOrEqual(86_400);
    expect(await test.redis.ttl(key(large.requestId))).toBeGreaterThan(86_400);
    expect(await test.redis.ttl(key(named.requestId))).toBeGreaterThan(86_400);
  });

  it('of nothing is done at once; an id is used once', async () => {
    const one = producer();
    await one.enqueueMany([], { request: { id: 'mine' } });
    expect(await one.request('mine')).toMatchObject({ state: 'done', accepted: 0 });
    await expect(one.enqueueMany([link(1)], { request: { id: 'mine' } })).rejects.toMatchObject({
      problems: ['request.id: there is a request mine already'],
    });
    expect(await test.queue.getWaitingCount()).toBe(0);
  });

  it('says while it is enqueued, and after that why it was interrupted', async () => {
    const one = producer();
    async function* breaking() {
      yield* links(10_500);
      await eventually(async () =>
        expect(await one.request('r')).toMatchObject({ state: 'enqueueing', accepted: 10_000 }),
      );
      throw new Error('the source broke off');
    }
    await expect(one.enqueueMany(breaking(), { request: { id: 'r' } })).rejects.toThrow('broke off');
    expect(await one.request('r')).toMatchObject({
      ...{ state: 'interrupted', interrupted: 'the source broke off', accepted: 10_500 },
    });
  });

  it('counts what was invalid', async () => {
    const one = producer();
    const call = one.enqueueMany([link(1), { ...link(2), from: 'a b' }], { request: { id: 'r' } });
    await expect(call).rejects.toMatchObject({
      progress: { enqueued: { requestId: 'r', associations: 1, jobs: 1 } },
    });
    expect(await one.request('r')).toMatchObject({ state: 'open', accepted: 1, refusedLines: 1 });
  });
});

describe('enqueue with a request', () => {
  it('gives a receipt; calls of the same moment and name share a request, and others none', async () => {
    const one = producer({ packMs: 50 });
    const receipts = await Promise.all([
      one.enqueue(link(1), { request: { name: 'signup' } }),
      one.enqueue(link(2), { request: { name: 'signup' } }),
      one.enqueue(link(3), { request: { name: 'other' } }),
      one.enqueue(link(4)),
    ]);
    const ids = receipts.map(({ requestId }) => requestId);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[3]).toBeUndefined();
    expect(new Set(ids).size).toBe(3);
    expect(await one.request(ids[0] ?? '')).toMatchObject({ name: 'signup', accepted: 2, state: 'open' });
    await settleAll();
    expect(await one.request(ids[2] ?? '')).toMatchObject({ name: 'other', state: 'done' });
  });
});

describe('waitFor', () => {
  it('resolves when the request ends, and rejects when it is told to stop', async () => {
    const one = producer();
    const { requestId } = await one.enqueueMany(links(2));
    const stop = new AbortController();
    const stopped = one.waitFor(requestId, { signal: stop.signal });
    const waiting = one.waitFor(requestId);
    stop.abort(new Error('enough'));
    await expect(stopped).rejects.toThrow('enough');
    await settleAll();
    expect(await waiting).toMatchObject({ state: 'done', created: 2 });
  });

  it('and the other calls throw errors that a program can tell apart', async () => {
    const one = producer();
    const unknown = { code: 'UNKNOWN_REQUEST', id: 'nobody' };
    await expect(one.waitFor('nobody')).rejects.toMatchObject(unknown);
    await expect(one.waitFor('nobody')).rejects.toBeInstanceOf(UnknownRequestError);
    await expect(one.cancel('nobody')).rejects.toMatchObject(unknown);
    await test.redis.set(test.keys.requestsCancelling, 'not a set');
    await one.enqueueMany(links(1), { request: { id: 'r' } });
    const refused = await one.cancel('r').catch((error: unknown) => error);
    expect(refused).toMatchObject({ message: expect.stringMatching(/^Redis at .* refused: .*WRONGTYPE/) });
    expect(Object.keys(refused as object)).toEqual(['code', 'name']); // neither the command nor its arguments
    const away = producer({ redisUrl: 'redis://127.0.0.1:1' });
    const calls = [away.connected(), away.request('r'), away.waitFor('r'), away.cancel('r')];
    for (const call of await Promise.allSettled(calls))
      expect(call).toMatchObject({ reason: expect.any(RedisUnavailableError) });
  });
});

describe('exactly once', () => {
  let server: RedisServer;
  let redis: Redis;
  const own = () => ({ redis, keys: accountKeys('own') });
  beforeEach(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.url);
  });
  afterEach(async () => {
    await Promise.all(made.splice(0).map(one => one.close()));
    redis.disconnect();
    await server.stop();
  });
  const ownProducer = () => producer({ redisUrl: server.url, prefix: 'own' });
  const read = (id: string) => new RequestReader(redis, own().keys).read(id);

  it('a bulk whose answer was lost is enqueued and counted once', async () => {
    const one = ownProducer();
    await one.connected();
    let cut = 0;
    async function* links10() {
      for (let at = 0; at < 200_000; at++) {
        // the producer's connections are cut off while bulks are on the wire
        if (at % 40_000 === 39_999) {
          cut += 1;
          await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        }
        yield link(at);
      }
    }
    const { requestId, associations } = await one.enqueueMany(links10());
    expect([cut, associations]).toEqual([5, 200_000]);
    expect(await read(requestId)).toMatchObject({ accepted: 200_000, state: 'open' });
    expect(await pairsInQueue(own())).toEqual({ pairs: 200_000, different: 200_000 });
  }, 60_000);

  it('the last bulk, which ends the request, is counted once although its answer was lost', async () => {
    const { addWith } = JobAdder.prototype;
    const adding = jest.spyOn(JobAdder.prototype, 'addWith').mockImplementationOnce(async function (
      this: JobAdder,
      ...args
    ) {
      await addWith.apply(this, args);
      throw new Error('Connection is closed.');
    });
    try {
      const { requestId } = await ownProducer().enqueueMany(links(700));
      expect(adding).toHaveBeenCalledTimes(1);
      expect(await read(requestId)).toMatchObject({ accepted: 700, state: 'open' });
    } finally {
      adding.mockRestore();
    }
  });

  it('Redis may lose its scripts between bulks', async () => {
    const one = ownProducer();
    async function* flushing() {
      for (let at = 0; at < 30_000; at++) {
        if (at % 10_000 === 0) await redis.script('FLUSH');
        yield link(at);
      }
    }
    const { requestId } = await one.enqueueMany(flushing());
    expect(await read(requestId)).toMatchObject({ accepted: 30_000 });
    expect(await pairsInQueue(own())).toEqual({ pairs: 30_000, different: 30_000 });
  });

  it('a full Redis takes all of a bulk or nothing, and the record says as much as the queue has', async () => {
    const one = ownProducer();
    await one.enqueueMany(links(1));
    const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
    await redis.config('SET', 'maxmemory', String(used + 3_000_000));
    const failure = await one
      .enqueueMany(links(1_000_000), { request: { id: 'r', name: 'large' } })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(EnqueueError);
    expect((failure as EnqueueError).message).toMatch(/refused: OOM/);
    await redis.config('SET', 'maxmemory', '0');
    const accepted = Number(await redis.hget(`${own().keys.requests}r`, 'accepted'));
    expect(accepted).toBe((failure as EnqueueError).progress?.enqueued.associations);
    expect(accepted).toBe(500 * ((await redis.llen(bullmqKeys(own().keys).wait)) - 1));
  });
});

describe('a bulk of which Redis does not take all', () => {
  /** Adds job 1 of request r by `other`. */
  async function withJob1(other: (transaction: ChainableCommander) => Promise<string>) {
    const { addJobToTransaction } = RedisQueueBackend.prototype;
    const adding = jest
      .spyOn(RedisQueueBackend.prototype, 'addJobToTransaction')
      .mockImplementation(function (
        this: RedisQueueBackend,
        ...args: Parameters<RedisQueueBackend['addJobToTransaction']>
      ) {
        if (args[2] !== 'r-1') return addJobToTransaction.apply(this, args);
        return other(args[0] as unknown as ChainableCommander);
      });
    try {
      return await producer()
        .enqueueMany(links(1_201), { request: { id: 'r' } })
        .catch((error: unknown) => error as EnqueueError);
    } finally {
      adding.mockRestore();
    }
  }

  it('is an error that says what is missing; what is in the queue is counted, and the request is interrupted', async () => {
    const failure = await withJob1(async transaction => {
      transaction.eval("return redis.error_reply('ERR no room')", 0);
      return '';
    });
    expect(failure).toMatchObject({
      message: expect.stringMatching(
        /^500 associations .* ERR no room.*: 1 of 3 jobs are not in the queue; the others are, and are counted$/,
      ),
      progress: { enqueued: { associations: 701, jobs: 2 } },
    });
    expect((failure as EnqueueError).associations.map(({ from }) => Number(from))).toEqual(
      Array.from({ length: 500 }, (_, at) => 500 + at),
    );
    expect(await test.redis.lrange(bullmqKeys(test.keys).wait, 0, -1)).toEqual(['r-2', 'r-0']);
    expect(await reader().read('r')).toMatchObject({
      ...{ state: 'interrupted', accepted: 701, interrupted: expect.stringContaining('1 of 3 jobs') },
    });
  });

  it('is counted to its end when it comes again and brings the rest', async () => {
    const { redis, keys } = test;
    const { jobs } = bullmqKeys(keys);
    const accept = loadScript(new URL('../../src/producer/accept.lua', import.meta.url));
    const bulk = [
      ...['r', 'seq:p:0', '1', jobs, 15_000, 60, 'all', 9, 0, 3, 0],
      ...['r-0', 5, 'r-1', 3, 'r-2', 1],
    ];
    const come = () => accept(redis, requestKeys(keys), bulk);
    const record = () => redis.hmget(key('r'), 'accepted', 'jobs', 'line');
    await redis.hset(`${jobs}r-1`, 'data', '{}');
    expect([await come(), await record()]).toEqual([
      ['partial', '', 0, 2],
      ['3', '1', null],
    ]);
    await redis.hset(`${jobs}r-2`, 'data', '{}');
    expect([await come(), await record()]).toEqual([
      ['partial', '', 0],
      ['4', '2', null],
    ]);
    await redis.hset(`${jobs}r-0`, 'data', '{}');
    expect([await come(), await record()]).toEqual([
      ['accepted', ''],
      ['9', '3', '9'],
    ]);
  });

  it('is not sent at all if one of its jobs cannot be', async () => {
    const failure = await withJob1(() => Promise.reject(new Error('no bytes')));
    expect(failure).toMatchObject({
      message: expect.stringMatching(/^1201 associations .* a job cannot be sent: no bytes$/),
    });
    expect(await test.queue.getWaitingCount()).toBe(0);
  });
});

it('a BullMQ that adds jobs in another way is an error that says what to install, and no success', async () => {
  const addBulk = jest.spyOn(Queue.prototype, 'addBulk').mockImplementation(function (this: Queue, jobs) {
    return Promise.all(jobs.map(({ name, data, opts }) => this.add(name, data, opts)));
  } as Queue['addBulk']);
  try {
    const failure = await producer()
      .enqueueMany(links(501))
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(EnqueueError);
    expect((failure as EnqueueError).message).toMatch(
      /2 jobs may be in the queue uncounted: install bullmq@\d+\.\d+\.\d+, then enqueue the same again/,
    );
  } finally {
    addBulk.mockRestore();
  }
});
