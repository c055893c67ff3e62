import { expect, test } from '@jest/globals';
import { judgeJobs, objectTypesOf } from '../../../../src/doctor/judge/jobs.js';

const valid = JSON.stringify({
  version: 1,
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
  pairs: [['1', '2']],
});

test('jobs that a worker can read are ok', () => {
  expect(judgeJobs([])).toEqual({ status: 'ok', message: 'no job waits' });
  expect(judgeJobs([{ id: '1', data: valid }])).toEqual({
    status: 'ok',
    message: '1 of the queued jobs was read, and has valid data',
  });
});

test.each([
  ['no JSON', '{'],
  ['another schema', '{"contactId":1}'],
  ['too large to be read', null],
])('a job with %s is a warning that names it', (_name, data) => {
  const found = judgeJobs([
    { id: '1', data: valid },
    { id: '37', data },
  ]);
  expect(found).toMatchObject({
    status: 'warning',
    message: expect.stringMatching(/^1 of 2 queued jobs .*\(37: /),
  });
});

test('at most three jobs are named', () => {
  const sample = ['a', 'b', 'c', 'd', 'e'].map(id => ({ id, data: '{}' }));
  expect(judgeJobs(sample).message).toMatch(/; and 2 more\)/);
});

test('the object types of the readable jobs', () => {
  expect(
    objectTypesOf([
      { id: '1', data: valid },
      { id: '2', data: '{' },
    ]),
  ).toEqual(['companies', 'contacts']);
});
