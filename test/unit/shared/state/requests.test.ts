/** What a request's record in Redis means: its state, its ledger, its reasons. */
import { describe, expect, it } from '@jest/globals';
import {
  queuedOf,
  readRecord,
  reasonsOf,
  requestState,
  summaryOf,
} from '../../../../src/shared/state/requests.js';

const NOW = 1_000_000;
const open = { accepted: '10', jobs: '1', enqueuedAt: '500000', via: 'file' };
const read = (more: Record<string, string> = {}) => {
  const record = readRecord('r', { ...open, ...more });
  if (!record) throw new Error('no record');
  return record;
};

describe('the state of a request', () => {
  it.each([
    ['everything is enqueued and something is left', {}, 'open'],
    ['its process enqueues on', { enqueueing: '1000001' }, 'enqueueing'],
    ['the lease of its process is over', { enqueueing: '999999' }, 'interrupted'],
    ['its process said why it stopped', { interrupted: 'Ctrl-C', enqueueing: '1000001' }, 'interrupted'],
    ['everything is decided', { doneAt: '900000' }, 'done'],
    ['a person took it back', { cancelledAt: '800000' }, 'cancelled'],
    ['a person took it back, and nothing is left', { cancelledAt: '800000', doneAt: '900000' }, 'cancelled'],
  ])('%s', (_name, fields, expected) => {
    expect(requestState(read(fields as Record<string, string>), NOW)).toBe(expected);
  });
});

it('what is queued is accepted without created, rejected and cancelled', () => {
  expect(queuedOf(read({ created: '3', rejected: '2', cancelled: '1' }))).toBe(4);
});

it('a record that another client wrote is no request, and its odd fields are left out', () => {
  expect(readRecord('r', {})).toBeUndefined();
  expect(readRecord('r', { accepted: 'many' })).toBeUndefined();
  expect(read({ created: 'x', file: '"text"', doneAt: 'soon', via: 'mail' })).toEqual({
    ...{ id: 'r', via: 'library', enqueuedAt: 500_000, accepted: 10, jobs: 1 },
    ...{ created: 0, rejected: 0, cancelled: 0, refusedLines: 0 },
  });
});

describe('the view of a request', () => {
  const view = (more: Record<string, string>) => summaryOf(read(more), 'default', NOW);

  it('says about when it is done, at the mean rate of its settlements', () => {
    const half = view({ created: '5', firstAt: '600000', lastAt: '900000' });
    expect(half).toMatchObject({
      state: 'open',
      queued: 5,
      doneAbout: new Date(NOW + 300_000).toISOString(),
    });
  });

  it('does not guess before the first settlement, while lines are still enqueued, or after the end', () => {
    const times = { created: '5', firstAt: '600000', lastAt: '900000' };
    expect(view({})).not.toHaveProperty('doneAbout');
    expect(view({ ...times, enqueueing: '2000000' })).not.toHaveProperty('doneAbout');
    expect(view({ ...times, created: '10', doneAt: '900000' })).not.toHaveProperty('doneAbout');
  });

  it('shows neither the caller of the gateway nor the lease', () => {
    expect(view({ owner: 'hash', enqueueing: '2000000', name: 'links.csv', by: 'ann@host' })).toEqual({
      ...{ id: 'r', name: 'links.csv', by: 'ann@host', account: 'default', via: 'file', state: 'enqueueing' },
      ...{ enqueuedAt: '1970-01-01T00:08:20.000Z', accepted: 10, created: 0, rejected: 0, cancelled: 0 },
      ...{ queued: 10, refusedLines: 0 },
    });
  });

  it('says how much of what was taken back no list has yet', () => {
    expect(view({ cancelled: '5', unlisted: '3', listed: '2' })).toMatchObject({ cancelled: 5, unlisted: 3 });
    const listed = view({ cancelled: '5', unlisted: '0', listed: '5' });
    for (const field of ['unlisted', 'listed']) expect(listed).not.toHaveProperty(field);
  });

  it('says up to which line a file is enqueued, what was discarded, and that several requests share it', () => {
    expect(view({ line: '5002', discarded: '3', members: '[]' })).toMatchObject({
      ...{ line: 5_002, discarded: 3, shared: true },
    });
    for (const field of ['line', 'discarded', 'shared']) expect(view({})).not.toHaveProperty(field);
  });

  it('says that the process is gone whose lease is over without a word', () => {
    expect(view({ enqueueing: '1' }).interrupted).toBe('the process that enqueued it is gone');
    expect(view({ interrupted: 'Ctrl-C' }).interrupted).toBe('Ctrl-C');
  });
});

it('the reasons of a request are its groups of rejections, the most frequent first', () => {
  const about = JSON.stringify({
    category: 'OBJECT_NOT_FOUND',
    message: 'No contact',
    from: 'contacts',
    to: 'deals',
  });
  const hash = { a: '2', 'a:about': about, b: '7', 'b:about': '{broken', c: '0', 'c:about': about };
  expect(reasonsOf(hash)).toEqual([
    { category: 'OTHER', message: '', count: 7 },
    { category: 'OBJECT_NOT_FOUND', message: 'No contact', count: 2 },
  ]);
});
