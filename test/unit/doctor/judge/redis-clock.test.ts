import { expect, test } from '@jest/globals';
import { judgeClock } from '../../../../src/doctor/judge/redis-clock.js';

test.each([
  [12, 'ok', /agree \(12 ms apart\)/],
  [-1_999, 'ok', /agree/],
  [3_400, 'warning', /is 3\.4 s ahead of the clock of this machine/],
  [-90_000, 'fault', /is 90 s behind the clock of this machine/],
])('Redis %i ms ahead', (clockAheadMs, status, message) => {
  expect(judgeClock({ clockAheadMs })).toMatchObject({ status, message: expect.stringMatching(message) });
});
