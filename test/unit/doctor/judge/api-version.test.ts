import { expect, test } from '@jest/globals';
import { judgeApiVersion } from '../../../../src/doctor/judge/api-version.js';

test.each([
  ['v4', '2026-11-27', 'ok', /from 2026-12-30 on/],
  ['v4', '2027-01-15', 'warning', /ends on 2027-03-30/],
  ['v4', '2027-04-01', 'fault', /since 2027-03-30/],
  ['2026-09', '2026-11-27', 'ok', /at least until 2028-03/],
  ['2031-03', '2026-11-27', 'warning', /unknown to this program/],
])('%s on %s is %s', (version, day, status, message) => {
  expect(judgeApiVersion(version, Date.parse(day))).toMatchObject({
    status,
    message: expect.stringMatching(message),
  });
});
