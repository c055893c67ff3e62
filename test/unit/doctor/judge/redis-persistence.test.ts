import { expect, test } from '@jest/globals';
import { judgePersistence } from '../../../../src/doctor/judge/redis-persistence.js';
import { factsOf } from '../../../../src/shared/runtime/redis-facts.js';

const judge = (info: string, save?: string) => judgePersistence({ server: factsOf(info, save) });

test('the fault that every process knows is the finding', () => {
  expect(judge('aof_enabled:1').status).toBe('ok');
  expect(judge('aof_enabled:0', '3600 1').status).toBe('warning');
  expect(judge('aof_enabled:0', '')).toMatchObject({
    status: 'fault',
    message: 'Redis writes nothing to disk: a restart loses the queue',
  });
});

test('a Redis that does not tell is a warning', () => {
  const untold = { status: 'warning', message: expect.stringMatching(/^Redis does not tell/) };
  expect(judge('redis_version:7.0.0')).toMatchObject(untold);
  expect(judgePersistence({ server: undefined })).toMatchObject(untold);
});
