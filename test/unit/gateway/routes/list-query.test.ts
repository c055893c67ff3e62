/** The query of GET /requests. */
import { expect, it } from '@jest/globals';
import type { Refusal } from '../../../../src/gateway/refusal.js';
import { readListQuery } from '../../../../src/gateway/routes/list-query.js';

const ID = '0b5cbd0e-6f3a-4c0e-9d0a-3f1f4c7b8a11';

it('a good query is taken, and so is none', () => {
  expect(readListQuery({})).toEqual({});
  expect(readListQuery({ state: 'open', after: ID, limit: '200' })).toEqual({
    ...{ state: 'open', after: ID, limit: 200 },
  });
});

it('every fault is named with its place and what was meant', () => {
  let refusal: Refusal | undefined;
  try {
    readListQuery({ stat: 'open', state: 'opened', after: ['a', 'b'], limit: '0' });
  } catch (error) {
    refusal = error as Refusal;
  }
  expect(refusal).toMatchObject({ status: 400 });
  expect(refusal?.faults).toEqual([
    { in: 'stat', message: expect.stringContaining('did you mean state?') },
    { in: 'state', message: 'it is not enqueueing, open, done, cancelled, interrupted' },
    { in: 'after', message: 'it is not the id of a request' },
    { in: 'limit', message: 'it is not one number from 1 to 200' },
  ]);
});
