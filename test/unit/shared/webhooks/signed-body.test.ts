/** The events of REQUEST_WEBHOOK_URL and their signature. */
import { createHmac } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { eventBody, signatureOf } from '../../../../src/shared/webhooks/signed-body.js';

const at = Date.parse('2026-03-01T22:30:00.500Z');
const request = {
  ...{ id: 'r', account: 'default', via: 'file' as const, enqueuedAt: '2026-03-01T22:00:00.000Z' },
  ...{ accepted: 3, created: 2, rejected: 1, cancelled: 0, queued: 0, refusedLines: 0, rejections: [] },
};

it('the signature is an HMAC of the seconds and the body', () => {
  const v1 = createHmac('sha256', 'größe')
    .update(`${Math.floor(at / 1_000)}.{"a":"ö"}`)
    .digest('hex');
  expect(signatureOf('{"a":"ö"}', 'größe', at)).toBe(`t=1772404200,v1=${v1}`);
});

it('the end of a request has the request as people see it', () => {
  const end = { kind: 'request', id: 'r-1', at, request: 'r' } as const;
  const body = (state: 'done' | 'cancelled') =>
    JSON.parse(eventBody(end, 'default', { ...request, state }) ?? '') as unknown;
  const common = { id: 'r-1', at: '2026-03-01T22:30:00.500Z' };
  expect(body('done')).toEqual({ ...common, event: 'request.done', request: { ...request, state: 'done' } });
  expect(body('cancelled')).toMatchObject({ ...common, event: 'request.cancelled' });
  expect(eventBody(end, 'default')).toBeUndefined();
});

it('missing workers are told with since when and with what waits; holds are not told', () => {
  const missing = { kind: 'workers.missing', id: 'x', at, since: at - 60_000, jobs: 7 } as const;
  expect(JSON.parse(eventBody(missing, 'default') ?? '')).toEqual({
    ...{ event: 'workers.missing', id: 'x', at: '2026-03-01T22:30:00.500Z', account: 'default' },
    workers: { missingSince: '2026-03-01T22:29:00.500Z', jobs: 7 },
  });
  expect(eventBody({ kind: 'resumed', id: 'x', at, heldMs: 1 }, 'default')).toBeUndefined();
});
