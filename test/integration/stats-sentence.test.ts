/** What `stats` says about a Redis in trouble, and about rejections that another BullMQ client removed. */

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { type QueueAccess, withQueue } from '../../src/dashboard/connection.js';
import { countRejections } from '../../src/dashboard/failures/read-groups.js';
import { Sweep } from '../../src/dashboard/failures/rejection-index.js';
import { Overview } from '../../src/dashboard/overview/overview.js';
import { StateReader } from '../../src/dashboard/overview/state-reader.js';
import { stateSentence } from '../../src/dashboard/text/state-sentence.js';
import { accountKeys, type Keys, queueName } from '../../src/shared/contract/keys.js';
import { type Config, parseConfig } from '../../src/shared/runtime/config.js';
import { useRedis } from '../support/redis.js';
import { RedisServer } from '../support/redis-server.js';
import { contactsToCompanies } from '../support/samples.js';

/** The figures and the sentence of `association-queue stats`. */
const readState = (config: Config) =>
  withQueue(config, async access => {
    const { state } = await new StateReader(access, config).read();
    return { ...state, sentence: stateSentence(state, String).text };
  });

describe('rejections that another client has removed', () => {
  const { url, redis, newPrefix } = useRedis(import.meta.url);
  let config: Config;
  let keys: Keys;
  let queue: Queue;
  beforeEach(() => {
    const prefix = newPrefix();
    config = parseConfig({ REDIS_URL: url, QUEUE_PREFIX: prefix });
    keys = accountKeys(prefix);
    queue = new Queue(queueName(), { connection: { url }, prefix });
  });
  afterEach(() => queue.close());

  const used = <T>(use: (access: QueueAccess) => Promise<T>): Promise<T> => withQueue(config, use);
  /** Failed jobs of one rejection each, known to the index. */
  async function rejected(count: number): Promise<void> {
    const error = {
      at: '2026-03-01T14:00:00Z',
      attempt: 1,
      category: 'OBJECT_NOT_FOUND',
      message: 'no',
      pairs: 1,
    };
    const data = JSON.stringify({
      ...contactsToCompanies,
      ...{ pairs: [], rejected: [{ error, pairs: [['1', '2']] }] },
    });
    const writes = redis.pipeline();
    for (let id = 1; id <= count; id++) {
      writes.hset(`${bullmqKeys(keys).jobs}${id}`, {
        name: 'associate',
        data,
        finishedOn: id,
        failedReason: 'rejected',
      });
      writes.zadd(bullmqKeys(keys).failed, id, String(id));
    }
    await writes.exec();
    await used(access => new Sweep(access).round());
    expect(await used(countRejections)).toBe(count);
  }

  it.each([
    ['one of three, by job.remove()', 3, async () => (await queue.getJob('2'))?.remove(), 2],
    ['all of them, one by one', 3, async () => Promise.all(['1', '2', '3'].map(id => queue.remove(id))), 0],
    ['most of many, by Queue.clean()', 700, async () => queue.clean(0, 600, 'failed'), 100],
    ['all, by Queue.obliterate()', 700, async () => queue.obliterate({ force: true }), 0],
  ])('%s: not spoken of right afterwards', async (_, before, remove, left) => {
    await rejected(before);
    expect((await readState(config)).rejected).toBe(before);
    await remove();
    const { rejected: now, sentence } = await readState(config);
    expect(now).toBe(left);
    const waiting = left > 0 ? `; ${left} rejected wait for you` : '';
    expect(sentence).toBe(`Idle: everything is decided${waiting}; nobody works: no worker is alive`);
    expect(await used(async access => (await new Overview(access, config).read()).rejections)).toMatchObject({
      associations: left,
    });
  });

  it('a difference that has a reason is compared once, and the rest is found', async () => {
    await rejected(3);
    // put back by another client: the index has it until its worker settles it
    await (await queue.getJob('1'))?.retry();
    await used(async access => {
      const reader = new StateReader(access, config);
      for (let time = 0; time < 3; time++) expect((await reader.read()).state.rejected).toBe(3);
      await queue.remove('2');
      expect((await reader.read()).state.rejected).toBe(2);
    });
  });
});

describe('a Redis in trouble', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeEach(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.url);
  });
  afterEach(async () => {
    redis.disconnect();
    await server.stop();
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'a replica',
      () => redis.replicaof('127.0.0.1', '1'),
      /^Redis refuses writes: READONLY .*REDIS_URL leads to a replica: set it to the primary$/,
    ],
    [
      'without its replicas',
      () => redis.config('SET', 'min-replicas-to-write', '1'),
      /^Redis refuses writes: NOREPLICAS .*\(min-replicas-to-write\): bring them back$/,
    ],
    ['full', () => redis.config('SET', 'maxmemory', '1'), /^Redis is full \(.*\): producers are refused/],
    [
      'that evicts',
      () => redis.config('SET', 'maxmemory', '1gb', 'maxmemory-policy', 'allkeys-lru'),
      /^Idle: everything is decided; nobody works: .*; maxmemory-policy is .*: a full Redis deletes any key, .*; set maxmemory-policy to noeviction/,
    ],
  ])('%s: stats, dashboard and their sentence say so, and the rest is read', async (_, broken, sentence) => {
    await broken();
    const config = parseConfig({ REDIS_URL: server.url });
    expect((await readState(config)).sentence).toMatch(sentence);
    const page = await withQueue(config, access => new Overview(access, config).read());
    expect(stateSentence(page.figures.state, String).text).toMatch(sentence);
    expect(page.rejections.groups).toEqual([]);
  });
});
