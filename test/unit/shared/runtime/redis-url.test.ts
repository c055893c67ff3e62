/** REDIS_URL: invalid URLs are refused, and no part that may be a password is shown. */
import { describe, expect, it } from '@jest/globals';
import { createProducer } from '../../../../src/index.js';
import { ConfigError } from '../../../../src/shared/contract/errors.js';
import { parseConfig } from '../../../../src/shared/runtime/config.js';
import {
  passwordOfUrl,
  readRedisUrl,
  redisPlace,
  redisUrlFault,
} from '../../../../src/shared/runtime/redis-url.js';

const problemsOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
};

describe('a mistyped REDIS_URL', () => {
  it.each([
    'redis://user:se cret@host',
    'redis://user:sec/ret@host:6379',
    'redis://user:1/secret@host:6379',
    'redis://user:sec#ret@host:6379',
    'redis://user:sec?ret@host:6379',
    'redis://user:sec@ret@host:6379',
    'redis://user:sec%ret@host:6379',
    'redis:/user:secret@host:6379',
    'redis:user:secret@host',
    'rdis://user:secret@host',
    'http://user:secret@host',
    'user:secret@host:6379',
    'redis://user:secret@host:6379/secret',
    'redis://user:secret@host:port',
    'redis://user:secret@',
    'redis://:secret',
  ])('is refused by the settings and the library, without being repeated: %s', url => {
    for (const said of [
      problemsOf(() => parseConfig({ REDIS_URL: url })),
      problemsOf(() => createProducer({ redisUrl: url })),
      `${redisUrlFault(url)} URL ${redisPlace(url)}`,
    ]) {
      expect(said).toMatch(/is not a URL/);
      expect(said).not.toMatch(/\bsec|ret\b|@host:6379/);
    }
  });
});

describe('a good REDIS_URL', () => {
  it.each([
    ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379'],
    ['redis://user:p%20a%2Fss@host/2', 'redis://host/2'],
    ['rediss://:secret@redis.example:6380/0?family=6', 'rediss://redis.example:6380/0'],
    ['redis://[::1]:6379', 'redis://[::1]:6379'],
    ['redis://default:pa!$&*ss=:+@host', 'redis://host'],
  ])('is shown without its password: %s as %s', (url, place) => {
    expect(redisUrlFault(url)).toBeUndefined();
    expect(redisPlace(url)).toBe(place);
  });
});

describe('a REDIS_URL of a Redis Cluster, or of a socket', () => {
  it('names nodes, whose user and password are not shown', () => {
    const url = 'rediss+cluster://us%40er:p%2Fss@a,[::1]:7';
    expect(redisUrlFault(url)).toBeUndefined();
    expect(readRedisUrl(url)).toEqual({
      options: { username: 'us@er', password: 'p/ss', tls: {} },
      nodes: [
        { host: 'a', port: 6379 },
        { host: '::1', port: 7 },
      ],
    });
    expect(redisPlace(url)).toBe('rediss+cluster://a:6379,::1:7');
    expect(passwordOfUrl(url)).toBe('p%2Fss');
  });

  it('names the path of a socket', () => {
    expect(redisUrlFault('unix:///run/my%20redis/redis.sock')).toBeUndefined();
    expect(readRedisUrl('unix:///run/my%20redis/redis.sock')).toEqual({
      options: { path: '/run/my redis/redis.sock' },
    });
    expect(redisPlace('unix:///run/redis.sock')).toBe('unix:/run/redis.sock');
  });
});

describe('a REDIS_URL with Sentinels', () => {
  it.each([
    [
      'redis+sentinel://a,b:26380,[::1]:7/main',
      {
        sentinels: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 26380 },
          { host: '::1', port: 7 },
        ],
        name: 'main',
      },
    ],
    [
      'redis+sentinel://us%40er:p%2Fss@a/main%20one/3',
      {
        ...{ sentinels: [{ host: 'a', port: 26379 }], name: 'main one' },
        ...{ username: 'us@er', password: 'p/ss', db: 3 },
      },
    ],
    [
      'rediss+sentinel://:secret@a/main',
      {
        ...{ sentinels: [{ host: 'a', port: 26379 }], name: 'main', password: 'secret' },
        ...{ tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true },
      },
    ],
  ])('becomes options of ioredis: %s', (url, options) => {
    expect(redisUrlFault(url)).toBeUndefined();
    expect(readRedisUrl(url)).toEqual({ options });
  });

  it('is shown without its user and password, and hides them where they are quoted', () => {
    const url = 'rediss+sentinel://user:p%2Fss@a,b:7/main/2';
    expect(redisPlace(url)).toBe('rediss+sentinel://a:26379,b:7/main/2');
    expect(passwordOfUrl(url)).toBe('p%2Fss');
    expect(passwordOfUrl('redis://user:secret@host')).toBe('secret');
    expect(passwordOfUrl('redis://host')).toBeUndefined();
  });

  it.each([
    ['redis+sentinel://a:26379', /of the form redis\+sentinel:/],
    ['redis+sentinel://user:sec/ret@a/main', /of the form redis\+sentinel:/],
    ['redis+sentinel://user:sec%ret@a/main', /of the form redis\+sentinel:/],
    ['redis+sentinel://user:secret@a,,b/main', /of the form redis\+sentinel:/],
    ['redis://user:secret@a:1,b:2/0', /^has several hosts: .*redis\+sentinel:/],
    ['redis+cluster://user:sec/ret@a:1,b:2', /of the form redis\+cluster:/],
    ['redis+cluster://user:secret@a:1,b:2/3', /of the form redis\+cluster:.* without a database/],
    ['redis:///var/user:secret@a:1', /written as unix:/],
    ['unix://user:secret@a:1/run/redis.sock', /written as unix:/],
    ['/run/redis/redis.sock', /written as unix:/],
  ])('is refused with the form it should have, without being repeated: %s', (url, fault) => {
    expect(redisUrlFault(url)).toMatch(fault);
    for (const said of [problemsOf(() => parseConfig({ REDIS_URL: url })), redisPlace(url)])
      expect(said).not.toMatch(/\bsec|ret\b|a:1/);
  });
});

describe('another URL', () => {
  it.each(['HUBSPOT_BASE_URL', 'ALERT_WEBHOOK_URL'])(
    'is refused with credentials in it, without repeating them: %s',
    name => {
      for (const url of ['https://user:secret@host/', 'https:/user:secret@host', 'ftp://user:secret@host']) {
        const said = problemsOf(() => parseConfig({ [name]: url }));
        expect(said).toMatch(new RegExp(`^${name} `));
        expect(said).not.toContain('secret');
      }
    },
  );
});

it.each([
  [{}, 'redis://localhost:6379'],
  [{ host: 'h', port: 1, db: 2, username: 'u', password: 'secret' }, 'redis://h:1/2'],
  [{ host: 'h', tls: {} }, 'rediss://h:6379'],
  [{ path: '/run/redis.sock', password: 'secret' }, 'unix:/run/redis.sock'],
  [
    { sentinels: [{ host: 'a' }, { host: 'b', port: 7 }], name: 'main', sentinelPassword: 'secret' },
    'redis+sentinel://a:26379,b:7/main',
  ],
])('an address in options is shown without its password: %#', (options, place) => {
  expect(redisPlace(options)).toBe(place);
});
