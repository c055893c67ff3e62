/** HubSpot's calendar: what a version's notice says on which day. */
import { describe, expect, it, test } from '@jest/globals';
import {
  API_VERSIONS,
  accountInfoPath,
  associationsPath,
  NEWEST_VERSION,
  noticeText,
  versionNotice,
} from '../../../../src/shared/contract/api-versions.js';

const on = (day: string) => Date.parse(day);
const SWITCH = `set HUBSPOT_API_VERSION=${NEWEST_VERSION} on every worker, gateway and library`;

describe('v4', () => {
  test.each([
    ['2026-11-27', 'supported', 'HubSpot supports API v4 until 2027-03-30', `${SWITCH}, from 2026-12-30 on`],
    [
      '2026-12-29T23:59:59Z',
      'supported',
      'HubSpot supports API v4 until 2027-03-30',
      `${SWITCH}, from 2026-12-30 on`,
    ],
    ['2026-12-30', 'ending', "HubSpot's support of API v4 ends on 2027-03-30, in 90 days", `${SWITCH}, now`],
    ['2027-03-29', 'ending', "HubSpot's support of API v4 ends on 2027-03-30, in 1 day", `${SWITCH}, now`],
    [
      '2027-03-30T12:00:00Z',
      'ending',
      "HubSpot's support of API v4 ends on 2027-03-30, today",
      `${SWITCH}, now`,
    ],
    [
      '2027-03-31',
      'ended',
      'HubSpot has not supported API v4 since 2027-03-30, and may refuse its calls',
      `${SWITCH}, now`,
    ],
  ])('on %s is %s', (day, stage, message, remedy) => {
    expect(versionNotice('v4', on(day))).toEqual({ stage, message, remedy });
  });
});

describe('a version that is named after a month', () => {
  it('is supported for at least 18 months, without anything to do', () => {
    expect(versionNotice('2026-03', on('2026-11-27'))).toEqual({
      stage: 'supported',
      message: 'HubSpot supports API 2026-03 at least until 2027-09',
    });
  });

  it('sends its users to HubSpot’s changelog when these months are over', () => {
    expect(versionNotice('2025-09', on('2027-03-01'))).toMatchObject({
      stage: 'ending',
      remedy: `${SWITCH}, now`,
    });
    // this release knows no newer one
    expect(versionNotice(NEWEST_VERSION, on('2030-01-01'))?.remedy).toBeUndefined();
  });
});

test('every version has a notice, and an unknown one of another release has none', () => {
  for (const version of API_VERSIONS)
    expect(versionNotice(version, on('2026-11-27'))?.stage).toBe('supported');
  expect(versionNotice('2031-03', on('2026-11-27'))).toBeUndefined();
});

test('a notice is one sentence', () => {
  expect(noticeText({ stage: 'supported', message: 'It lasts' })).toBe('It lasts');
  expect(noticeText({ stage: 'ending', message: 'It ends', remedy: 'switch' })).toBe('It ends: switch');
});

test('paths are those of HubSpot’s reference', () => {
  expect(API_VERSIONS.map(associationsPath)).toEqual([
    '/crm/v4/associations',
    '/crm/associations/2025-09',
    '/crm/associations/2026-03',
    '/crm/associations/2026-09',
  ]);
  expect(API_VERSIONS.map(accountInfoPath)).toEqual([
    '/account-info/v3',
    '/account-info/v3',
    '/account-info/2026-03',
    '/account-info/2026-09',
  ]);
});
