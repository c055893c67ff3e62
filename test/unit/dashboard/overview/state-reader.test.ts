/** The health of Redis from a refusal and from what Redis says of itself. */
import { expect, test } from '@jest/globals';
import { healthOf } from '../../../../src/dashboard/overview/state-reader.js';
import { factsOf } from '../../../../src/shared/runtime/redis-facts.js';

const evicting = (policy: string) => ({
  words: expect.stringMatching(`^maxmemory-policy is ${policy}: `),
  keys: 7,
});

test.each([
  [200, 100, 'noeviction', { refusal: 'OOM', memory: { usedBytes: 200, maxBytes: 100 }, evicts: null }],
  [99, 100, 'noeviction', { refusal: '', memory: { usedBytes: 99, maxBytes: 100 }, evicts: null }],
  [200, 0, 'noeviction', { refusal: '', memory: null, evicts: null }],
  [200, 100, 'allkeys-lru', { refusal: '', memory: null, evicts: evicting('allkeys-lru') }],
  [
    99,
    100,
    'volatile-ttl',
    { refusal: '', memory: { usedBytes: 99, maxBytes: 100 }, evicts: evicting('volatile-ttl') },
  ],
])('INFO: %i of %i bytes, %s', (used, most, policy, health) => {
  const server = factsOf(
    `used_memory:${used}\r\nmaxmemory:${most}\r\nmaxmemory_policy:${policy}\r\nevicted_keys:7\r\n`,
  );
  expect(healthOf('', server)).toEqual(health);
  expect(healthOf('READONLY no', server)).toEqual({ ...health, refusal: 'READONLY no' });
});

test('a policy that deletes nothing, without a limit and so far, is not in the sentence', () => {
  const server = factsOf('used_memory:200\nmaxmemory:0\nmaxmemory_policy:allkeys-lru\nevicted_keys:0\n');
  expect(healthOf('', server)).toEqual({ refusal: '', memory: null, evicts: null });
});

test('the health of a Redis that does not tell is its refusal alone', () =>
  expect(healthOf('', undefined)).toEqual({ refusal: '', memory: null, evicts: null }));
