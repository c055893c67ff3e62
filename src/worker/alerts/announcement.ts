/** The texts of the webhook: one or two sentences with the figures and the remedy. Pure. */
import { duration } from '../../shared/runtime/duration.js';

/** An announcement as observe.lua writes it. Times are milliseconds; moments are on Redis' clock. */
export type Announcement = { readonly id: number; readonly at: number; readonly tries: number } & (
  | { readonly kind: 'held'; readonly hold: string; readonly reason: string; readonly heldUntil: number }
  | { readonly kind: 'resumed'; readonly heldMs: number }
  | {
      readonly kind: 'rejections';
      readonly rejected: number;
      readonly decided: number;
      /** percent */
      readonly rate: number;
      readonly windowMs: number;
    }
);

/** The remedy for each kind of hold. */
const REMEDIES: Readonly<Record<string, string>> = {
  auth: 'HubSpot refuses the access token: renew it. A file that HUBSPOT_ACCESS_TOKEN_FILE names is read again by itself.',
  daily: 'The calls of the day are used up.',
  migration: 'HubSpot is moving the account.',
  unavailable: 'HubSpot or the way to it is down; a probe finds out when it is back.',
  'rate-limit': 'Somebody else uses the quota, or RATE_LIMIT_CALLS is too high.',
};

/** @param queue the queue's name @returns the text in Slack's notation */
export function announcementText(announcement: Announcement, queue: string): string {
  switch (announcement.kind) {
    case 'held': {
      const { hold, reason, heldUntil, at } = announcement;
      const fixed = !['auth', 'account', 'unavailable'].includes(hold ?? '') && heldUntil > at;
      const until = fixed ? ` until ${moment(heldUntil)} (in ${duration(heldUntil - at)})` : '';
      return `:red_circle: *${plain(queue)}*: the HubSpot account is held${until}. Nothing is lost.\n${plain([reason, REMEDIES[hold]].filter(Boolean).join('\n'))}`;
    }
    case 'resumed':
      return `:large_green_circle: *${plain(queue)}*: flowing again after ${duration(announcement.heldMs)}.`;
    case 'rejections': {
      const { rejected, decided, rate, windowMs } = announcement;
      const percent = Math.round((1_000 * rejected) / decided) / 10;
      return `:warning: *${plain(queue)}*: ${count(rejected)} of ${count(decided)} associations (${percent} %, more than ${rate} %) were rejected within ${duration(windowMs)}. Why: \`association-queue failures list\``;
    }
  }
}

/** Escapes the three characters that have a meaning in Slack. */
const plain = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const count = (value: number): string => value.toLocaleString('en-US');
const moment = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
