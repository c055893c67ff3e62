import { expect, test } from '@jest/globals';
import { versionNotices } from '../../../../src/dashboard/overview/version-notices.js';

const NOW = Date.parse('2026-11-27');

test('the page names each version of the living workers whose support ends, once', () => {
  const workers = [{ apiVersion: 'v4' }, { apiVersion: '2026-09' }, { apiVersion: 'v4' }];
  expect(versionNotices(workers, NOW)).toEqual([
    'HubSpot supports API v4 until 2027-03-30: set HUBSPOT_API_VERSION=2026-09 on every worker, gateway and library, from 2026-12-30 on',
  ]);
});

test('it says nothing of workers that report no version, or one of a later release', () => {
  expect(versionNotices([{}, { apiVersion: '2031-03' }, { apiVersion: '2026-03' }], NOW)).toEqual([]);
});
