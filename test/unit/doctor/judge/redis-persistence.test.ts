import { expect, test } from '@jest/globals';
import { judgePersistence } from '../../../../src/doctor/judge/redis-persistence.js';

const judge = (info: Record<string, string> | undefined, save: string | undefined) =>
  judgePersistence({ info: info && new Map(Object.entries(info)), save });

test.each([
  ['an append-only file', { aof_enabled: '1', aof_last_write_status: 'ok' }, '', 'ok'],
  [
    'an append-only file that cannot be written',
    { aof_enabled: '1', aof_last_write_status: 'err' },
    '',
    'fault',
  ],
  ['snapshots only', { aof_enabled: '0' }, '3600 1 300 100', 'warning'],
  ['nothing on disk', { aof_enabled: '0' }, '', 'fault'],
  ['no append-only file, and no word about snapshots', { aof_enabled: '0' }, undefined, 'warning'],
  ['no word about it', undefined, undefined, 'warning'],
])('%s', (_name, info, save, status) => {
  expect(judge(info as Record<string, string> | undefined, save).status).toBe(status);
});

test('a snapshot that failed is mentioned', () => {
  expect(judge({ aof_enabled: '0', rdb_last_bgsave_status: 'err' }, '60 1').message).toMatch(
    /latest one failed/,
  );
});
