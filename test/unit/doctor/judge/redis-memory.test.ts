import { expect, test } from '@jest/globals';
import { judgeMemory } from '../../../../src/doctor/judge/redis-memory.js';
import { factsOf } from '../../../../src/shared/runtime/redis-facts.js';

const MB = 1_048_576;
const judge = (used: number, limit: number, machine = 0) =>
  judgeMemory({
    server: factsOf(
      `used_memory:${used * MB}\nmaxmemory:${limit * MB}\ntotal_system_memory:${machine * MB}\n`,
    ),
  });

test.each([
  [100, 1_000, 'ok'],
  [749, 1_000, 'ok'],
  [750, 1_000, 'warning'],
  [949, 1_000, 'warning'],
  [950, 1_000, 'fault'],
  [1_000, 1_000, 'fault'],
])('%i of %i MB', (used, limit, status) => {
  expect(judge(used, limit).status).toBe(status);
});

test('the room is told in associations', () => {
  expect(judge(100, 1_000).message).toBe(
    'Redis uses 100 MB of 1,000 MB: room for about 31 million associations',
  );
});

test('without maxmemory the machine is the limit, and without either there is none', () => {
  expect(judge(900, 0, 1_000)).toMatchObject({
    status: 'warning',
    message: expect.stringMatching(/of its machine/),
  });
  // a Redis without a limit refuses nobody
  expect(judge(990, 0, 1_000)).toMatchObject({
    status: 'fault',
    message: expect.stringMatching(/the operating system may end it$/),
    remedy: 'set maxmemory below the memory of its machine, and use a machine with more memory',
  });
  expect(judge(990, 1_000).message).toMatch(/producers will be refused$/);
  expect(judge(900, 0)).toEqual({ status: 'ok', message: 'Redis uses 900 MB, without a limit' });
  expect(judgeMemory({ server: undefined }).status).toBe('warning');
});
