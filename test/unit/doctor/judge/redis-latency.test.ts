import { expect, test } from '@jest/globals';
import { judgeLatency } from '../../../../src/doctor/judge/redis-latency.js';

test('the median counts, so that one slow answer is no warning', () => {
  expect(judgeLatency({ latencyMs: [0.4, 0.5, 90, 0.6, 0.4] })).toEqual({
    status: 'ok',
    message: 'a round trip to Redis takes 0.5 ms (median of 5, slowest 90 ms)',
  });
  expect(judgeLatency({ latencyMs: [9, 12, 14] }).status).toBe('warning');
  expect(judgeLatency({ latencyMs: [250, 260, 10] }).status).toBe('fault');
});
