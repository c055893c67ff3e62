/** Calls and time of an import. */
import { describe, expect, it } from '@jest/globals';
import { callsText, Tally } from '../../../../src/producer/import/plan.js';

const QUOTA = {
  batchMaxInputs: 2_000,
  rateLimitCalls: 100,
  rateLimitWindowMs: 10_000,
  dailyCallLimit: 500_000,
};
const one = { associationCategory: 'WORK' as const, associationTypeId: 1 };
const two = { associationCategory: 'WORK' as const, associationTypeId: 2 };

describe('Tally', () => {
  it('counts lines, associations and kinds; calls mix types but not object pairs', () => {
    const tally = new Tally();
    const add = (count: number, firstLine: number, to: string, types: (typeof one | typeof two)[]) =>
      tally.add({
        associations: Array.from({ length: count }, (_, at) => ({
          ...{ fromObjectType: 'contacts', toObjectType: to, from: at, to: at },
          types: [...types],
        })),
        // two associations in each line
        lines: Array.from({ length: count }, (_, at) => firstLine + Math.floor(at / 2)),
      });
    add(1_500, 2, 'companies', [one]);
    add(600, 1_000, 'companies', [two, one]);
    add(2, 2_000, 'companies', [one, two]);
    add(1, 2_001, 'deals', [one]);
    expect(tally).toMatchObject({ lines: 1_052, associations: 2_103 });
    expect(tally.kinds().map(({ toObjectType, associations }) => [toObjectType, associations])).toEqual([
      ['companies', 1_500],
      ['companies', 602],
      ['deals', 1],
    ]);
    expect(tally.calls(QUOTA)).toBe(3);
  });
});

it.each([
  [0, 'no call to HubSpot: there is nothing to create'],
  [1, '1 call to HubSpot, a few seconds at the quota (100 calls in 10 s)'],
  [150, '150 calls to HubSpot, about 15 s at the quota (100 calls in 10 s)'],
  [
    1_200_000,
    '1200000 calls to HubSpot, about 33.3 h at the quota (100 calls in 10 s); 3 days at 500000 calls a day',
  ],
])('%i calls take as long as the quota says', (calls, text) => {
  expect(callsText(calls, QUOTA)).toBe(text);
});
