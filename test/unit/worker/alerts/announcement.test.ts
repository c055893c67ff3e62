/** The texts of the webhook, and what is logged when it refuses one. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../../../src/shared/runtime/config.js';
import { announcementText } from '../../../../src/worker/alerts/announcement.js';
import { Webhook } from '../../../../src/worker/alerts/webhook.js';

const QUEUE = 'hubspot-associations';
const at = Date.parse('2026-03-01T22:30:00Z');
const common = { id: 1, at, tries: 1 };

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
  ] as const)('is told in words (case %#)', (announcement, text) => {
    expect(announcementText(announcement, QUEUE)).toBe(text);
  });
});

describe('the webhook', () => {
  let server: ReturnType<typeof createServer> | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });
  const PATH = '/services/T0/B0/secret-path';
  async function postTo(listener: RequestListener, timeoutMs = 30_000) {
    server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return new Webhook(`http://127.0.0.1:${port}${PATH}`, timeoutMs).post(
      'hello',
      new AbortController().signal,
    );
  }

  test('posts JSON with a text', async () => {
    let body = '';
    const problem = await postTo(async (request, response) => {
      for await (const chunk of request) body += chunk;
      response.end('ok');
    });
    expect([problem, body]).toEqual([undefined, '{"text":"hello"}']);
  });

  test('tells of a refusal, a redirect or silence without the URL', async () => {
    expect(await postTo((_, response) => response.writeHead(404).end('no_service'))).toBe('it answered 404');
    server?.close();
    expect(await postTo((_, response) => response.writeHead(302, { location: '/elsewhere' }).end())).toBe(
      'it answered 302',
    );
    server?.close();
    expect(await postTo(() => {}, 200)).toBe('no answer within 200 ms');
  });

  test('tells of a receiver that is not there', async () => {
    const webhook = new Webhook(`http://127.0.0.1:1${PATH}`, 1_000);
    const problem = await webhook.post('hello', new AbortController().signal);
    expect(problem).toMatch(/^(ECONNREFUSED|no connection)$/);
    expect(webhook.place).toBe('127.0.0.1:1');
  });

  test.each(['not a url', 'ftp://x/secret-path', 'https://user:secret-path@x/'])(
    'a URL that cannot be used is refused at the start, and not repeated',
    url => {
      let message = '';
      try {
        parseConfig({ ALERT_WEBHOOK_URL: url });
      } catch (error) {
        message = (error as Error).message;
      }
      expect(message).toMatch(/^ALERT_WEBHOOK_URL (is not a URL|contains a user)/);
      expect(message).not.toContain('secret-path');
    },
  );
});
