/** One post to a webhook: what becomes of it, and what is told of it. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../../../src/shared/runtime/config.js';
import { Webhook } from '../../../../src/shared/webhooks/webhook.js';

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
    const webhook = new Webhook(`http://127.0.0.1:${port}${PATH}`, timeoutMs);
    return webhook.post('{"text":"hello"}', { 'x-more': 'y' }, new AbortController().signal);
  }

  test('posts JSON with its headers', async () => {
    let got: unknown;
    const result = await postTo(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      got = [request.headers['content-type'], request.headers['x-more'], body];
      response.end('ok');
    });
    expect(result).toEqual({ fate: 'taken', what: 'it answered 200' });
    expect(got).toEqual(['application/json', 'y', '{"text":"hello"}']);
  });

  test.each([
    [204, 'taken'],
    [302, 'failed'],
    [400, 'refused'],
    [401, 'failed'],
    [404, 'failed'],
    [410, 'unwanted'],
    [413, 'refused'],
    [422, 'refused'],
    [429, 'failed'],
    [500, 'failed'],
    [503, 'failed'],
  ])('%i: %s', async (status, fate) => {
    expect(
      await postTo((_, response) => response.writeHead(status, { location: '/elsewhere' }).end()),
    ).toEqual({ fate, what: `it answered ${status}` });
  });

  test('tells of silence and of a receiver that is not there, without the URL', async () => {
    expect(await postTo(() => {}, 200)).toEqual({ fate: 'failed', what: 'no answer within 200 ms' });
    const webhook = new Webhook(`http://127.0.0.1:1${PATH}`, 1_000);
    const { fate, what } = await webhook.post('{}', {}, new AbortController().signal);
    expect([fate, what]).toEqual(['failed', expect.stringMatching(/^(ECONNREFUSED|no connection)$/)]);
    expect(webhook.place).toBe('127.0.0.1:1');
  });

  test.each(['not a url', 'ftp://x/secret-path', 'https://user:secret-path@x/'])(
    'a URL that cannot be used is refused at the start, and not repeated',
    url => {
      for (const name of ['ALERT_WEBHOOK_URL', 'REQUEST_WEBHOOK_URL']) {
        let message = '';
        try {
          parseConfig({ [name]: url, REQUEST_WEBHOOK_SECRET: 's' });
        } catch (error) {
          message = (error as Error).message;
        }
        expect(message).toMatch(new RegExp(`^${name} (is not a URL|contains a user)`));
        expect(message).not.toContain('secret-path');
      }
    },
  );
});
