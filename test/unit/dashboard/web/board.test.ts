/** Titles of jobs in Bull Board. */
import { expect, test } from '@jest/globals';
import { jobTitle } from '../../../../src/dashboard/web/board.js';

test("the board's title of a job says how many associations of which object pair it holds", () => {
  const objectPair = {
    version: 1,
    fromObjectType: 'contacts',
    toObjectType: 'companies',
    types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
  };
  const pairs = (n: number) => Array.from({ length: n }, (_, at) => ['1', at]);
  const rejected = [{ error: { at: '', attempt: 1, message: 'no', pairs: 2 }, pairs: pairs(2) }];
  expect(jobTitle({ ...objectPair, pairs: pairs(312) })).toBe(
    '312 contacts → companies, HUBSPOT_DEFINED:279',
  );
  expect(jobTitle({ ...objectPair, pairs: [], rejected })).toBe(
    '2 rejected, contacts → companies, HUBSPOT_DEFINED:279',
  );
  expect(jobTitle({ ...objectPair, pairs: pairs(3), rejected })).toBe(
    '3 and 2 rejected, contacts → companies, HUBSPOT_DEFINED:279',
  );
  expect(jobTitle({ anything: 1 })).toBeUndefined();
});
