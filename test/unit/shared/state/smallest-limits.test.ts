/** Which limits count when replicas are configured differently, and the message about it. */
import { describe, expect, it } from '@jest/globals';
import {
  type AccountLimits,
  limitsDiffer,
  smallestLimits,
} from '../../../../src/shared/state/smallest-limits.js';

const limits = (given: Partial<AccountLimits> = {}): AccountLimits => ({
  ...{ limit: 100, windowMs: 10_000, dailyLimit: 0, timeZone: 'UTC' },
  ...given,
});

describe('the smallest limits', () => {
  it.each<[string, AccountLimits, AccountLimits[], AccountLimits]>([
    ['nobody was heard', limits(), [], limits()],
    ['all agree', limits(), [limits(), limits()], limits()],
    ['fewer calls', limits(), [limits({ limit: 60 })], limits({ limit: 60 })],
    ['own is fewer', limits({ limit: 60 }), [limits()], limits({ limit: 60 })],
    [
      'another window: the lowest rate',
      limits(),
      [limits({ limit: 9, windowMs: 1_000 })],
      limits({ limit: 9, windowMs: 1_000 }),
    ],
    [
      'fewer calls in a shorter window at a higher rate',
      limits(),
      [limits({ limit: 11, windowMs: 1_000 })],
      limits(),
    ],
    [
      'the same rate: the shorter window',
      limits(),
      [limits({ limit: 10, windowMs: 1_000 })],
      limits({ limit: 10, windowMs: 1_000 }),
    ],
    ['no daily limit is the largest', limits(), [limits({ dailyLimit: 500 })], limits({ dailyLimit: 500 })],
    [
      'each limit for itself',
      limits({ limit: 60, dailyLimit: 900 }),
      [limits({ dailyLimit: 500 })],
      limits({ limit: 60, dailyLimit: 500 }),
    ],
    [
      'the time zone of the oldest',
      limits(),
      [limits({ timeZone: 'Europe/Berlin' }), limits()],
      limits({ timeZone: 'Europe/Berlin' }),
    ],
  ])('count over all replicas: %s', (_, own, others, smallest) => {
    expect(smallestLimits(own, others)).toEqual(smallest);
    // every replica computes the same
    for (const one of others) expect(smallestLimits(one, [...others, own])).toEqual(smallest);
  });

  it('are warned of with both values, the setting and the remedy, and not when all agree', () => {
    const replicas = [
      { name: 'a on one', limits: limits() },
      { name: 'b on two', limits: limits({ limit: 60 }) },
      { name: 'c on two', limits: limits({ limit: 60 }) },
    ];
    expect(limitsDiffer(replicas, limits({ limit: 60 }))).toBe(
      'replicas are configured differently: RATE_LIMIT_CALLS is 100 (a on one), 60 (b on two). ' +
        'The smallest counts (60 calls per 10000 ms, no daily limit, days of UTC); set the same on all of them',
    );
    expect(limitsDiffer(replicas.slice(1), limits())).toBe('');
    expect(limitsDiffer([], limits())).toBe('');
  });
});
