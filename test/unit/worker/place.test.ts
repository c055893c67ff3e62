/** When the reserve fetches although it has no place. */
import { expect, test } from '@jest/globals';
import { Overdue } from '../../../src/worker/place.js';

test('it steps in when the same job is next for two seconds, for half a minute', () => {
  const overdue = new Overdue();
  for (const at of [0, 500, 1_000, 1_500]) {
    overdue.saw('7', at);
    expect(overdue.isStepIn(at)).toBe(false);
  }
  overdue.saw('7', 2_000);
  expect([overdue.isStepIn(2_000), overdue.isStepIn(31_999), overdue.isStepIn(32_000)]).toEqual([
    true,
    true,
    false,
  ]);
  overdue.forget();
  expect(overdue.isStepIn(2_001)).toBe(false);
});

test('jobs that come and go, and an empty queue, are no reason', () => {
  const overdue = new Overdue();
  for (let at = 0; at < 60_000; at += 500) overdue.saw(String(Math.floor(at / 1_500)), at);
  for (let at = 60_000; at < 90_000; at += 500) overdue.saw('', at);
  overdue.saw('7', 90_000);
  expect(overdue.isStepIn(90_000)).toBe(false);
});
