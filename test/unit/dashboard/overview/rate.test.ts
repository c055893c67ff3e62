/** The rate, from two readings of the totals. */
import { expect, test } from '@jest/globals';
import { Rate } from '../../../../src/dashboard/overview/rate.js';

test('the rate comes from two readings that are far enough apart, and is unknown before', () => {
  const rate = new Rate();
  expect(rate.perSecond(300_000, 1_000)).toBeNull();
  expect(rate.perSecond(303_900, 1_400)).toBeNull();
  expect(rate.perSecond(304_000, 1_400)).toBeCloseTo(100);
  expect(rate.perSecond(310_000, 1_500)).toBeCloseTo(50);
  // nothing moved for as long as readings are kept
  for (let at = 311_000; at <= 330_000; at += 1_000) rate.perSecond(at, 1_500);
  expect(rate.perSecond(331_000, 1_500)).toBe(0);
  // rejections were retried, which is not a negative rate
  expect(rate.perSecond(332_000, 1_000)).toBeNull();
  // no reading for a while
  expect(rate.perSecond(337_000, 1_500)).toBeCloseTo(100);
  expect(rate.perSecond(400_000, 9_500)).toBeNull();
});
