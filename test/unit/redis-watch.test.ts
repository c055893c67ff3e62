/** What the log, /readyz and /healthz hear of a Redis in trouble: once for all connections, with the real reason. */
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import type { RedisRole } from '../../src/shared/runtime/redis.js';
import { RedisWatch } from '../../src/shared/runtime/redis-watch.js';
import { eventually } from '../support/eventually.js';
import { HalfOpenProxy } from '../support/half-open-proxy.js';
import { RedisServer } from '../support/redis-server.js';

let now = 0;
let lines: { level: number; msg: string; error?: string }[] = [];
const logger = createLogger(
  'info',
  'test',
  new Writable({
    write(line, _encoding, done) {
      lines.push(JSON.parse(String(line)));
      done();
    },
  }),
);
const said = () => lines.map(({ msg, error }) => (error ? `${error}: ${msg}` : msg));
const watchOf = (url: string, silenceMs?: number) =>
  new RedisWatch({
    ...{ url, keys: accountKeys('test-watch'), consequence: 'waiting for it', logger, now: () => now },
    ...(silenceMs !== undefined && { silenceMs }),
  });
beforeEach(() => {
  lines = [];
  now = 0;
});

describe('the log', () => {
  const refused = new Error('connect ECONNREFUSED 127.0.0.1:1');
  const lost = 'connect ECONNREFUSED 127.0.0.1:1: Redis at redis://127.0.0.1:1 cannot be used';

  it('has one line when Redis is lost, then one a minute, whoever says it how often', () => {
    const watch = watchOf('redis://user:geheim@127.0.0.1:1');
    const quiet = watch.quiet(logger);
    for (now = 0; now < 240_000; now += 500) {
      watch.failed(refused);
      watch.failed(new Error('Connection is closed.'), 'outcomes');
      quiet.warn({ event: 'heartbeat', error: 'Reached the max retries per request limit' }, 'could not say');
      quiet.error({ event: 'redis', error: new Error('OOM command not allowed') }, 'no permit');
    }
    expect(said()[0]).toBe(`${lost}; waiting for it`);
    expect(said()[1]).toBe(
      'connect ECONNREFUSED 127.0.0.1:1; OOM command not allowed: Redis at redis://127.0.0.1:1 cannot be used for 60 s now; waiting for it',
    );
    expect(lines).toHaveLength(4);
    expect(JSON.stringify(lines)).not.toContain('geheim');
    expect(watch.reasons).toEqual(['Redis: connect ECONNREFUSED', 'Redis: OOM command not allowed']);
  });

  it('has what is not about Redis as it was said', () => {
    const watch = watchOf('redis://127.0.0.1:1');
    watch.quiet(logger).warn({ event: 'unexpected', error: 'a bug' }, 'job comes back');
    watch.quiet(logger).warn('a sentence');
    expect(said()).toEqual(['a bug: job comes back', 'a sentence']);
  });
});

describe('with a server', () => {
  let server: RedisServer;
  let watch: RedisWatch;
  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(async () => {
    await watch.stop();
    await server.stop();
  });
  const start = async (url = server.url, role: RedisRole = 'patient') => {
    watch = watchOf(url, 300);
    const redis = watch.open('commands', role);
    await watch.start();
    return redis;
  };

  it.each(['patient', 'hasty'] as const)('says nothing at the start of a %s connection', async role => {
    const redis = await start(server.url, role);
    await eventually(() => expect(watch.reasons).toEqual([]));
    // the first probe is a script
    await eventually(async () => expect(await redis.info('commandstats')).toMatch(/cmdstat_eval/));
    expect(said()).toEqual([]);
  });

  it('says that it is back, and after how long', async () => {
    const redis = await start();
    await eventually(() => expect(watch.reasons).toEqual([]));
    await server.kill();
    await eventually(() => expect(watch.reasons).toEqual(['Redis: connect ECONNREFUSED']));
    now += 240_000;
    await server.startAgain();
    await eventually(() => expect(watch.reasons).toEqual([]));
    expect(said().at(-1)).toBe('Redis: back after 4 min');
    expect(redis.status).toBe('ready');
  });

  it.each([
    ['OOM', 'maxmemory', '1', '0'],
    ['NOREPLICAS', 'min-replicas-to-write', '1', '0'],
  ])('%s is the reason, until it is over', async (word, parameter, broken, mended) => {
    const redis = await start();
    await redis.config('SET', parameter, broken);
    await eventually(() => expect(watch.reasons).toEqual([expect.stringMatching(`^Redis: ${word} `)]));
    expect(said()).toEqual([expect.stringMatching(`^${word} .*cannot be used; waiting for it$`)]);
    await redis.config('SET', parameter, mended);
    await eventually(() => expect(watch.reasons).toEqual([]));
  });

  it('READONLY is the reason at a replica, and does not end the connection', async () => {
    const redis = await start();
    await redis.replicaof('127.0.0.1', '1');
    await eventually(() => expect(watch.reasons).toEqual([expect.stringMatching(/^Redis: READONLY /)]));
    expect(redis.status).toBe('ready');
    await redis.replicaof('NO', 'ONE');
    await eventually(() => expect(watch.reasons).toEqual([]));
  });

  it('a Redis that evicts is one warning', async () => {
    const redis = await start();
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    for (let time = 1; time <= 2; time++) {
      const ready = new Promise(resolve => redis.once('ready', resolve));
      redis.disconnect(true);
      await ready;
      await eventually(() => expect(said().join('\n')).toContain('maxmemory-policy allkeys-lru'));
    }
    await redis.ping();
    expect(said().filter(line => line.includes('evicts'))).toHaveLength(1);
  });

  it('silence on every connection is deadly after a minute; an outage that says so is not', async () => {
    const proxy = await HalfOpenProxy.start(server.url);
    try {
      await start(proxy.url);
      await eventually(() => expect(watch.reasons).toEqual([]));
      proxy.swallowNew(true);
      proxy.swallow();
      await eventually(() => expect(watch.reasons).toEqual(['Redis: no answer within 300 ms']));
      now += 59_000;
      expect(watch.deadly).toEqual([]);
      now += 2_000;
      expect(watch.deadly).toEqual(['Redis: nothing heard for 61 s']);
      proxy.swallowNew(false);
      await eventually(() => expect(watch.deadly).toEqual([]));
      await eventually(() => expect(watch.reasons).toEqual([]));

      await server.kill();
      await eventually(() => expect(watch.reasons).not.toEqual([]));
      now += 61_000;
      await eventually(() => expect(watch.deadly).toEqual([]));
    } finally {
      await proxy.stop();
    }
  });
});
