import { expect, test } from '@jest/globals';
import { judgeEviction } from '../../../../src/doctor/judge/redis-eviction.js';

const judge = (policy: string | undefined, evicted = '0') =>
  judgeEviction({
    info:
      policy === undefined
        ? undefined
        : new Map([
            ['maxmemory_policy', policy],
            ['evicted_keys', evicted],
          ]),
  });

test('only noeviction keeps the queue', () => {
  expect(judge('noeviction').status).toBe('ok');
  expect(judge('allkeys-lru')).toMatchObject({
    status: 'fault',
    message: 'maxmemory-policy is allkeys-lru: a full Redis deletes queued jobs',
    remedy: 'set maxmemory-policy to noeviction',
  });
  expect(judge('volatile-ttl').status).toBe('warning');
  expect(judge(undefined).status).toBe('warning');
});

test('keys that are gone already are counted', () => {
  expect(judge('allkeys-lfu', '37').message).toMatch(/has evicted 37 keys/);
});
