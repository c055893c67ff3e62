/** The notice about old figures on the page. */
import { expect, test } from '@jest/globals';
import { type Contact, noticeText } from '../../../../src/dashboard/page/notice.js';

const NOW = Date.parse('2026-03-01T14:00:00Z');
const clock = (ms: number) => new Date(ms).toISOString().slice(11, 16);

test.each<[Partial<Contact>, string]>([
  [{}, ''],
  [{ lastWordAt: 0 }, ''],
  [{ lastWordAt: NOW - 5_000 }, ''],
  [
    { lastWordAt: NOW - 5_001 },
    'No word from the dashboard since 13:59; what you see is how it was then. Trying again …',
  ],
  [
    { lastWordAt: NOW - 60_000, trouble: { since: NOW - 90_000 }, unreachable: true },
    'No word from the dashboard since 13:59; what you see is how it was then. Trying again …',
  ],
  [{ unreachable: true }, 'The dashboard cannot be reached; what you see is how it was. Trying again …'],
  [{ trouble: { since: NOW } }, 'Redis cannot be read since 14:00; what you see is how it was.'],
])('the page says how old its figures are: %j', (contact, text) => {
  expect(noticeText({ lastWordAt: NOW, unreachable: false, trouble: null, ...contact }, NOW, clock)).toBe(
    text,
  );
});
