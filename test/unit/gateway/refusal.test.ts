/** Refusals in HubSpot's shape: what they say about the request, and that they name no address of Redis. */
import { expect, it } from '@jest/globals';
import { asRefusal, unavailable, withFate } from '../../../src/gateway/refusal.js';
import { withoutAddresses } from '../../../src/shared/contract/errors.js';

it("a refusal of fastify takes HubSpot's shape, and an error of ours stays an error", () => {
  const of = (statusCode: number, code = '') => asRefusal({ statusCode, code, message: 'm' })?.status;
  expect([of(413, 'FST_ERR_CTP_BODY_TOO_LARGE'), of(415, 'FST_ERR_CTP_INVALID_MEDIA_TYPE')]).toEqual([
    413, 415,
  ]);
  expect([of(400), of(418), of(500), asRefusal(new Error('x'))]).toEqual([400, 400, undefined, undefined]);
});

it.each([
  ['connect ECONNREFUSED 10.1.2.3:6379', 'connect ECONNREFUSED'],
  ['connect ECONNREFUSED ::1:6379', 'connect ECONNREFUSED'],
  ['getaddrinfo ENOTFOUND redis.internal.example', 'getaddrinfo ENOTFOUND'],
  ['Redis is away: connect ETIMEDOUT redis:6379; nothing', 'Redis is away: connect ETIMEDOUT; nothing'],
  [
    "Hostname/IP does not match certificate's altnames: Host: redis.internal. is not in the cert's altnames: DNS:a.example; nothing",
    "Hostname/IP does not match certificate's altnames; nothing",
  ],
  ['MOVED 3999 10.0.0.1:6381', 'MOVED'],
  ['no answer of redis://u:p@host:1/0', 'no answer of (address)'],
  ['no way to 10.0.0.1:6379', 'no way to (address)'],
  ['no way to fe80::1:2:3', 'no way to (address)'],
])('a refusal shows no address of %j', (text, expected) => {
  expect(withoutAddresses(text)).toBe(expected);
  expect(unavailable(text).message).toBe(expected);
});

it.each([
  'OOM command not allowed when used memory > maxmemory',
  "READONLY You can't write against a read only replica.",
  'no answer within 1200 ms',
  'calls are held for 4 s (429 from HubSpot: You have reached your ten_secondly_rolling limit.)',
])('a refusal keeps the words of %j', text => {
  expect(withoutAddresses(text)).toBe(text);
});

it('only a 503 says whether something was enqueued', () => {
  expect(withFate(unavailable('x', 7), 'nothing was enqueued')).toMatchObject({
    message: 'x; nothing was enqueued',
    headers: { 'retry-after': '7' },
  });
  const other = new Error('x');
  expect(withFate(other, 'nothing')).toBe(other);
});
