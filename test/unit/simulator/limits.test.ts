/** The limits of calls per window and per day. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Limits } from '../../../src/simulator/limits.js';

const options = { rateLimitCalls: 3, rateLimitWindowMs: 1_000, dailyCallLimit: 0, timezone: 'UTC' };
const NOON = Date.parse('2026-06-01T12:00:00Z');

describe('the rolling limit', () => {
  it('lets in as many calls as the window holds, and says when the next place is free', () => {
    const limits = new Limits();
    const at = [0, 100, 200].map(ms => limits.admit(NOON + ms, options).admitted);
    expect(at).toEqual([true, true, true]);
    expect(limits.admit(NOON + 400, options)).toEqual({
      admitted: false,
      policy: 'TEN_SECONDLY_ROLLING',
      waitMs: 600,
    });
    expect(limits.admit(NOON + 999.9, options).admitted).toBe(false);
    expect(limits.admit(NOON + 1_000, options).admitted).toBe(true);
  });

  it('takes nothing for a refused call, and takes back what a call did not use', () => {
    const limits = new Limits();
    for (const ms of [0, 1, 2, 3, 4, 5]) limits.admit(NOON + ms, options);
    limits.giveBack(NOON + 2);
    expect(limits.admit(NOON + 6, options).admitted).toBe(true);
    expect(limits.admit(NOON + 7, options).admitted).toBe(false);
    expect(limits.admit(NOON + 1_000, options).admitted).toBe(true);
  });

  it('never lets more calls into any window, and never refuses one that has a place', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 200 }), gaps => {
        const limits = new Limits();
        const admitted: number[] = [];
        let now = NOON;
        for (const gap of gaps) {
          now += gap;
          const inWindow = admitted.filter(at => at > now - options.rateLimitWindowMs).length;
          const { admitted: ok } = limits.admit(now, options);
          expect(ok).toBe(inWindow < options.rateLimitCalls);
          if (ok) admitted.push(now);
        }
      }),
    );
  });

  it('is off when it is 0', () => {
    const limits = new Limits();
    const off = { ...options, rateLimitCalls: 0 };
    for (let call = 0; call < 3_000; call++) expect(limits.admit(NOON, off).admitted).toBe(true);
  });
});

describe('the daily limit', () => {
  it("starts again at midnight of the account's time zone", () => {
    const limits = new Limits();
    const daily = { ...options, rateLimitCalls: 0, dailyCallLimit: 2, timezone: 'Europe/Berlin' };
    const midnight = Date.parse('2026-06-02T00:00:00+02:00');
    expect(limits.admit(midnight - 2_000, daily).admitted).toBe(true);
    expect(limits.admit(midnight - 1_000, daily).admitted).toBe(true);
    expect(limits.admit(midnight - 1, daily)).toEqual({ admitted: false, policy: 'DAILY' });
    expect(limits.admit(midnight, daily).admitted).toBe(true);
  });
});

it('the limits tell in headers how many calls are left', () => {
  const limits = new Limits();
  limits.admit(NOON, { ...options, dailyCallLimit: 10 });
  expect(limits.headers({ ...options, dailyCallLimit: 10 })).toEqual({
    'X-HubSpot-RateLimit-Max': '3',
    'X-HubSpot-RateLimit-Remaining': '2',
    'X-HubSpot-RateLimit-Interval-Milliseconds': '1000',
    'X-HubSpot-RateLimit-Daily': '10',
    'X-HubSpot-RateLimit-Daily-Remaining': '9',
  });
});
