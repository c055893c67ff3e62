/** The sums of the object pairs. */
import { expect, test } from '@jest/globals';
import { sumUp } from '../../../../src/dashboard/overview/object-pairs.js';

const batch = (objectPair: string, lastAt: number, created: number, rejected = 0) => ({
  ...{ objectPair, lastAt, created, rejected, retried: 1, held: 0, inputs: created + rejected + 1 },
});

test('batches are summed up by object pair, the busiest first', () => {
  expect(
    sumUp([
      batch('contacts/deals', 1, 5),
      batch('contacts/companies', 2, 10),
      batch('contacts/deals', 3, 7, 2),
    ]),
  ).toEqual({
    since: 1,
    pairs: [
      {
        ...{ objectPair: 'contacts/deals', created: 12, rejected: 2, retried: 2, held: 0 },
        ...{ batches: 2, inputs: 16, lastAt: 3 },
      },
      {
        ...{ objectPair: 'contacts/companies', created: 10, rejected: 0, retried: 1, held: 0 },
        ...{ batches: 1, inputs: 11, lastAt: 2 },
      },
    ],
  });
  expect(sumUp([])).toEqual({ since: null, pairs: [] });
});
