/** The output of `requests`. */
import { describe, expect, test } from '@jest/globals';
import { clockAt } from '../../../../src/dashboard/text/figures.js';
import { nextSteps } from '../../../../src/dashboard/text/request-words.js';
import {
  exportedText,
  outcomeText,
  paceText,
  progressBar,
  progressLine,
  requestsText,
  requestText,
  shortIds,
  stateText,
  waitLine,
} from '../../../../src/dashboard/text/requests-text.js';
import type { RequestView } from '../../../../src/shared/state/requests.js';
import { plain as paint } from '../../../support/terminal.js';

const NOW = Date.parse('2026-11-27T14:00:00Z');
const clock = clockAt(NOW);
const ID = '0b5cbd0e-6f3a-4c0e-9d0a-3f1f4c7b8a11';
const canvas = { columns: 80, paint, clock };

const open: RequestView = {
  id: ID,
  name: 'links.csv',
  source: 'crm',
  account: 'default',
  via: 'file',
  by: 'anna@ops',
  state: 'open',
  enqueuedAt: '2026-11-27T13:00:00.000Z',
  accepted: 300_000,
  created: 211_120,
  rejected: 880,
  cancelled: 0,
  queued: 88_000,
  refusedLines: 12,
  rejections: [
    { category: 'VALIDATION_ERROR', message: 'One or both record ids … do not exist\u001b[2J', count: 612 },
    { category: 'OBJECT_NOT_FOUND', message: 'No contact with ID … exists', count: 268 },
  ],
  doneAbout: '2026-11-27T14:32:10.000Z',
  file: { path: 'my links.csv', bytes: 1, sha256: 'a', options: {} },
};
const done: RequestView = { ...open, state: 'done', doneAt: open.enqueuedAt, queued: 0, created: 299_120 };
const all: RequestView = { ...done, created: 300_000, rejected: 0, rejections: [] };

describe('the screen of a request', () => {
  test('says what it is, how far it is, why not all of it, and what to do next', () => {
    const text = requestText(open, canvas);
    expect(text.split('\n').slice(0, 5)).toEqual([
      `links.csv  ${ID}`,
      'enqueued 2026-11-27 13:00:00 UTC by anna@ops from a file, source crm',
      '',
      'Open: 88,000 of 300,000 associations still queued, done about 14:32 UTC',
      progressBar(open, 80, paint),
    ]);
    expect(text).toContain('accepted  300,000  12 lines of the file refused before, so not among them');
    expect(text).toContain(
      '  612  VALIDATION_ERROR  One or both record ids … do not exist [2J\n  268  OBJECT',
    );
    expect(text).toContain(`  association-queue requests export ${ID} > rejected.csv`);
    expect(text).not.toContain('\u001b');
    for (const line of text.split('\n').filter(each => !each.includes(ID)))
      expect([line, line.length <= 80]).toEqual([line, true]);
  });

  test('names each state in a sentence', () => {
    expect(stateText(done, clock)).toBe(
      'Done since 2026-11-27 13:00:00 UTC: 880 of 300,000 associations rejected',
    );
    expect(stateText(all, clock)).toMatch(/: all 300,000 associations created$/);
    expect(stateText({ ...all, accepted: 0, created: 0 }, clock)).toMatch(/: it has no associations$/);
    expect(stateText({ ...open, state: 'enqueueing' }, clock)).toBe(
      'Enqueueing: 300,000 associations so far, 212,000 of them decided',
    );
    expect(stateText({ ...open, state: 'interrupted', interrupted: 'Ctrl-C' }, clock)).toMatch(
      /^Interrupted before everything was enqueued: Ctrl-C\. 88,000 of 300,000 associations still queued$/,
    );
    const cancelled = { ...open, state: 'cancelled', cancelledBy: 'bob@ops' } as const;
    expect(stateText(cancelled, clock)).toMatch(/^Being cancelled by bob@ops: 88,000 of 300,000/);
    expect(stateText({ ...cancelled, queued: 0 }, clock)).toBe(
      'Cancelled by bob@ops: nothing of it is queued any more',
    );
  });

  test('offers the commands that apply', () => {
    const verbs = (request: RequestView) => nextSteps(request).map(step => step.split(' ')[2]);
    expect(verbs(open)).toEqual(['wait', 'cancel', 'export', 'retry']);
    expect(verbs(done)).toEqual(['export', 'retry']);
    expect(verbs(all)).toEqual([]);
    expect(verbs({ ...open, rejected: 0, state: 'cancelled' })).toEqual(['cancel']);
    const unlisted = { ...open, rejected: 0, queued: 0, state: 'cancelled', unlisted: 1_200 } as const;
    expect(nextSteps(unlisted)).toEqual([
      `association-queue requests cancel ${ID} --list cancelled.ndjson    (lists 1,200 of what was taken back)`,
    ]);
    expect(nextSteps({ ...open, state: 'interrupted' })[0]).toBe(
      `association-queue enqueue 'my links.csv' --resume ${ID}`,
    );
    const { file: _file, ...piped } = done;
    expect(nextSteps({ ...piped, via: 'library' })[0]).toContain('> rejected.ndjson ');
  });

  test('offers no command that cannot do anything', () => {
    const verbs = (request: RequestView) => nextSteps(request).map(step => step.split(' ')[2]);
    expect(verbs({ ...open, shared: true })).toEqual(['wait', 'export', 'retry']);
    expect(verbs({ ...done, discarded: 879 })).toEqual(['export', 'retry']);
    expect(verbs({ ...done, discarded: 880 })).toEqual([]);
    const interrupted: RequestView = { ...open, state: 'interrupted', rejected: 0 };
    const { file: _file, ...piped } = interrupted;
    expect(nextSteps({ ...piped, line: 5_002 })).toEqual([
      'association-queue enqueue -    (the lines after line 5002 again: standard input cannot be resumed)',
      `association-queue requests cancel ${ID}`,
    ]);
    expect(nextSteps(piped)[0]).toContain('(all lines again: ');
    expect(verbs({ ...piped, via: 'library' })).toEqual(['cancel']);
    expect(verbs({ ...piped, via: 'library', queued: 0 })).toEqual([]);
  });

  test('says what of it was discarded, and that several requests share it', () => {
    const text = requestText({ ...open, discarded: 12, shared: true }, canvas);
    expect(text).toMatch(/rejected +880 +12 of them discarded\n/);
    expect(text).toContain('source crm; several requests of one association, which share a job');
  });
});

describe('the bar', () => {
  test('shows every part that is not empty, and is always of one length', () => {
    const cases = [
      { created: 0, rejected: 0, cancelled: 0, queued: 1_000_000 },
      { created: 1, rejected: 1, cancelled: 1, queued: 999_997 },
      { created: 999_997, rejected: 1, cancelled: 1, queued: 1 },
      { created: 999_998, rejected: 1, cancelled: 1, queued: 0 },
      { created: 333_333, rejected: 333_333, cancelled: 333_334, queued: 0 },
      { created: 500_000, rejected: 0, cancelled: 0, queued: 500_000 },
    ];
    for (const parts of cases) {
      const [bar = ''] = progressBar({ ...open, ...parts, accepted: 1_000_000 }, 30, paint).split(' ');
      const shown = [...'█▓▒░'].map(glyph => bar.includes(glyph));
      expect([parts, shown]).toEqual([parts, Object.values(parts).map(part => part > 0)]);
      const percent = progressBar({ ...open, ...parts, accepted: 1_000_000 }, 30, paint).slice(bar.length);
      expect(bar.length + percent.length).toBe(30);
      expect(percent === ' 100 %').toBe(parts.queued === 0);
    }
  });
});

describe('the list', () => {
  test('has a row for each request, and ids that are as short as they can be', () => {
    const other = { ...done, id: '0b5cbd0e-6f3b-4c0e-9d0a-3f1f4c7b8a11', name: 'b\u202e.csv' };
    const text = requestsText({ requests: [open, other], after: other.id });
    expect(text).toMatch(/^id +enqueued +state +accepted +created +rejected +cancelled +queued +name\n/);
    expect(text).toMatch(
      /0b5cbd0e-6f3a +2026-11-27 13:00:00 UTC +open +300,000 +211,120 +880 +0 +88,000 +links/,
    );
    expect(text).not.toContain('\u202e');
    expect(text).toContain(`There are more: --after ${other.id}`);
    expect(requestsText({ requests: [] })).toBe('No requests.');
    expect(requestsText({ requests: [] }, { state: 'open' })).toBe('No request is open.');
    expect(requestsText({ requests: [] }, { state: 'done', after: ID })).toBe('No older request is done.');
    expect(shortIds([ID, 'nightly'])).toEqual(['0b5cbd0e', 'nightly']);
  });
});

describe('progress', () => {
  test('as a line for a log', () => {
    expect(waitLine(open, NOW, null, clock)).toBe(
      '2026-11-27T14:00:00.000Z  open  accepted 300000 created 211120 rejected 880 cancelled 0 queued 88000  done about 14:32 UTC',
    );
    expect(outcomeText(done)).toBe(`request ${ID} done: created 299120, rejected 880, cancelled 0`);
    expect(outcomeText(open)).toMatch(/, queued 88000$/);
  });

  test('expects the end by the rate of the last seconds', () => {
    expect(paceText(open, NOW, 1_000, clock)).toBe('1,000/s, done about 14:01 UTC');
    expect(paceText({ ...open, state: 'enqueueing' }, NOW, 1_000, clock)).toBe(
      '1,000/s, done about 14:32 UTC',
    );
    const { doneAbout: _about, ...early } = open;
    expect(paceText(early, NOW, null, clock)).toBe('');
  });

  test('as a bar, with the reason why it stands still in the place of the rate', () => {
    const pace = { perSecond: 2_100, now: NOW, sentence: '' };
    expect(progressLine(open, pace, canvas)).toMatch(
      /70 % {2}211,120 created, 880 rejected, 88,000 queued {2}2,100\/s, done about/,
    );
    expect(progressLine(open, { ...pace, sentence: 'Paused by bob' }, canvas)).toMatch(
      /queued {2}Paused by bob$/,
    );
  });
});

test('an export says what it has, what it has not, and how to go on', () => {
  const original = { path: 'links.csv', format: 'csv', options: '--from contacts', missing: () => [] };
  expect(exportedText({ id: ID, associations: 870, rejected: 880, discarded: 4, original })).toEqual([
    'exported 870 rejected associations with the columns of links.csv',
    '4 more were rejected and discarded',
    '6 more were rejected, in jobs that another client has retried or removed',
    'when they are repaired: association-queue enqueue rejected.csv --from contacts',
    `they stay in the list of failures until: association-queue failures discard --request ${ID}`,
  ]);
  expect(exportedText({ id: ID, associations: 0, rejected: 0, discarded: 0 })).toEqual([
    `nothing of request ${ID} is rejected`,
  ]);
  const repaired = { ...original, path: '/data/rejected.csv' };
  expect(exportedText({ id: ID, associations: 1, rejected: 1, discarded: 0, original: repaired })[1]).toBe(
    'when they are repaired: association-queue enqueue rejected-2.csv --from contacts',
  );
  const lost = { ...original, missing: () => [{ from: '1', to: '2' }] };
  expect(exportedText({ id: ID, associations: 879, rejected: 880, discarded: 0, original: lost })[1]).toBe(
    '1 more association in no line of it, for example 1 → 2',
  );
});
