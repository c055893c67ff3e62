import { expect, it } from '@jest/globals';
import { ok } from '../../../src/doctor/finding.js';
import { type Check, runChecks } from '../../../src/doctor/run-checks.js';

const check = (name: string, find: Check['find']): Check => ({ name, find });
const TOKEN = 'pat-na1-secret-secret';

it('a check that fails, throws or hangs stops no other, and shows no secret', async () => {
  const checks = [
    check('fails', async () => {
      throw new Error(`HubSpot says: no such token ${TOKEN}`);
    }),
    check('throws', () => {
      throw new Error('before its first await');
    }),
    check('hangs', () => new Promise(() => {})),
    check('works', async () => [ok('one'), ok(`two ${TOKEN}`)]),
  ];
  const found = await runChecks(checks, 50, [TOKEN]);
  expect(found.map(({ check, status, message }) => [check, status, message])).toEqual([
    ['fails', 'fault', 'could not be checked: HubSpot says: no such token [secret]'],
    ['throws', 'fault', 'could not be checked: before its first await'],
    ['hangs', 'fault', 'no result within 0.05 s'],
    ['works', 'ok', 'one'],
    ['works', 'ok', 'two [secret]'],
  ]);
  expect(found.filter(({ status }) => status === 'fault').every(({ remedy }) => remedy !== undefined)).toBe(
    true,
  );
});
