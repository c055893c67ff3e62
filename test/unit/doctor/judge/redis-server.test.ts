import { expect, test } from '@jest/globals';
import { judgeServer } from '../../../../src/doctor/judge/redis-server.js';
import { factsOf } from '../../../../src/shared/runtime/redis-facts.js';

const PLACE = 'redis://r:6379';
const serverOf = (info: string) => ({ refusal: '', server: factsOf(info) });

test('a Redis that accepts writes is named with its version', () => {
  expect(judgeServer(serverOf('redis_version:7.4.9'), PLACE)).toEqual([
    { status: 'ok', message: 'Redis 7.4.9 at redis://r:6379 answers and accepts writes' },
  ]);
  const valkey = serverOf('redis_version:7.2.4\nvalkey_version:8.1.0');
  expect(judgeServer(valkey, PLACE)[0]?.message).toMatch(/^Valkey 8\.1\.0 at/);
});

test('a Redis that tells no version is not accused of one', () => {
  expect(judgeServer({ refusal: '', server: undefined }, PLACE)).toMatchObject([{ status: 'ok' }]);
});

test('old versions are a warning, and too old ones a fault', () => {
  const statuses = (version: string) =>
    judgeServer(serverOf(`redis_version:${version}`), PLACE).map(({ status }) => status);
  expect(statuses('6.2.0')).toEqual(['ok', 'warning']);
  expect(statuses('4.0.9')).toEqual(['ok', 'fault']);
});

test.each([
  ["READONLY You can't write against a read only replica.", /set it to the primary/],
  ["OOM command not allowed when used memory > 'maxmemory'.", /more memory/],
  ['MISCONF Redis is configured to save RDB snapshots', /disk/],
  ['NOREPLICAS Not enough good replicas to write.', /min-replicas-to-write/],
  ['BUSY Redis is busy running a script', /log of Redis/],
])('a refusal (%s) is a fault with its remedy', (refusal, remedy) => {
  expect(judgeServer({ refusal, server: undefined }, PLACE)).toEqual([
    {
      status: 'fault',
      message: `Redis at ${PLACE} refuses writes: ${refusal}`,
      remedy: expect.stringMatching(remedy),
    },
  ]);
});
