import { expect, test } from '@jest/globals';
import { judgeTimeZone } from '../../../../src/doctor/judge/time-zone.js';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const judge = (theirs: string | undefined, ours: string) =>
  judgeTimeZone({ kind: 'told', facts: theirs === undefined ? {} : { timeZone: theirs } }, ours, NOW);

test('other names of the same zone are the same', () => {
  expect(judge('US/Eastern', 'America/New_York').status).toBe('ok');
});

test('zones that agree only in winter are not the same', () => {
  expect(judge('Europe/London', 'UTC')).toMatchObject({
    status: 'warning',
    remedy: 'set ACCOUNT_TIMEZONE=Europe/London on every worker and gateway',
  });
});

test('an unknown name is a warning, and no word about it is none', () => {
  expect(judge('Mars/Olympus', 'UTC').status).toBe('warning');
  expect(judge(undefined, 'UTC').status).toBe('ok');
});
