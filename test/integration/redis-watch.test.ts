/** What the log and /readyz say about a Redis in trouble: once for all connections, with the real reason. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { RedisRole } from '../../src/shared/runtime/redis.js';
import { eventually } from '../support/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { WatchedRedis } from '../support/watched-redis.js';

describe('the watch over Redis', () => {
  let server: RedisServer;
  let test: WatchedRedis;
  let operator: Redis | undefined;
  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(async () => {
    await test.watch.stop();
    operator?.disconnect();
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

  it('says what endangers the queue, once for a server and again when that has changed', async () => {
    const redis = await start();
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    for (let time = 1; time <= 2; time++) {
      const ready = new Promise(resolve => redis.once('ready', resolve));
      redis.disconnect(true);
      await ready;
      await eventually(() => expect(test.said.join('\n')).toContain('maxmemory-policy is allkeys-lru'));
    }
    await redis.ping();
    expect(test.said).toHaveLength(1);
    expect(test.watch.facts).toMatchObject({ policy: 'allkeys-lru', persistence: 'aof' });
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
    await redis.config('SET', 'appendonly', 'no');
    test.now += 61_000; // it looks every minute
    await eventually(() => expect(test.watch.facts).toMatchObject({ evicts: false, persistence: 'none' }));
    expect(test.said.slice(1)).toEqual([expect.stringMatching(/^Redis writes nothing to disk/)]);
  });

  /** An operator beside the user `modest`, who lacks a command. */
  async function modestUser(forbidden: string) {
    const asker = new Redis(server.url);
    operator = asker;
    await asker.acl('SETUSER', 'modest', 'on', '>pass', '~*', '&*', '+@all', forbidden);
    const stat = async (name: string, figure: string) =>
      Number(
        new RegExp(`cmdstat_${name}:(?:.*,)?${figure}=(\\d+)`).exec(await asker.info('commandstats'))?.[1],
      );
    return {
      operator: asker,
      url: server.url.replace('//', '//modest:pass@'),
      rejected: (name: string) => stat(name, 'rejected_calls'),
      /** the watch has looked once more at what kind of Redis it is */
      async lookedAgain() {
        const probes = await stat('evalsha', 'calls');
        test.now += 61_000;
        await eventually(async () => expect(await stat('evalsha', 'calls')).toBeGreaterThan(probes + 1));
      },
    };
  }

  it('asks no further where INFO is forbidden, and writes nothing about it', async () => {
    const { url, rejected, lookedAgain } = await modestUser('-info');
    const redis = await start(url);
    await eventually(() => expect(test.watch.reasons).toEqual([]));
    await lookedAgain();
    expect(await rejected('info')).toBe(2); // ioredis at the start of the connection, and the watch
    expect(test.watch.facts).toBeUndefined();
    expect(test.said).toEqual([]);
    expect(redis.status).toBe('ready');
  });

  it('knows less of snapshots where CONFIG is forbidden, and asks no further', async () => {
    const { operator: asker, url, rejected, lookedAgain } = await modestUser('-config');
    await asker.config('SET', 'appendonly', 'no');
    await start(url);
    await eventually(() => expect(test.watch.facts).toMatchObject({ persistence: 'unknown' }));
    await lookedAgain();
    expect(await rejected('config\\|get')).toBe(1);
    expect(test.said).toEqual([expect.stringMatching(/^Redis has no append-only file: a crash loses/)]);
  });
});
