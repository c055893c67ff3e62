/** The client against the simulator, and against servers that misbehave: it always answers, never throws and keeps the token secret. */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Answer, classifyCall } from '../../../../src/hubspot/classify.js';
import { ANY_TIME, Departure } from '../../../../src/hubspot/departure.js';
import { clock } from '../../../../src/shared/runtime/clock.js';
import { type Simulator, startSimulator } from '../../../../src/simulator/server.js';
import {
  HubSpotClient,
  type HubSpotClientOptions,
  writeOut,
} from '../../../../src/worker/calls/hubspot-client.js';
import { columnsOf, inputOf, inputsOf, reconcileInputs } from '../../../support/worker-samples.js';

const TOKEN = 'pat-secret-0123456789';
const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function clientOf(baseUrl: string, more: Partial<HubSpotClientOptions> = {}): HubSpotClient {
  const client = new HubSpotClient({
    baseUrl,
    apiVersion: 'v4',
    token: () => TOKEN,
    timeoutMs: 20_000,
    maxSockets: 4,
    windowMs: 10_000,
    onRateLimitHeader: () => {},
    ...more,
  });
  closing.push(() => client.close());
  return client;
}
async function simulatorOf(options: Parameters<typeof startSimulator>[0] = {}): Promise<Simulator> {
  const simulator = await startSimulator({ accessToken: TOKEN, ...options });
  closing.push(async () => {
    await simulator.stop();
    simulator.assertNoPendingFaults();
  });
  return simulator;
}
async function urlOf(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>(resolve => server.close(() => resolve()));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
/** An HTTP server with one answer for every request. */
const httpServer = (answer: (request: IncomingMessage, response: ServerResponse) => void) =>
  urlOf(createHttpServer(answer));

const call = (inputs = inputsOf(3)) => ({
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  columns: columnsOf(inputs),
});
const anyTime = () => new Departure(ANY_TIME);
const forEver = new AbortController().signal;
/** Every answer of this file goes through here, to check that the token is in none. */
async function create(
  client: HubSpotClient,
  {
    inputs = inputsOf(3),
    signal = forEver,
  }: { inputs?: ReturnType<typeof inputsOf>; signal?: AbortSignal } = {},
): Promise<Answer> {
  const answer = await client.create(writeOut(call(inputs)), signal, anyTime());
  if (answer.kind === 'not-sent') throw new Error('not sent');
  expect(JSON.stringify(answer)).not.toContain('secret');
  expect(new Date(answer.at).toISOString()).toBe(answer.at);
  return answer;
}
const http = (answer: Answer) => {
  if (answer.kind !== 'answer') throw new Error(`no answer: ${JSON.stringify(answer)}`);
  return answer;
};

describe('the client against the simulator', () => {
  it.each(['v4', '2025-09', '2026-03', '2026-09'])('version %s', async apiVersion => {
    const simulator = await simulatorOf();
    const answer = http(await create(clientOf(`${simulator.url}/`, { apiVersion })));
    expect(answer.status).toBe(apiVersion === '2026-09' ? 200 : 201);
    const path = apiVersion === 'v4' ? '/crm/v4/associations' : `/crm/associations/${apiVersion}`;
    expect(simulator.ledger.calls).toMatchObject([{ path: `${path}/contacts/companies/batch/create` }]);
    expect([...simulator.ledger.created()].map(({ from }) => from).sort()).toEqual(['1', '2', '3']);
  });

  it.each([true, false])('2,000 inputs come back, ids as numbers: %s', async numericIds => {
    const simulator = await simulatorOf({ numericIds });
    const inputs = inputsOf(2_000);
    const answer = http(await create(clientOf(simulator.url), { inputs }));
    expect(reconcileInputs(answer, true, { ...call(), inputs }).created).toHaveLength(2_000);
  });

  it('a wrong token', async () => {
    const simulator = await simulatorOf();
    const tokens = ['wrong-secret', TOKEN];
    const client = clientOf(simulator.url, { token: () => tokens.shift() ?? '' });
    expect(http(await create(client))).toMatchObject({ status: 401, body: { category: expect.any(String) } });
    expect(http(await create(client)).status).toBe(201);
  });

  it('its correlation id, from the body or from a header, where there is one', async () => {
    const simulator = await simulatorOf();
    simulator.script({ kind: 'status', status: 400 });
    const client = clientOf(simulator.url);
    const refused = http(await create(client));
    expect(refused.correlationId).toBe((refused.body as { correlationId: string }).correlationId);
    expect(http(await create(client)).correlationId).toMatch(/^[0-9a-f-]{36}$/);
    const silent = await httpServer((_request, response) => response.end('{}'));
    expect(http(await create(clientOf(silent)))).not.toHaveProperty('correlationId');
  });

  it('Retry-After in milliseconds, and none where there is none', async () => {
    const simulator = await simulatorOf();
    simulator.script(
      { kind: 'status', status: 429, headers: { 'Retry-After': '7' } },
      { kind: 'status', status: 429, headers: { 'Retry-After': 'Wed, 21 Oct 2015 07:28:00 GMT' } },
      { kind: 'status', status: 503 },
    );
    const client = clientOf(simulator.url);
    expect(http(await create(client)).retryAfterMs).toBe(7_000);
    expect(http(await create(client)).retryAfterMs).toBe(0); // a date in the past
    expect(await create(client)).not.toHaveProperty('retryAfterMs');
  });

  it('the limit in the headers, when it speaks of this window', async () => {
    const simulator = await simulatorOf({ rateLimitHeaders: true, rateLimitCalls: 77 });
    const told: number[] = [];
    const onRateLimitHeader = (calls: number) => told.push(calls);
    await create(clientOf(simulator.url, { onRateLimitHeader }));
    await create(clientOf(simulator.url, { onRateLimitHeader, windowMs: 1_000 }));
    expect(told).toEqual([77]);
  });

  it.each([
    ['reset', 'CONNECTION_ERROR'],
    ['half-body', 'CONNECTION_ERROR'],
  ] as const)('%s', async (kind, category) => {
    const simulator = await simulatorOf();
    simulator.script({ kind });
    const client = clientOf(simulator.url);
    const answer = await create(client);
    expect(answer).toMatchObject({ kind: 'none', category, message: expect.stringMatching(/\S/) });
    expect(classifyCall(answer)).toEqual({ kind: 'unavailable' });
    expect(http(await create(client)).status).toBe(201);
  });

  it('an answer that comes too late', async () => {
    const simulator = await simulatorOf();
    simulator.script({ kind: 'slow', ms: 600_000 });
    expect(await create(clientOf(simulator.url, { timeoutMs: 100 }))).toMatchObject({
      kind: 'none',
      category: 'TIMEOUT',
      message: expect.stringContaining('100'),
    });
    expect(simulator.ledger.createdCount()).toBe(3);
  });

  it('a call that is ended from outside', async () => {
    const simulator = await simulatorOf();
    simulator.script({ kind: 'slow', ms: 600_000 });
    const ending = new AbortController();
    const answer = create(clientOf(simulator.url), { signal: ending.signal });
    while (simulator.ledger.createdCount() === 0) await new Promise(setImmediate);
    ending.abort();
    expect(await answer).toMatchObject({ kind: 'none', category: 'CONNECTION_ERROR' });
    expect(await create(clientOf(simulator.url), { signal: ending.signal })).toMatchObject({ kind: 'none' });
  });

  it('nobody listens there', async () => {
    const simulator = await simulatorOf();
    const client = clientOf(simulator.url);
    await simulator.pause();
    expect(await create(client)).toMatchObject({
      kind: 'none',
      category: 'CONNECTION_ERROR',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

describe('the client against anything else', () => {
  it('sends exactly the call, and the token in its header only', async () => {
    const seen: { method: string | undefined; url: string | undefined; headers: object; body: string }[] = [];
    const url = await httpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', chunk => chunks.push(chunk));
      request.on('end', () => {
        const { method, url, headers } = request;
        seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
        response.end('{}');
      });
    });
    const client = clientOf(`${url}/proxy/`);
    const inputs = [inputOf('1', 'ä"\u2028')];
    const odd = writeOut({ fromObjectType: '0-1', toObjectType: 'p1_a/b?', columns: columnsOf(inputs) });
    await client.create(odd, forEver, anyTime());
    expect(seen).toMatchObject([
      {
        method: 'POST',
        url: '/proxy/crm/v4/associations/0-1/p1_a%2Fb%3F/batch/create',
        headers: {
          authorization: `Bearer ${TOKEN}`,
          'content-type': 'application/json',
          accept: 'application/json',
        },
      },
    ]);
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({
      inputs: [
        {
          from: { id: '1' },
          to: { id: 'ä"\u2028' },
          types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
        },
      ],
    });
  });

  it('ids beyond 2^53 keep their digits, as numbers too', async () => {
    const inputs = [inputOf('9007199254740993', '12345678901234567890'), inputOf('9007199254740992', '2')];
    const url = await httpServer((_, response) =>
      response.end(
        '{"status":"COMPLETE","results":[{"fromObjectId":9007199254740993,"toObjectId": 12345678901234567890},{"toObjectId":2,"fromObjectId":9007199254740992 }]}',
      ),
    );
    const answer = http(await create(clientOf(url), { inputs }));
    expect(reconcileInputs(answer, true, { ...call(), inputs }).created).toHaveLength(2);
  });

  it('text that looks like an id is left alone', async () => {
    const body = JSON.stringify({
      message: 'it was {"fromObjectId":12345678901234567890}',
      fromObjectId: '1',
    });
    const url = await httpServer((_, response) => response.end(body));
    expect(http(await create(clientOf(url))).body).toEqual(JSON.parse(body));
  });

  it.each([
    ['HTML', '<html>captive portal</html>'],
    ['nothing', ''],
    ['half of a JSON', '{"results":['],
    ['a word', 'OK'],
    ['a list', '[]'],
  ])('200 with %s is not HubSpot', async (_, body) => {
    const url = await httpServer((_, response) => response.end(body));
    const answer = http(await create(clientOf(url)));
    expect(classifyCall(answer)).toEqual({ kind: 'unavailable' });
  });

  it.each([301, 302, 307, 308])('%d is not followed: the token goes nowhere else', async status => {
    let visits = 0;
    const elsewhere = await httpServer((_, response) => {
      visits += 1;
      response.end('{}');
    });
    const url = await httpServer((_, response) => response.writeHead(status, { location: elsewhere }).end());
    const answer = http(await create(clientOf(url)));
    expect(answer.status).toBe(status);
    expect(classifyCall(answer)).toEqual({ kind: 'unavailable' });
    expect(visits).toBe(0);
  });

  it('a body that trickles is cut off at the timeout', async () => {
    const url = await httpServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(drip));
    });
    const since = performance.now();
    const answer = await create(clientOf(url, { timeoutMs: 200 }));
    expect(answer).toMatchObject({ kind: 'none', category: 'TIMEOUT', message: 'no answer within 200 ms' });
    expect(performance.now() - since).toBeLessThan(5_000);
  });

  it('a server that says nothing at all', async () => {
    const url = await urlOf(createServer(() => {}));
    expect(await create(clientOf(url, { timeoutMs: 100 }))).toMatchObject({
      kind: 'none',
      category: 'TIMEOUT',
    });
  });

  it('a server that does not speak HTTP', async () => {
    const url = await urlOf(createServer(socket => socket.end('-ERR unknown command\r\n')));
    expect(await create(clientOf(url))).toMatchObject({ kind: 'none', category: 'CONNECTION_ERROR' });
  });

  it.each([
    ['a token with a line break', () => `${TOKEN}\n`],
    [
      'a token that cannot be read',
      () => {
        throw new Error('no such file');
      },
    ],
  ])('%s is no exception', async (_, token) => {
    expect(await create(clientOf('http://127.0.0.1:9', { token }))).toMatchObject({ kind: 'none' });
  });

  it('a host that does not exist', async () => {
    expect(await create(clientOf('http://no-such-host.invalid'))).toMatchObject({
      kind: 'none',
      category: 'CONNECTION_ERROR',
    });
  });
});

describe('the client with a permit’s time', () => {
  const slot = (lateMs: number, graceMs: number) => ({ at: clock() - lateMs, graceMs });
  /** Its time passes while the call is on its way to its connection. */
  class Passing extends Departure {
    #looks = 0;
    override isOpen(): boolean {
      this.#looks += 1;
      return this.#looks < 2 || super.isOpen();
    }
  }

  it('sends a call that is late within its grace, and says how late it was written', async () => {
    const simulator = await simulatorOf();
    const client = clientOf(simulator.url);
    const late: number[] = [];
    for (let turn = 0; turn < 2; turn++) {
      const departure = new Departure(slot(5_000, 60_000), ms => late.push(ms));
      expect(await client.create(writeOut(call()), forEver, departure)).toMatchObject({ status: 201 });
    }
    // on a new connection, and on one that was there
    expect(late).toHaveLength(2);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(5_000);
    expect(simulator.ledger.calls).toHaveLength(2);
  });

  it('says nothing of a punctual call', async () => {
    const simulator = await simulatorOf();
    const late: number[] = [];
    const departure = new Departure({ at: clock() + 60_000, graceMs: 0 }, ms => late.push(ms));
    expect(await clientOf(simulator.url).create(writeOut(call()), forEver, departure)).toMatchObject({
      status: 201,
    });
    expect(late).toEqual([]);
  });

  it.each([
    ['before it asks for a connection', Departure],
    ['with a connection in hand', Passing],
  ])('too late %s: nothing is sent, and the next call goes', async (_when, Kind) => {
    const simulator = await simulatorOf();
    const client = clientOf(simulator.url);
    await create(client); // there is a connection now
    const late: number[] = [];
    const departure = new Kind(slot(500, 400), ms => late.push(ms));
    const answer = await client.create(writeOut(call()), forEver, departure);
    expect(answer).toMatchObject({ kind: 'not-sent' });
    expect((answer as { lateMs: number }).lateMs).toBeGreaterThanOrEqual(500);
    expect(late).toEqual([]);
    expect(await create(client)).toMatchObject({ status: 201 });
    expect(simulator.ledger.calls).toHaveLength(2);
  });
});
