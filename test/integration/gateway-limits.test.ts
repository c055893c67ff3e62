/** The server in this process on a real Redis: refusals, limits, the end, and answers that keep to the published schemas. */

import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { expect, it } from '@jest/globals';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { RefusalSchema } from '../../src/gateway/schemas.js';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { Compile } from '../../src/shared/contract/typebox.js';
import { type ReplyBody, type ServerOptions, type TestServer, useServers } from '../support/gateway.js';
import { SchemaCheck } from '../support/openapi.js';
import { useRedis } from '../support/redis.js';
import { CREATE, inputOf } from '../support/samples.js';

const test = useRedis(import.meta.url);
const openServer = useServers(test);
let server: TestServer;
const open = async (options?: ServerOptions) => {
  server = await openServer(options);
};
const isRefusal = Compile(RefusalSchema);
const headers = { 'content-type': 'application/json' };
const queued = () => test.redis.llen(`${bullmqKeys(accountKeys(test.prefix)).jobs}wait`);

async function post(payload: string | object, more: Record<string, string> = {}, url = CREATE) {
  const response = await server.app.inject({
    method: 'POST',
    url,
    payload,
    headers: { ...headers, ...more },
  });
  return { status: response.statusCode, body: response.json<ReplyBody>(), headers: response.headers };
}
const inputs = (count: number, first = 1) => ({
  inputs: Array.from({ length: count }, (_, at) => inputOf(first + at, first + at)),
});

it('answers keep to the schemas that are published in /openapi.json', async () => {
  await open({ maxInputs: 5, apiKeys: ['k'] });
  const key = { authorization: 'Bearer k' };
  const published = new SchemaCheck((await server.app.inject('/openapi.json')).json());
  const [path] = published.operations.map(operation => operation.path);
  const bodies = [
    [inputs(1), {}, 201],
    [inputs(1), { prefer: 'respond-async' }, 202],
    [inputs(2), { 'idempotency-key': 'a' }, 201],
    [inputs(3), { 'idempotency-key': 'a' }, 422],
    [{ inputs: [{}] }, {}, 400],
    [inputs(6), {}, 413],
    ['x', { 'content-type': 'text/plain' }, 415],
    [inputs(1), { authorization: '' }, 401],
  ] as const;
  let statusPath = '';
  for (const [payload, more, expected] of bodies) {
    const { status, body } = await post(payload, { ...key, ...more });
    expect([status, published.accepts('post', path ?? '', status, body)]).toEqual([expected, true]);
    statusPath = body.links?.status ?? statusPath;
  }
  for (const [url, described, expected] of [
    [statusPath, '/requests/{id}', 200],
    ['/requests/none', '/requests/{id}', 404],
    ['/healthz', '/healthz', 200],
    ['/readyz', '/readyz', 200],
    ['/openapi.json', '/openapi.json', 200],
  ] as const) {
    const response = await server.app.inject({ url, headers: key });
    const { statusCode: status } = response;
    expect([status, published.accepts('get', described, status, response.json())]).toEqual([expected, true]);
  }
  server.stop();
  for (const [method, url, described] of [
    ['post', CREATE, path ?? ''],
    ['get', '/readyz', '/readyz'],
  ] as const) {
    const response = await server.app.inject({ method, url });
    expect([response.statusCode, published.accepts(method, described, 503, response.json())]).toEqual([
      503,
      true,
    ]);
  }
});

it.each([
  ['no JSON', '{"inputs":[', {}, CREATE, 400],
  ['nothing', '', {}, CREATE, 400],
  ['a prototype', '{"__proto__":{"inputs":[]}}', {}, CREATE, 400],
  ['text', 'x', { 'content-type': 'text/plain' }, CREATE, 415],
  ['gzip', 'x', { 'content-type': 'application/json', 'content-encoding': 'gzip' }, CREATE, 415],
  ['a form', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }, CREATE, 415],
  ['a strange charset', '{}', { 'content-type': 'application/json; charset=\u00ff' }, CREATE, 400],
  ['an object type with a blank', '{}', {}, '/crm/v4/associations/con%20tacts/companies/batch/create', 400],
  ['a broken path', '{}', {}, '/crm/v4/associations/%ff/companies/batch/create', 400],
  ['a long object type', '{}', {}, `/crm/v4/associations/${'x'.repeat(400)}/b/batch/create`, 400],
  ['an unknown version', '{}', {}, '/crm/associations/2024-09/a/b/batch/create', 404],
  ['a GET path', '{}', {}, '/healthz', 405],
  ['a long idempotency key', inputs(1), { 'idempotency-key': 'x'.repeat(256) }, CREATE, 400],
  ['an empty idempotency key', inputs(1), { 'idempotency-key': '' }, CREATE, 400],
  ['too many inputs', inputs(51), {}, CREATE, 413],
  ['too many bytes', `{"inputs":[${' '.repeat(1_100_000)}]}`, {}, CREATE, 413],
])('%s is refused in the shape of HubSpot', async (_name, payload, more, url, expected) => {
  await open({ maxInputs: 50 });
  const { status, body } = await post(payload, more, url);
  expect(isRefusal.Check(body)).toBe(true);
  expect(status).toBe(expected);
  expect(await queued()).toBe(0);
});

it('a request over MAX_QUEUED_ASSOCIATIONS gets 429 with Retry-After, and one that was accepted under its key its answer', async () => {
  await open({ maxQueued: 1_000 });
  expect((await post(inputs(900))).status).toBe(201);
  expect((await post(inputs(200, 5_000), { 'idempotency-key': 'k' })).status).toBe(201);
  const refused = await post(inputs(1));
  expect([refused.status, isRefusal.Check(refused.body)]).toEqual([429, true]);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect((await post(inputs(200, 5_000), { 'idempotency-key': 'k' })).status).toBe(201);
  expect(await queued()).toBe(3);
  // another gateway knows it from Redis
  const prefix = test.prefix;
  await server.close();
  server = await openServer({ maxQueued: 1_000 }, prefix);
  expect((await post(inputs(1))).status).toBe(429);
});

it('more large bodies at once than there is memory for get 429, and all is as before afterwards', async () => {
  await open({ maxInputs: 50 });
  const large = () => post(`${JSON.stringify(inputs(1))}${' '.repeat(900_000)}`);
  const statuses = (await Promise.all(Array.from({ length: 12 }, large))).map(({ status }) => status);
  // four times the largest body may wait
  expect(statuses.toSorted((a, b) => a - b)).toEqual([...Array(4).fill(201), ...Array(8).fill(429)]);
  for (let at = 0; at < 6; at += 1) expect((await large()).status).toBe(201);
  expect(await queued()).toBe(4 + 6);
});

it.each(['evil.example', '10.0.0.5:3000', '127.0.0.1.evil.example'])(
  'a gateway without keys does not answer to the Host %j',
  async host => {
    await open();
    for (const [method, url] of [
      ['POST', CREATE],
      ['GET', '/docs'],
      ['GET', '/nothing'],
      ['DELETE', CREATE],
    ] as const) {
      const response = await server.app.inject({ method, url, headers: { host } });
      expect([response.statusCode, isRefusal.Check(response.json())]).toEqual([421, true]);
    }
    expect(await queued()).toBe(0);
    for (const own of ['localhost', '127.0.0.1:3000', '[::1]:3000', 'LOCALHOST:1'])
      expect((await server.app.inject({ url: '/healthz', headers: { host: own } })).statusCode).toBe(200);
    await server.close();
    await open({ apiKeys: ['k'] });
    expect((await server.app.inject({ url: '/healthz', headers: { host } })).statusCode).toBe(200);
  },
);

it('a gateway that ends answers new requests with 503 and Retry-After, is not ready, and is alive', async () => {
  await open();
  server.stop();
  const { status, body, headers } = await post(inputs(1));
  expect([status, isRefusal.Check(body), headers.connection]).toEqual([503, true, 'close']);
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  expect((await server.app.inject('/readyz')).statusCode).toBe(503);
  expect((await server.app.inject('/healthz')).statusCode).toBe(200);
  expect(await queued()).toBe(0);
});

it('a request that is not HTTP, or has endless headers, gets an answer in the same shape', async () => {
  await open();
  await server.app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.app.server.address() as AddressInfo;
  const say = (text: string) =>
    new Promise<string>((resolve, reject) => {
      let answer = '';
      const socket = net.connect(port, '127.0.0.1', () => socket.write(text));
      socket.on('data', chunk => {
        answer += chunk;
      });
      socket.on('end', () => resolve(answer));
      socket.on('error', reject);
    });
  for (const [text, status] of [
    ['\u0000\u0001 nonsense\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
  ] as const) {
    const answer = await say(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(isRefusal.Check(JSON.parse(answer.split('\r\n\r\n')[1] ?? ''))).toBe(true);
  }
});
