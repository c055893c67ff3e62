/** The notice about old figures on the page. */
import { expect, test } from '@jest/globals';
import { type Contact, noticeDetails, noticeText } from '../../../../src/dashboard/page/notice.js';

const trouble = { since: Date.parse('2026-03-01T13:58:30Z'), message: 'connect ECONNREFUSED 127.0.0.1:6379' };
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
    { lastWordAt: NOW - 60_000, trouble, unreachable: true },
    'No word from the dashboard since 13:59; what you see is how it was then. Trying again …',
  ],
  [{ unreachable: true }, 'The dashboard cannot be reached; what you see is how it was. Trying again …'],
  [{ trouble }, 'Redis has been away since 13:58; what you see is how it was then. Trying again …'],
])('the page says how old its figures are: %j', (contact, text) => {
  expect(noticeText({ lastWordAt: NOW, unreachable: false, trouble: null, ...contact }, NOW, clock)).toBe(
    text,
  );
});

test('the small print has the words of Redis and the last known state', () => {
  const contact: Contact = { lastWordAt: NOW, unreachable: false, trouble };
  expect(noticeDetails(contact, 'Flowing: 3/s')).toBe(
    'connect ECONNREFUSED 127.0.0.1:6379 · Last known: Flowing: 3/s',
  );
  expect(noticeDetails({ ...contact, unreachable: true }, 'Flowing: 3/s')).toBe('Last known: Flowing: 3/s');
  expect(noticeDetails({ ...contact, trouble: null }, '')).toBe('');
});
