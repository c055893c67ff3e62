/** The search for a record pair in the text of jobs, and the fate that it reports. */
import { describe, expect, test } from '@jest/globals';
import { fateOf, needles } from '../../../../src/dashboard/search/pair-search.js';
import type { JobData } from '../../../../src/shared/contract/association.js';

describe('search', () => {
  const data: JobData = {
    version: 1,
    ...{ fromObjectType: 'contacts', toObjectType: 'companies' },
    types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
    pairs: [['1', '2']],
    rejected: [
      { error: { at: '', attempt: 1, message: 'no', category: 'X', pairs: 1 }, pairs: [['3', '4']] },
    ],
  };
  test('what became of a pair, as far as its job knows', () => {
    expect(fateOf(data, ['1', '2'], 'wait')).toEqual({ fate: 'queued', errors: [] });
    const errors = [{ at: '', attempt: 1, message: 'later', pairs: 1 }];
    expect(fateOf({ ...data, errors }, ['1', '2'], 'delayed')).toEqual({ fate: 'retrying', errors });
    expect(fateOf(data, ['1', '2'], 'completed')).toEqual({ fate: 'created', errors: [] });
    expect(fateOf(data, ['3', '4'], 'failed')).toMatchObject({
      fate: 'rejected',
      errors: [{ message: 'no' }],
    });
    expect(fateOf(data, ['2', '1'], 'wait')).toBeUndefined();
  });
  test('ids that mean something in a pattern or in JSON are only themselves', () => {
    expect(needles(['1', 'a.b"%'])).toEqual([
      '1',
      'a.b\\"%',
      '"1","a.b\\"%"',
      '%[%s*"?0*1"?%s*,%s*"?a%.b%\\%"%%"?%s*%]',
    ]);
  });
});
