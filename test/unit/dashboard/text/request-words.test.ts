/** A request in words. */
import { describe, expect, test } from '@jest/globals';
import type { RequestLine } from '../../../../src/dashboard/overview/requests.js';
import {
  canCancel,
  countsOf,
  hasRejections,
  nextSteps,
  percentOf,
  requestName,
  stateOf,
  timingOf,
  took,
} from '../../../../src/dashboard/text/request-words.js';

const clock = (ms: number) => new Date(ms).toISOString().slice(11, 16);
const at = (time: string) => `2026-03-01T${time}:00.000Z`;
const open: RequestLine = {
  ...{ id: 'r1', name: 'contacts.csv', account: 'default', via: 'file', state: 'open' },
  ...{ enqueuedAt: at('13:00'), accepted: 1_000, created: 880, rejected: 3, cancelled: 0, queued: 117 },
  ...{ refusedLines: 0, perSecond: null },
};
const done: RequestLine = { ...open, state: 'done', doneAt: at('13:05'), created: 997, queued: 0 };
const cancelled: RequestLine = { ...open, state: 'cancelled', cancelledBy: 'anna@ops' };

describe('a request in words', () => {
  test.each<[string, Partial<RequestLine>, string, string, string, string]>([
    ['open', {}, 'good', 'open', '880 created, 3 rejected, 117 queued', ''],
    [
      'open, with a rate',
      { perSecond: 2.34, doneAbout: at('14:32') },
      'good',
      'open',
      '880 created, 3 rejected, 117 queued',
      '2.3/s, done about 14:32',
    ],
    [
      'just begun',
      { state: 'enqueueing', accepted: 0, created: 0, rejected: 0, queued: 0 },
      'good',
      'enqueueing',
      'nothing yet',
      '',
    ],
    [
      'interrupted',
      { state: 'interrupted', interrupted: 'Ctrl-C', refusedLines: 1 },
      'warn',
      'interrupted',
      '880 created, 3 rejected, 117 queued, 1 line refused',
      'Ctrl-C',
    ],
    ['done with rejections', done, 'warn', 'done', '997 created, 3 rejected', 'at 13:05, took 5 min'],
    [
      'done',
      { ...done, created: 1_000, rejected: 0 },
      'idle',
      'done',
      '1,000 created',
      'at 13:05, took 5 min',
    ],
    [
      'cancelled, with a rest in the queue',
      cancelled,
      'idle',
      'cancelling',
      '880 created, 3 rejected, 117 queued',
      'by anna@ops',
    ],
    [
      'cancelled',
      { ...cancelled, doneAt: at('13:05'), queued: 0, cancelled: 117 },
      'idle',
      'cancelled',
      '880 created, 3 rejected, 117 cancelled',
      'by anna@ops',
    ],
  ])('%s', (_, fields, tone, state, counts, timing) => {
    const request: RequestLine = { ...open, ...fields };
    expect(stateOf(request)).toEqual({ tone, text: state });
    expect(countsOf(request)).toBe(counts);
    expect(timingOf(request, clock)).toBe(timing);
  });

  test('100 % is said only when nothing is undecided', () => {
    expect(percentOf({ ...open, accepted: 300_000, queued: 1 })).toBe('99 %');
    expect(percentOf({ ...open, accepted: 300_000, queued: 0 })).toBe('100 %');
    expect(percentOf({ ...open, accepted: 0, queued: 0 })).toBe('0 %');
    expect(percentOf({ ...done, accepted: 0, queued: 0 })).toBe('100 %');
  });

  test('without a name it is called by its id', () => {
    expect(requestName(open)).toBe('contacts.csv');
    expect(requestName({ id: 'r1' })).toBe('r1');
  });

  test('only what may still be enqueued or is still queued can be cancelled', () => {
    expect(canCancel(open)).toBe(true);
    expect(canCancel({ ...open, queued: 0 })).toBe(false);
    expect(canCancel({ ...open, state: 'enqueueing', queued: 0 })).toBe(true);
    expect(canCancel({ ...open, state: 'interrupted' })).toBe(true);
    expect([done, cancelled, { ...open, shared: true as const }].map(canCancel)).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('only rejections that nobody has discarded can be exported or retried', () => {
    expect([open, { ...open, discarded: 2 }, { ...open, discarded: 3 }].map(hasRejections)).toEqual([
      true,
      true,
      false,
    ]);
  });

  test.each([
    ['13:01', '60 s'],
    ['13:59', '59 min'],
    ['15:30', '2.5 h'],
  ])('from 13:00 to %s it took %s', (to, text) => {
    expect(took(at('13:00'), at(to))).toBe(text);
  });
});

test('no hint writes to the file of the request, which an earlier export may have written', () => {
  const hints = (path: string, options = {}) =>
    nextSteps({ ...done, unlisted: 2, file: { path, bytes: 1, sha256: 'a', options } })
      .map(step => /(?:> |--list )(\S+)/.exec(step)?.[1])
      .filter(Boolean);
  expect(hints('/data/links.csv')).toEqual(['cancelled.ndjson', 'rejected.csv']);
  expect(hints('/data/rejected.csv')).toEqual(['cancelled.ndjson', 'rejected-2.csv']);
  expect(hints('rejected-2.csv')).toEqual(['cancelled.ndjson', 'rejected-3.csv']);
  expect(hints('C:\\data\\Rejected-9.CSV')).toEqual(['cancelled.ndjson', 'rejected-10.csv']);
  expect(hints('/data/cancelled.ndjson')).toEqual(['cancelled-2.ndjson', 'rejected.ndjson']);
  expect(hints('/data/links.json', { format: 'ndjson' })).toEqual(['cancelled.ndjson', 'rejected.ndjson']);
});
