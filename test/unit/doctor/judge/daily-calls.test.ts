import { expect, test } from '@jest/globals';
import { judgeDailyCalls } from '../../../../src/doctor/judge/daily-calls.js';

const judge = (currentUsage: number, limit = 500_000, usageLimit = 625_000) =>
  judgeDailyCalls({ kind: 'told', facts: { currentUsage, usageLimit } }, { limit, used: 1_000 });

test.each([
  [10_000, 500_000, 'ok'],
  [562_500, 500_000, 'warning'],
  [625_000, 500_000, 'fault'],
  [10_000, 0, 'warning'],
  [10_000, 700_000, 'warning'],
])('%i used, DAILY_CALL_LIMIT %i: %s', (used, limit, status) => {
  expect(judge(used, limit).status).toBe(status);
});

test('both counts are told', () => {
  expect(judge(12_345).message).toBe(
    '12,345 of 625,000 calls of all private apps are used today; the workers counted 1,000 calls today; DAILY_CALL_LIMIT is 500,000',
  );
});

test('without HubSpot’s count our own limit is what there is', () => {
  const untold = { kind: 'not-told', verdict: 'forbidden', words: '403 from HubSpot' } as const;
  expect(judgeDailyCalls(untold, { limit: 500_000, used: undefined }).status).toBe('ok');
  expect(judgeDailyCalls(untold, { limit: 0, used: undefined }).status).toBe('warning');
});
