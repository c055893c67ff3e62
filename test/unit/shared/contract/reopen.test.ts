/** What a failed job becomes when its rejections are retried. (Properties: properties/worker-settlement.test.ts.) */
import { describe, expect, it } from '@jest/globals';
import type { JobData, Rejected } from '../../../../src/shared/contract/association.js';
import { reopenedJob } from '../../../../src/shared/contract/reopen.js';
import { contactsToCompanies } from '../../../support/samples.js';
import { readOf } from '../../../support/worker-samples.js';

const rejected = (...pairs: [string, string][]): Rejected => ({
  error: { at: '2026-03-01T12:00:00.000Z', attempt: 1, message: 'no', pairs: pairs.length },
  pairs,
});
const reopened = (data: Partial<JobData>) =>
  reopenedJob(readOf({ ...contactsToCompanies, pairs: [], ...data }));

describe('a failed job whose rejections are retried', () => {
  it('has its rejected pairs to create, as a new job, and keeps what was created', () => {
    const before = {
      ...{ source: 'crm', requestId: 'r', created: 4 },
      rejected: [rejected(['1', '2'], ['3', '4']), rejected(['5', '6'])],
      errors: [rejected().error],
    };
    expect(reopened(before)).toEqual({
      associations: 3,
      data: {
        ...contactsToCompanies,
        ...{ source: 'crm', requestId: 'r', created: 4 },
        pairs: [
          ['1', '2'],
          ['3', '4'],
          ['5', '6'],
        ],
      },
    });
  });

  it.each<[string, Partial<JobData>]>([
    ['nothing was rejected', {}],
    ['a rejection names no pair', { rejected: [rejected()] }],
    ['other pairs come first', { pairs: [['7', '8']], rejected: [rejected(['1', '2'])] }],
    ['its other pairs were cancelled', { cancelled: 3, rejected: [rejected(['1', '2'])] }],
  ])('stays as it is if %s', (_, data) => {
    expect(reopened(data)).toBeUndefined();
  });
});
