/**
 * The body of REQUEST_WEBHOOK_URL, and the header by which the receiver knows that it comes from here and is new:
 * `X-Association-Queue-Signature: t=<unix seconds>,v1=<hex HMAC-SHA-256 of "t.body">`. Pure.
 */
import { createHmac } from 'node:crypto';
import type { RequestView } from '../state/requests.js';
import type { Announcement } from './announcement.js';

export const SIGNATURE_HEADER = 'X-Association-Queue-Signature';

/** @param now epoch ms: receivers refuse what is too old */
export function signatureOf(body: string, secret: string, now: number): string {
  const seconds = Math.floor(now / 1_000);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/**
 * @param request the request that has ended
 * @returns the body as JSON; undefined if the event is none for this webhook, or if its request is gone
 */
export function eventBody(
  announcement: Announcement,
  account: string,
  request?: RequestView,
): string | undefined {
  const { id, kind } = announcement;
  const at = iso(announcement.at);
  switch (kind) {
    case 'request': {
      const event = request?.state === 'cancelled' ? 'request.cancelled' : 'request.done';
      return request && JSON.stringify({ event, id, at, request });
    }
    case 'workers.missing':
    case 'workers.back': {
      const { since, jobs } = announcement;
      return JSON.stringify({ event: kind, id, at, account, workers: { missingSince: iso(since), jobs } });
    }
    default:
      return undefined;
  }
}

/** A body that says nothing but that the webhook works. */
export const testBody = (id: string, now: number, account: string): string =>
  JSON.stringify({ event: 'test', id, at: iso(now), account });
