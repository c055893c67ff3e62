/** Figures for people: durations, counts, moments, columns. */
import { describe, expect, test } from '@jest/globals';
import { aligned, clockAt, count, duration, moment } from '../../../../src/dashboard/text/figures.js';

const now = Date.parse('2026-03-01T12:00:00Z');

describe('a figure for people', () => {
  test.each([
    [0, '0 s'],
    [0.4, '0 s'],
    [59.6, '1 min'],
    [200, '3 min 20 s'],
    [3_600, '1 h'],
    [7_505, '2 h 5 min'],
    [90_061, '1 d 1 h'],
    [-5, '0 s'],
  ])('says the duration of %p seconds as %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  test('says counts with separators and moments in UTC', () => {
    expect(count(1_234_567)).toBe('1,234,567');
    expect(moment(now)).toBe('2026-03-01 12:00:00 UTC');
    expect(clockAt(now)(now + 300_000)).toBe('12:05 UTC');
    expect(clockAt(now)(now + 86_400_000)).toBe('2026-03-02 12:00 UTC');
    expect(clockAt(now)(1e300)).toBe('–');
  });

  test('stands in aligned columns', () => {
    expect(
      aligned(
        [
          ['a', '1'],
          ['bbb', '22'],
        ],
        new Set([1]),
      ),
    ).toEqual(['a     1', 'bbb  22']);
  });
});
