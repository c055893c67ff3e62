/** What the log and /readyz say about a Redis in trouble: once for all connections, with the real reason. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RedisRole } from '../../src/shared/runtime/redis.js';
import { eventually } from '../support/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { WatchedRedis } from '../support/watched-redis.js';

describe('the watch over Redis', () => {
  let server: RedisServer;
  let test: WatchedRedis;
  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(async () => {
    await test.watch.stop();
    await server.stop();
  });
  const start = async (url = server.url, role: RedisRole = 'patient') => {
    test = new WatchedRedis(url, 300);
    const { watch } = test;
    const redis = watch.open('commands', role);
    await watch.start();
    return redis;
  };

  it.each(['patient', 'hasty'] as const)('says nothing at the start of a %s connection', async role => {
    const redis = await start(server.url, role);
    await eventually(() => expect(test.watch.reasons).toEqual([]));
    // the first probe is a script
    await eventually(async () => expect(await redis.info('commandstats')).toMatch(/cmdstat_eval/));
    expect(test.said).toEqual([]);
  });

  it('says that Redis is back, and after how long', async () => {
    const redis = await start();
    await eventually(() => expect(test.watch.reasons).toEqual([]));
    await server.kill();
    await eventually(() => expect(test.watch.reasons).toEqual(['Redis: connect ECONNREFUSED']));
    test.now += 240_000;
    await server.startAgain();
    await eventually(() => expect(test.watch.reasons).toEqual([]));
    expect(test.said.at(-1)).toBe('Redis: back after 4 min');
    expect(redis.status).toBe('ready');
  });

  it.each([
    ['OOM', 'maxmemory', '1', '0'],
    ['NOREPLICAS', 'min-replicas-to-write', '1', '0'],
  ])('gives %s as the reason until it is over', async (word, parameter, broken, mended) => {
    const redis = await start();
    await redis.config('SET', parameter, broken);
    await eventually(() => expect(test.watch.reasons).toEqual([expect.stringMatching(`^Redis: ${word} `)]));
    expect(test.said).toEqual([expect.stringMatching(`^${word} .*cannot be used; waiting for it$`)]);
    await redis.config('SET', parameter, mended);
    await eventually(() => expect(test.watch.reasons).toEqual([]));
  });

  it('gives READONLY as the reason at a replica, and keeps the connection', async () => {
    const redis = await start();
    await redis.replicaof('127.0.0.1', '1');
    await eventually(() => expect(test.watch.reasons).toEqual([expect.stringMatching(/^Redis: READONLY /)]));
    expect(redis.status).toBe('ready');
    await redis.replicaof('NO', 'ONE');
    await eventually(() => expect(test.watch.reasons).toEqual([]));
  });

  it('warns once of a Redis that evicts keys', async () => {
    const redis = await start();
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    for (let time = 1; time <= 2; time++) {
      const ready = new Promise(resolve => redis.once('ready', resolve));
      redis.disconnect(true);
      await ready;
      await eventually(() => expect(test.said.join('\n')).toContain('maxmemory-policy allkeys-lru'));
    }
    await redis.ping();
    expect(test.said.filter(line => line.includes('evicts'))).toHaveLength(1);
  });
});
