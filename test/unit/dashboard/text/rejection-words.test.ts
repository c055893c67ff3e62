/** Rejections in words. */
import { expect, test } from '@jest/globals';
import { heldText, sizeText, totalText } from '../../../../src/dashboard/text/rejection-words.js';

test('rejections are told as associations, and jobs that cannot be read as jobs', () => {
  const invalid = { category: 'INVALID_JOB', associations: 0, jobs: 7 };
  const missing = { category: 'OBJECT_NOT_FOUND', associations: 1_200, jobs: 3 };
  expect(heldText(invalid)).toBe('7 jobs whose data cannot be read');
  expect(heldText({ ...invalid, jobs: 1 })).toBe('1 job whose data cannot be read');
  expect(heldText(missing)).toBe('1,200 associations');
  expect([sizeText(invalid), sizeText(missing)]).toEqual(['–', '1,200']);
  expect(totalText(1_200, [missing, invalid])).toBe(
    '1,200 associations and 7 jobs whose data cannot be read',
  );
  expect(totalText(0, [invalid])).toBe('7 jobs whose data cannot be read');
  expect(totalText(0, [])).toBe('');
});
