/** The small pure rules: backoff, the account's day, the request's body. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ASSOCIATION_CATEGORIES } from '../../src/shared/contract/association.js';
import { MAX_BACKOFF_MS, pauseMs, withJitter } from '../../src/shared/runtime/backoff.js';
import { dayIn } from '../../src/shared/state/day.js';
import { requestBody } from '../../src/worker/calls/request-body.js';
import { columnsOf, inputOf } from '../support/worker-samples.js';

describe('backoff', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  it('is between nothing and its doubling pause, never over ten minutes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        random,
        (attempt, baseMs, jitter) => {
          const ms = withJitter(pauseMs(attempt, baseMs), jitter);
          expect(Number.isInteger(ms)).toBe(true);
          expect(ms).toBeGreaterThanOrEqual(0);
          expect(ms).toBeLessThanOrEqual(pauseMs(attempt, baseMs));
          expect(pauseMs(attempt, baseMs)).toBeLessThanOrEqual(MAX_BACKOFF_MS);
          expect(pauseMs(attempt + 1, baseMs)).toBeGreaterThanOrEqual(pauseMs(attempt, baseMs));
        },
      ),
    );
    expect([1, 2, 3, 10, 11, 60].map(strike => pauseMs(strike, 1_000))).toEqual([
      1_000, 2_000, 4_000, 512_000, 600_000, 600_000,
    ]);
  });
});

describe('the account’s day', () => {
  // half hours, quarters, thirds of a day away; clocks that change at midnight itself; no change at all
  const ZONES = [
    'UTC',
    'Europe/Berlin',
    'Europe/Dublin',
    'America/New_York',
    'America/Los_Angeles',
    'America/St_Johns',
    'America/Havana',
    'America/Santiago',
    'Asia/Beirut',
    'Africa/Cairo',
    'Asia/Kolkata',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'Atlantic/Azores',
    'Pacific/Auckland',
    'Pacific/Kiritimati',
  ] as const;
  const SECOND = 1_000;
  const dates = new Map(
    ZONES.map(timeZone => [timeZone, new Intl.DateTimeFormat('en-CA', { timeZone })] as const),
  );
  const dateIn = (zone: (typeof ZONES)[number], at: number) => dates.get(zone)?.format(at) ?? '';

  const holds = (zone: (typeof ZONES)[number], now: number) => {
    const { day, msUntilMidnight } = dayIn(zone, now);
    expect(day).toBe(dateIn(zone, now));
    expect(msUntilMidnight).toBeGreaterThan(0);
    expect(msUntilMidnight).toBeLessThanOrEqual(25 * 3_600 * SECOND);
    const reset = now + msUntilMidnight;
    expect([dateIn(zone, reset - 1), dateIn(zone, reset) > day]).toEqual([day, true]);
  };

  it('ends when the date changes there, at any time, in any zone', () => {
    const from = Date.UTC(2024, 0, 1);
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), fc.integer({ min: from, max: Date.UTC(2032, 0, 1) }), holds),
      { numRuns: 2_000 },
    );
  });

  it('ends when the date changes there, on the days on which the clocks change too', () => {
    for (const zone of ZONES) {
      const offset = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
      const offsetAt = (at: number) =>
        offset.formatToParts(at).find(part => part.type === 'timeZoneName')?.value;
      const step = 6 * 3_600 * SECOND;
      for (let at = Date.UTC(2025, 0, 1); at < Date.UTC(2026, 0, 1); at += step) {
        if (offsetAt(at) === offsetAt(at + step)) continue;
        // from a day before the change to a day after it
        for (let now = at - 4 * step; now <= at + 5 * step; now += 1_799_999) holds(zone, now);
      }
    }
  });

  it('just before and at midnight', () => {
    const midnight = Date.UTC(2026, 2, 1);
    expect(dayIn('UTC', midnight - 1)).toEqual({ day: '2026-02-28', msUntilMidnight: 1 });
    expect(dayIn('UTC', midnight)).toEqual({ day: '2026-03-01', msUntilMidnight: 86_400_000 });
  });
});

describe('the request’s body', () => {
  const id = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.constantFrom('1', '"', '\\', '\ud800', '\u2028'),
  );
  const types = fc.array(
    fc.record({
      associationTypeId: fc.integer({ min: 1 }),
      associationCategory: fc.constantFrom(...ASSOCIATION_CATEGORIES),
      // what a job's writer may have added goes no further
      label: fc.string(),
    }),
    { minLength: 1, maxLength: 4 },
  );

  it('is what JSON.stringify makes of the plain structure, whatever the ids, shared types or not', () => {
    fc.assert(
      fc.property(
        fc.array(types, { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(id, id, fc.nat()), { maxLength: 20 }),
        (lists, rows) => {
          const inputs = rows.map(([from, to, which]) => inputOf(from, to, lists[which % lists.length]));
          const plain = inputs.map(({ from, to, types }) => ({
            from: { id: from },
            to: { id: to },
            types: types.map(({ associationCategory, associationTypeId }) => ({
              associationCategory,
              associationTypeId,
            })),
          }));
          expect(requestBody(columnsOf(inputs)).toString()).toBe(JSON.stringify({ inputs: plain }));
        },
      ),
      { numRuns: 500 },
    );
  });
});
