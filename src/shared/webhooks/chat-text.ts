/** The texts of ALERT_WEBHOOK_URL: one or two sentences with the figures and the remedy. Pure. */
import { duration } from '../runtime/duration.js';
import type { Incident } from './announcement.js';

/** The remedy for each kind of hold. */
const REMEDIES: Readonly<Record<string, string>> = {
  auth: 'HubSpot refuses the access token: renew it. A file that HUBSPOT_ACCESS_TOKEN_FILE names is read again by itself.',
  daily: 'The calls of the day are used up.',
  migration: 'HubSpot is moving the account.',
  unavailable: 'HubSpot or the way to it is down; a probe finds out when it is back.',
  'rate-limit': 'Somebody else uses the quota, or RATE_LIMIT_CALLS is too high.',
};

/** @param queue the queue's name @returns the text in Slack's notation */
export function chatText(incident: Incident, queue: string): string {
  switch (incident.kind) {
    case 'held': {
      const { hold, reason, heldUntil, at } = incident;
      const fixed = !['auth', 'account', 'unavailable'].includes(hold ?? '') && heldUntil > at;
      const until = fixed ? ` until ${moment(heldUntil)} (in ${duration(heldUntil - at)})` : '';
      return `:red_circle: *${plain(queue)}*: the HubSpot account is held${until}. Nothing is lost.\n${plain([reason, REMEDIES[hold]].filter(Boolean).join('\n'))}`;
    }
    case 'resumed':
      return `:large_green_circle: *${plain(queue)}*: flowing again after ${duration(incident.heldMs)}.`;
    case 'rejections': {
      const { rejected, decided, rate, windowMs } = incident;
      const percent = Math.round((1_000 * rejected) / decided) / 10;
      return `:warning: *${plain(queue)}*: ${count(rejected)} of ${count(decided)} associations (${percent} %, more than ${rate} %) were rejected within ${duration(windowMs)}. Why: \`association-queue failures list\``;
    }
    case 'workers.missing': {
      const { at, since, jobs } = incident;
      return `:red_circle: *${plain(queue)}*: no worker has been alive for ${duration(at - since)}, and ${jobsAre(jobs)} queued. Nothing is lost. Start one: \`association-queue worker\``;
    }
    case 'workers.back': {
      const { at, since, jobs } = incident;
      return `:large_green_circle: *${plain(queue)}*: a worker is alive again after ${duration(at - since)}; ${jobsAre(jobs)} left.`;
    }
  }
}

/** Says nothing but that the webhook works. */
export const testText = (queue: string): string =>
  `:white_check_mark: *${plain(queue)}*: this is a test; announcements of this queue arrive here.`;

/** Escapes the three characters that have a meaning in Slack. */
const plain = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const count = (value: number): string => value.toLocaleString('en-US');
const jobsAre = (value: number): string => (value === 1 ? '1 job is' : `${count(value)} jobs are`);
const moment = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
