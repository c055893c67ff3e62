import { expect, test } from '@jest/globals';
import { judgeEviction } from '../../../../src/doctor/judge/redis-eviction.js';
import { factsOf } from '../../../../src/shared/runtime/redis-facts.js';

const judge = (policy: string, evicted = 0) =>
  judgeEviction({
    server: factsOf(`maxmemory:100\r\nmaxmemory_policy:${policy}\r\nevicted_keys:${evicted}\r\n`),
  });

test('only noeviction keeps the queue', () => {
  expect(judge('noeviction').status).toBe('ok');
  expect(judge('allkeys-lru')).toEqual({
    status: 'fault',
    message: 'maxmemory-policy is allkeys-lru: a full Redis deletes any key, queued associations too',
    remedy: 'set maxmemory-policy to noeviction',
  });
  expect(judge('volatile-ttl').status).toBe('warning');
  expect(judgeEviction({ server: undefined }).status).toBe('warning');
  expect(judgeEviction({ server: factsOf('redis_version:7.0.0') }).status).toBe('warning');
});

test('keys that are gone already are counted', () => {
  expect(judge('allkeys-lfu', 37).message).toMatch(/has deleted 37 keys/);
});
