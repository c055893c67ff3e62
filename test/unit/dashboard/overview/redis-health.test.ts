/** The health of Redis from INFO and a refusal. */
import { expect, test } from '@jest/globals';
import { healthOf } from '../../../../src/dashboard/overview/redis-health.js';

test.each([
  [200, 100, 'noeviction', { refusal: 'OOM', memory: { usedBytes: 200, maxBytes: 100 }, evicts: null }],
  [99, 100, 'noeviction', { refusal: '', memory: { usedBytes: 99, maxBytes: 100 }, evicts: null }],
  [200, 0, 'allkeys-lru', { refusal: '', memory: null, evicts: null }],
  [200, 100, 'allkeys-lru', { refusal: '', memory: null, evicts: { policy: 'allkeys-lru', keys: 7 } }],
  [
    99,
    100,
    'volatile-ttl',
    { refusal: '', memory: { usedBytes: 99, maxBytes: 100 }, evicts: { policy: 'volatile-ttl', keys: 7 } },
  ],
])('INFO: %i of %i bytes, %s', (used, most, policy, health) => {
  const info = `used_memory:${used}\r\nmaxmemory:${most}\r\nmaxmemory_policy:${policy}\r\nevicted_keys:7\r\n`;
  expect(healthOf('', info)).toEqual(health);
  expect(healthOf('READONLY no', info)).toEqual({ ...health, refusal: 'READONLY no' });
});

test('the health of a Redis that forbids INFO is its refusal alone', () =>
  expect(healthOf('', '')).toEqual({ refusal: '', memory: null, evicts: null }));
