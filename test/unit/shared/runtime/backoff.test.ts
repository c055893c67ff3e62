/** Backoff: between nothing and a bound that doubles, never past the longest pause. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_BACKOFF_MS, pauseMs, withJitter } from '../../../../src/shared/runtime/backoff.js';

test('the backoff doubles its bound with every attempt, up to ten minutes', () => {
  expect([1, 2, 3, 4].map(attempt => pauseMs(attempt, 1_000))).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(pauseMs(11, 1_000)).toBe(MAX_BACKOFF_MS);
  expect(pauseMs(1_000_000, 1_000)).toBe(MAX_BACKOFF_MS);
});

test('the backoff is any time from zero to its bound', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 1e9 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, base, random) => {
        const pause = withJitter(pauseMs(attempt, base), random);
        return Number.isInteger(pause) && pause >= 0 && pause <= pauseMs(attempt, base);
      },
    ),
  );
  expect(withJitter(4_000, 0)).toBe(0);
  expect(withJitter(4_000, 0.5)).toBe(2_000);
});
