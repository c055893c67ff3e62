/** Where the queue of a producer is: options, else the environment, else the defaults of the settings. */
import { describe, expect, it } from '@jest/globals';
import type { ProducerOptions } from '../../../src/producer/api.js';
import { queuePlace } from '../../../src/producer/queue-place.js';

const ENV = { REDIS_URL: 'redis://env:1', QUEUE_PREFIX: 'env' };
const place = (options: object = {}, env: Record<string, string> = {}) =>
  queuePlace(options as ProducerOptions, env);

describe('the place of the queue', () => {
  it.each([
    ['the options', { redisUrl: 'redis://mine:1', prefix: 'mine' }, ENV, 'redis://mine:1', 'mine'],
    ['the environment', {}, ENV, 'redis://env:1', 'env'],
    ['the environment, for options that are undefined', { redisUrl: undefined }, ENV, 'redis://env:1', 'env'],
    ['the defaults', {}, {}, 'redis://127.0.0.1:6379', 'bull'],
    [
      'the defaults, for empty variables',
      {},
      { REDIS_URL: '', QUEUE_PREFIX: ' ' },
      'redis://127.0.0.1:6379',
      'bull',
    ],
  ])('is what %s say', (_name, options, env, url, prefix) => {
    const address = { url, prefix, login: {} };
    expect(place(options, env)).toEqual({ address, prefix, waitReplicas: 0, problems: [] });
  });

  it('says how many replicas must confirm, whatever Redis the options name', () => {
    const env = { ...ENV, REDIS_WAIT_REPLICAS: '2' };
    const wait = (options: object) => place(options, env).waitReplicas;
    expect([wait({}), wait({ redisUrl: 'redis://mine:1' }), wait({ waitReplicas: 0 })]).toEqual([2, 2, 0]);
    expect(place({ waitReplicas: 11 }, env).problems).toEqual([
      'waitReplicas is not an integer from 0 to 10',
    ]);
    for (const REDIS_WAIT_REPLICAS of ['1.5', '-1', 'all'])
      expect(place({}, { REDIS_WAIT_REPLICAS }).problems).toEqual([
        'REDIS_WAIT_REPLICAS is not an integer from 0 to 10',
      ]);
  });

  it('has the login of the environment only for the Redis of the environment', () => {
    const env = { ...ENV, REDIS_USERNAME: 'app', REDIS_PASSWORD: 'secret', REDIS_TLS_SERVERNAME: ' ' };
    const login = (options: object) => (place(options, env).address as { login: object }).login;
    expect(login({})).toEqual({ username: 'app', password: 'secret' });
    expect(login({ redisUrl: 'redis://mine:1' })).toEqual({});
    expect(login({ redisLogin: { username: 'me' } })).toEqual({ username: 'me' });
  });

  it('is refused with every fault of the login, under the name where it is given, without a secret', () => {
    const redisLogin = { password: 'secret', passwordFile: '/nowhere', certFile: '/nowhere' };
    expect(place({ redisUrl: 'redis://h', redisLogin }).problems).toEqual([
      'redisLogin.password and redisLogin.passwordFile are both set: give one',
      expect.stringMatching(/^redisLogin\.passwordFile .*no such file.*\/nowhere/),
      expect.stringMatching(/^redisUrl has no TLS, which redisLogin\.certFile is for: write rediss:/),
      'redisLogin.keyFile is missing: redisLogin.certFile needs it',
      expect.stringMatching(/^redisLogin\.certFile .*\/nowhere/),
    ]);
    expect(place({}, { ...ENV, REDIS_KEY_FILE: '/nowhere' }).problems[0]).toMatch(
      /^REDIS_URL has no TLS, which REDIS_KEY_FILE is for/,
    );
    expect(place({ redisLogin: { pasword: 'secret' } }).problems).toEqual([
      'redisLogin.pasword is not an option: did you mean password?',
    ]);
  });

  it('needs a hash tag in a Redis Cluster', () => {
    const redisUrl = 'redis+cluster://a:1,b:2';
    expect(place({ redisUrl, prefix: 'mine' }).problems).toEqual([
      'prefix "mine" has no hash tag, which keeps all keys on one node of a Redis Cluster: write {mine}',
    ]);
    expect(place({ redisUrl }).problems).toEqual([expect.stringMatching(/^QUEUE_PREFIX "bull" has no/)]);
    expect(place({ redisUrl, prefix: '{mine}' }).problems).toEqual([]);
  });

  it('is refused with the name under which a wrong URL was given, without the URL', () => {
    const url = 'redis://user:se cret@host';
    expect(place({ redisUrl: url }).problems).toEqual([expect.stringMatching(/^redisUrl is not a URL/)]);
    expect(place({}, { REDIS_URL: url }).problems).toEqual([
      expect.stringMatching(/^REDIS_URL is not a URL/),
    ]);
    expect(JSON.stringify(place({}, { REDIS_URL: url }).problems)).not.toContain('cret');
    expect(place({ prefix: '' }).problems).toEqual(['prefix is not a text, or empty']);
  });
});

describe('a connection', () => {
  it('may be options of ioredis', () => {
    const connection = { host: 'redis.example', port: 6380, tls: {} };
    expect(place({ connection }, ENV)).toMatchObject({ address: connection, prefix: 'env', problems: [] });
  });

  it('may be a client of ioredis, whose options are used', () => {
    const options = { host: 'redis.example', port: 6380, password: 'secret', maxRetriesPerRequest: null };
    const connection = { options, status: 'ready', isCluster: false, duplicate() {} };
    expect(place({ connection })).toMatchObject({ address: options, prefix: 'bull', problems: [] });
  });

  it.each([
    [
      'beside redisUrl',
      { host: 'h' },
      { redisUrl: 'redis://h' },
      'redisUrl and connection are both given: give one',
    ],
    [
      'beside redisLogin',
      { host: 'h' },
      { redisLogin: { password: 'secret' } },
      'redisLogin and connection are both given: give one',
    ],
    ['with a keyPrefix', { host: 'h', keyPrefix: 'k:' }, {}, /keyPrefix: the option prefix says/],
    ['that is a cluster', { isCluster: true, duplicate() {} }, {}, /is a cluster/],
    ['that is a URL', 'redis://:secret@h', {}, /neither options nor a client of ioredis/],
    ['with a URL among its options', { url: 'redis://:secret@h' }, {}, /has a url: give it as redisUrl/],
    ['of another library', { options: {}, duplicate() {}, isOpen: true }, {}, /neither options nor a client/],
    ['with the options of another library', { socket: { host: 'h' } }, {}, /neither options nor a client/],
    ['that is null', null, {}, /neither options nor a client/],
  ])('%s is refused', (_name, connection, options, fault) => {
    const { problems } = place({ connection, ...options });
    expect(problems).toEqual([expect.stringMatching(fault)]);
    expect(problems.join()).not.toContain('secret');
  });
});
