/** From minutes in Redis to the steps of a chart. */
import { expect, test } from '@jest/globals';
import { toSeries } from '../../../../src/dashboard/overview/minutes.js';

test('minutes become steps of a chart: counts are added, samples are the largest, batches have a mean, gaps stay gaps', () => {
  const series = toSeries(
    [
      [
        { created: '5', batches: '2', inputs: '3000', backlog: '70' },
        { created: '7', backlog: '50', oldest: '9' },
      ],
      [{}, { callsRateLimited: '1', calls: '4' }],
      [{}, {}],
    ],
    100,
    2,
  );
  expect(series).toMatchObject({
    at: [6_000, 6_120, 6_240],
    stepSeconds: 120,
    created: [12, 0, null],
    calls: [0, 4, null],
    limited: [0, 1, null],
  });
  expect(series).toMatchObject({
    fill: [1_500, null, null],
    backlog: [70, null, null],
    oldest: [9, null, null],
  });
});
