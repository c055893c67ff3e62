/** What the log says about a Redis in trouble: once for all connections, with the real reason. */
import { describe, expect, it } from '@jest/globals';
import { WatchedRedis } from '../../../support/watched-redis.js';

describe('the log of a Redis in trouble', () => {
  const refused = new Error('connect ECONNREFUSED 127.0.0.1:1');
  const lost = 'connect ECONNREFUSED 127.0.0.1:1: Redis at redis://127.0.0.1:1 cannot be used';

  it('has one line when Redis is lost, then one a minute, however often it is reported', () => {
    const test = new WatchedRedis('redis://user:geheim@127.0.0.1:1');
    const { watch } = test;
    const quiet = watch.quiet(test.logger);
    for (test.now = 0; test.now < 240_000; test.now += 500) {
      watch.failed(refused);
      watch.failed(new Error('Connection is closed.'), 'outcomes');
      quiet.warn({ event: 'heartbeat', error: 'Reached the max retries per request limit' }, 'could not say');
      quiet.error({ event: 'redis', error: new Error('OOM command not allowed') }, 'no permit');
    }
    expect(test.said[0]).toBe(`${lost}; waiting for it`);
    expect(test.said[1]).toBe(
      'connect ECONNREFUSED 127.0.0.1:1; OOM command not allowed: Redis at redis://127.0.0.1:1 cannot be used for 60 s now; waiting for it',
    );
    expect(test.lines).toHaveLength(4);
    expect(JSON.stringify(test.lines)).not.toContain('geheim');
    expect(watch.reasons).toEqual(['Redis: connect ECONNREFUSED', 'Redis: OOM command not allowed']);
  });

  it.each([
    [
      'NOAUTH Authentication required.',
      'NOAUTH it asks for a password',
      /REDIS_URL must have the user and the password/,
    ],
    [
      'WRONGPASS invalid username-password pair',
      'WRONGPASS',
      /REDIS_URL must have the user and the password/,
    ],
    ['NOPERM this user has no permissions', 'NOPERM', /The user needs more rights in this Redis/],
  ])('names the setting when Redis says %s', (error, reason, remedy) => {
    const test = new WatchedRedis('redis://127.0.0.1:1');
    test.watch.failed(new Error(error));
    expect(test.said).toEqual([expect.stringContaining(reason)]);
    expect(test.said[0]).toMatch(remedy);
  });

  it('says once what is wrong with TLS, and leaves the same words of other servers alone', () => {
    const test = new WatchedRedis('rediss://127.0.0.1:1');
    const error = 'self-signed certificate in certificate chain';
    test.watch.quiet(test.logger).warn({ event: 'redis', error }, 'queue');
    test.watch.quiet(test.logger).warn({ event: 'redis', error }, 'queue');
    expect(test.said).toEqual([expect.stringContaining('REDIS_CA_FILE')]);
    test.watch.quiet(test.logger).warn({ event: 'unexpected', error }, 'job comes back');
    expect(test.said[1]).toBe(`${error}: job comes back`);
  });

  it.each([
    [
      '801C29907B7F0000:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../deps/openssl/ssl/record/rec_layer_s3.c:1601:SSL alert number 116\n',
      'TLS: tlsv13 alert certificate required',
    ],
    [
      'All sentinels are unreachable and retry is disabled. Last error: WRONGPASS invalid',
      'no Sentinel leads to the primary: WRONGPASS invalid',
    ],
    [
      'All sentinels are unreachable. Retrying from scratch after 1000ms. Last error: connect ECONNREFUSED',
      'no Sentinel leads to the primary: connect ECONNREFUSED',
    ],
    [
      'All sentinels are unreachable. Retrying from scratch after 100ms. Last error: Connection is closed.',
      'no Sentinel leads to the primary',
    ],
    ['All sentinels are unreachable. Retrying from scratch after 100ms.', 'no Sentinel leads to the primary'],
  ])(
    'quotes libraries without numbers, places in their source, and what changes at each try: %s',
    (said, reason) => {
      const test = new WatchedRedis('redis://127.0.0.1:1');
      test.watch.failed(new Error(said));
      expect(test.watch.reasons).toEqual([`Redis: ${reason}`]);
    },
  );

  it('has lines that are not about Redis unchanged', () => {
    const test = new WatchedRedis('redis://127.0.0.1:1');
    const { watch } = test;
    watch.quiet(test.logger).warn({ event: 'unexpected', error: 'a bug' }, 'job comes back');
    watch.quiet(test.logger).warn('a sentence');
    expect(test.said).toEqual(['a bug: job comes back', 'a sentence']);
  });
});
