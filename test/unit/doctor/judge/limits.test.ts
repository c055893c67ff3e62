import { describe, expect, it, test } from '@jest/globals';
import { judgeLimits } from '../../../../src/doctor/judge/limits.js';

const own = (rateLimitCalls: number, dailyCallLimit = 250_000, rateLimitWindowMs = 10_000) => ({
  ...{ rateLimitCalls, dailyCallLimit, rateLimitWindowMs },
});
const statuses = (told: Parameters<typeof judgeLimits>[0], limits: Parameters<typeof judgeLimits>[1]) =>
  judgeLimits(told, limits).map(({ status }) => status);

describe('calls per window', () => {
  it('may be as many as the tier allows, which the headers tell', () => {
    expect(statuses({ perTenSeconds: 100 }, own(100))).toEqual(['ok']);
    expect(statuses({ perTenSeconds: 100 }, own(101))).toEqual(['fault']);
    expect(statuses({ perTenSeconds: 190 }, own(150))).toEqual(['ok']);
    expect(statuses({ perTenSeconds: 190 }, own(190))).toEqual(['fault']);
    expect(statuses({ perTenSeconds: 250 }, own(200))).toEqual(['ok']);
  });

  it('may be 100 in an unknown tier, and more is a warning', () => {
    expect(statuses({}, own(100))).toEqual(['ok']);
    expect(statuses({ perTenSeconds: 110 }, own(150))).toEqual(['warning']);
  });

  it('count for HubSpot’s window, whatever ours is', () => {
    expect(statuses({ perTenSeconds: 100 }, own(10, 0, 1_000))).toEqual(['ok']);
    expect(judgeLimits({ perTenSeconds: 100 }, own(11, 0, 1_000))[0]).toMatchObject({
      status: 'fault',
      remedy: 'set RATE_LIMIT_CALLS=10',
    });
    // 600 a minute are 100 per 10 s, but may all go at once
    expect(statuses({ perTenSeconds: 100 }, own(600, 0, 60_000))).toEqual(['warning']);
  });
});

test('the day’s calls may be as many as the tier allows', () => {
  expect(statuses({ perDay: 625_000 }, own(100, 500_000))).toEqual(['ok']);
  expect(statuses({ perDay: 625_000 }, own(100, 600_000))).toEqual(['ok', 'warning']);
  expect(statuses({ perDay: 2_000_000 }, own(100, 1_000_000))).toEqual(['ok']);
  expect(statuses({ perDay: 2_000_000 }, own(100, 0))).toEqual(['ok', 'warning']);
});
