/** Absurd answers over HTTP: too large, or with an odd Retry-After. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { ANY_TIME, Departure } from '../../../src/hubspot/departure.js';
import { HubSpotHttp } from '../../../src/hubspot/http.js';

const TYPES = { fromObjectType: 'contacts', toObjectType: 'companies' };
async function ask(answer: (socket: import('node:http').ServerResponse) => void) {
  const server = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const http = new HubSpotHttp({
    ...{ baseUrl: `http://127.0.0.1:${port}`, apiVersion: 'v4', token: () => 't', timeoutMs: 30_000 },
    ...{ maxSockets: 1, windowMs: 10_000, onRateLimitHeader: () => {} },
  });
  try {
    return await http.call(
      { method: 'GET', ...TYPES, call: 'labels' },
      new AbortController().signal,
      new Departure(ANY_TIME),
    );
  } finally {
    http.close();
    server.closeAllConnections();
    server.close();
  }
}

it('an endless body is read to 32 MB at most, and is nobody’s fault', async () => {
  const piece = Buffer.alloc(1024 * 1024, 'x');
  let sent = 0;
  const answer = await ask(response => {
    const write = () => {
      while (!response.destroyed && response.write(piece)) sent += 1;
      sent += 1;
    };
    response.on('drain', write);
    write();
  });
  expect(answer).toMatchObject({
    kind: 'none',
    category: 'ANSWER_TOO_LARGE',
    message: expect.stringContaining('larger than 32 MB'),
  });
  expect(sent).toBeLessThan(60);
});

it.each([
  ['a date, by the answer’s own clock', 'Fri, 27 Nov 2026 00:01:00 GMT', 60_000],
  ['a date that is over', 'Thu, 26 Nov 2026 00:00:00 GMT', 0],
  ['seconds', '7', 7_000],
  ['no time at all', 'soon', undefined],
  ['no finite time', 'Infinity', undefined],
])('the Retry-After header is understood when it is %s', async (_name, value, ms) => {
  const answer = await ask(response => {
    response.sendDate = false;
    response.writeHead(429, { 'retry-after': value, date: 'Fri, 27 Nov 2026 00:00:00 GMT' }).end('{}');
  });
  expect((answer as { retryAfterMs?: number }).retryAfterMs).toBe(ms);
});
