/** Which records of the gateway are in doubt. (Their jobs: integration/gateway.test.ts.) */
import { describe, expect, it } from '@jest/globals';
import { ENQUEUED_WITHIN_MS, isInDoubt } from '../../../../src/shared/state/never-enqueued.js';

const NOW = 1_000_000;
const counts = { accepted: 3, jobs: 1, created: 0, rejected: 0, cancelled: 0 };
const noted = { ...counts, id: 'r', via: 'gateway', enqueuedAt: NOW - ENQUEUED_WITHIN_MS - 1 };

describe('a request is in doubt', () => {
  it('if the gateway noted it a while ago and nothing of it is decided', () => {
    expect(isInDoubt(noted, NOW)).toBe(true);
  });

  it.each([
    ['the gateway may still enqueue it', { enqueuedAt: NOW - ENQUEUED_WITHIN_MS }],
    ['some of it was created', { created: 1 }],
    ['some of it was rejected', { rejected: 1 }],
    ['some of it was cancelled', { cancelled: 1 }],
    ['it has ended', { doneAt: NOW }],
    ['its jobs and its record were written in one step', { via: 'file' }],
    ['it has no jobs', { jobs: 0 }],
  ])('unless %s', (_, more) => {
    expect(isInDoubt({ ...noted, ...more }, NOW)).toBe(false);
  });
});
