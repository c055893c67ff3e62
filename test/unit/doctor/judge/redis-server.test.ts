import { expect, test } from '@jest/globals';
import { judgeServer } from '../../../../src/doctor/judge/redis-server.js';

const PLACE = 'redis://r:6379';
const info = (fields: Record<string, string>) => new Map(Object.entries(fields));
const statuses = (refusal: string, fields: Record<string, string> | undefined) =>
  judgeServer({ refusal, info: fields && info(fields) }, PLACE).map(({ status }) => status);

test('a Redis that accepts writes is named with its version', () => {
  expect(judgeServer({ refusal: '', info: info({ redis_version: '7.4.9' }) }, PLACE)).toEqual([
    { status: 'ok', message: 'Redis 7.4.9 at redis://r:6379 answers and accepts writes' },
  ]);
  const valkey = info({ redis_version: '7.2.4', valkey_version: '8.1.0' });
  expect(judgeServer({ refusal: '', info: valkey }, PLACE)[0]?.message).toMatch(/^Valkey 8\.1\.0 at/);
});

test('a Redis that tells no version is not accused of one', () => {
  expect(statuses('', undefined)).toEqual(['ok']);
});

test('old versions are a warning, and too old ones a fault', () => {
  expect(statuses('', { redis_version: '6.2.0' })).toEqual(['ok', 'warning']);
  expect(statuses('', { redis_version: '4.0.9' })).toEqual(['ok', 'fault']);
});

test.each([
  ["READONLY You can't write against a read only replica.", /set it to the primary/],
  ["OOM command not allowed when used memory > 'maxmemory'.", /more memory/],
  ['MISCONF Redis is configured to save RDB snapshots', /disk/],
  ['NOREPLICAS Not enough good replicas to write.', /min-replicas-to-write/],
  ['BUSY Redis is busy running a script', /log of Redis/],
])('a refusal (%s) is a fault with its remedy', (refusal, remedy) => {
  expect(judgeServer({ refusal, info: undefined }, PLACE)).toEqual([
    {
      status: 'fault',
      message: `Redis at ${PLACE} refuses writes: ${refusal}`,
      remedy: expect.stringMatching(remedy),
    },
  ]);
});
