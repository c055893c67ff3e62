/** The complete answer to a request, as HubSpot would give it. */
import { expect, it } from '@jest/globals';
import { completeAnswer } from '../../../src/gateway/answers.js';
import { readInputs } from '../../../src/gateway/inputs/inputs.js';
import type { TypesOf } from '../../../src/labels/type-resolver.js';
import { LabelLookupError } from '../../../src/shared/contract/errors.js';
import { inputOf } from '../../support/samples.js';

/** Knows one label; the lookup of any other label that begins with "new" fails. */
const typesOf: TypesOf = ({ label }) => {
  if (label?.startsWith('new')) return Promise.reject(new LabelLookupError('HubSpot is away', 7_500));
  if (label !== undefined && label !== 'Chef') return Promise.resolve({ fault: `label: no "${label}"` });
  const associationTypeId = label === 'Chef' ? 36 : 279;
  return { types: [{ associationCategory: label ? 'USER_DEFINED' : 'HUBSPOT_DEFINED', associationTypeId }] };
};

it('the complete answer reports an input whose outcome is not known any more as UNKNOWN', async () => {
  const { jobs } = await readInputs('deals', '2-7', { inputs: [inputOf(1, 2)] }, { maxInputs: 9, typesOf });
  const counts = {
    owner: '',
    id: 'r',
    accepted: 1,
    jobs: 1,
    created: 0,
    rejected: 1,
    cancelled: 0,
    enqueuedAt: 0,
    doneAt: 5,
  };
  const answer = completeAnswer({ ...counts, discarded: [] }, jobs, { of: new Map(), unknown: new Set([0]) });
  expect(answer).toMatchObject({ results: [], numErrors: 1, errors: [{ category: 'UNKNOWN' }] });
});

it('the complete answer lists a duplicate pair that was rejected once as created and as rejected', async () => {
  const inputs = [inputOf(1, 2), inputOf(1, 2), inputOf(3, 4)];
  const { jobs } = await readInputs('deals', '2-7', { inputs }, { maxInputs: 9, typesOf });
  const counts = {
    owner: '',
    id: 'r',
    accepted: 3,
    jobs: 1,
    created: 2,
    rejected: 1,
    cancelled: 0,
    enqueuedAt: 0,
    doneAt: 5,
    discarded: [],
  };
  const error = {
    at: '',
    attempt: 1,
    category: 'VALIDATION_ERROR',
    message: 'no',
    correlationId: 'c',
    pairs: 1,
  };
  const of = new Map([
    [
      0,
      { fromObjectType: 'deals', toObjectType: '2-7', rejected: [{ error, pairs: [['1', '2'] as const] }] },
    ],
  ]);
  const answer = completeAnswer(counts, jobs, { of, unknown: new Set() });
  expect(answer.results.map(({ fromObjectId }) => fromObjectId)).toEqual(['1', '3']);
  expect(answer.results[0]).toMatchObject({ fromObjectTypeId: '0-3', toObjectTypeId: '2-7' });
  expect(answer).toMatchObject({ status: 'COMPLETE', numErrors: 1, completedAt: '1970-01-01T00:00:00.005Z' });
  expect(answer.errors?.[0]).toMatchObject({ status: 'error', message: 'no', id: 'c' });
});
