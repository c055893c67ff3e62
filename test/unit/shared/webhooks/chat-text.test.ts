/** The texts of ALERT_WEBHOOK_URL. */
import { describe, expect, test } from '@jest/globals';
import { chatText } from '../../../../src/shared/webhooks/chat-text.js';

const QUEUE = 'hubspot-associations';
const at = Date.parse('2026-03-01T22:30:00Z');
const common = { id: 'x-1', at };

describe('an announcement', () => {
  test.each([
    [
      {
        ...common,
        kind: 'held',
        hold: 'daily',
        reason: 'the daily limit of 500000 calls is used up',
        heldUntil: at + 5_400_000,
      },
      ':red_circle: *hubspot-associations*: the HubSpot account is held until 2026-03-02 00:00 UTC (in 90 min). Nothing is lost.\nthe daily limit of 500000 calls is used up\nThe calls of the day are used up.',
    ],
    [
      {
        ...common,
        kind: 'held',
        hold: 'auth',
        reason: '401 from HubSpot: <token> & more',
        heldUntil: at + 1_000,
      },
      ':red_circle: *hubspot-associations*: the HubSpot account is held. Nothing is lost.\n401 from HubSpot: &lt;token&gt; &amp; more\nHubSpot refuses the access token: renew it. A file that HUBSPOT_ACCESS_TOKEN_FILE names is read again by itself.',
    ],
    [
      { ...common, kind: 'resumed', heldMs: 754_000 },
      ':large_green_circle: *hubspot-associations*: flowing again after 13 min.',
    ],
    [
      { ...common, kind: 'rejections', rejected: 1_240, decided: 20_000, rate: 5, windowMs: 300_000 },
      ':warning: *hubspot-associations*: 1,240 of 20,000 associations (6.2 %, more than 5 %) were rejected within 5 min. Why: `association-queue failures list`',
    ],
    [
      { ...common, kind: 'workers.missing', since: at - 61_000, jobs: 1_200 },
      ':red_circle: *hubspot-associations*: no worker has been alive for 61 s, and 1,200 jobs are queued. Nothing is lost. Start one: `association-queue worker`',
    ],
    [
      { ...common, kind: 'workers.back', since: at - 754_000, jobs: 3 },
      ':large_green_circle: *hubspot-associations*: a worker is alive again after 13 min; 3 jobs are left.',
    ],
    [
      { ...common, kind: 'workers.back', since: at - 754_000, jobs: 1 },
      ':large_green_circle: *hubspot-associations*: a worker is alive again after 13 min; 1 job is left.',
    ],
  ] as const)('is told in words (case %#)', (announcement, text) => {
    expect(chatText(announcement, QUEUE)).toBe(text);
  });
});
