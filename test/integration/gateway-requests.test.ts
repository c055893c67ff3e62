/** Requests over HTTP: found by name and state, by their own key only, with what became of them. */
import { describe, expect, it, jest } from '@jest/globals';
import { FlowProducer } from 'bullmq';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import type { Cancelled, List, Status } from '../../src/gateway/schemas.js';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { eventually } from '../support/eventually.js';
import { type TestServer, useServers } from '../support/gateway.js';
import { SchemaCheck } from '../support/openapi.js';
import { useRedis } from '../support/redis.js';
import { CREATE, inputOf } from '../support/samples.js';

const test = useRedis(import.meta.url);
const openServer = useServers(test);
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function post(server: TestServer, headers: Record<string, string>, inputs = 1) {
  const payload = { inputs: Array.from({ length: inputs }, (_, at) => inputOf(at + 1, at + 1)) };
  const response = await server.app.inject({ method: 'POST', url: CREATE, payload, headers });
  const body = response.json<{ links: { status: string } }>();
  return { ...response, status: response.statusCode, body, id: body.links?.status.split('/')[2] ?? '' };
}
async function ask<Body>(server: TestServer, url: string, headers: Record<string, string> = {}) {
  const response = await server.app.inject({ url, headers });
  return { status: response.statusCode, body: response.json<Body>() };
}
const list = (server: TestServer, query: string, headers = {}) =>
  ask<List>(server, `/requests${query}`, headers);

it('each answer that creates says where its request is and which preference it applied, and nothing of an end', async () => {
  const server = await openServer();
  const cases = [
    { status: 201, headers: {}, applied: undefined },
    { status: 202, headers: { prefer: 'respond-async' }, applied: 'respond-async' },
    { status: 201, headers: { prefer: 'wait=1' }, applied: 'wait=1' },
    { status: 201, headers: { 'idempotency-key': 'k' }, applied: undefined },
    {
      status: 202,
      headers: { 'x-request-name': 'n', prefer: 'respond-async, wait=1' },
      applied: 'respond-async, wait=1',
    },
  ];
  const answers = await Promise.all(cases.map(({ headers }) => post(server, headers)));
  for (const [at, answer] of answers.entries()) {
    expect(answer.status).toBe(cases[at]?.status);
    expect(answer.headers.location).toBe(`/requests/${answer.id}`);
    expect(answer.headers['preference-applied']).toBe(cases[at]?.applied);
    expect(answer.body).toMatchObject({ status: 'PENDING' });
    const found = await ask<Status>(server, answer.headers.location as string);
    for (const body of [answer.body, found.body]) {
      expect(body).not.toHaveProperty('completedAt');
      expect(body).not.toHaveProperty('doneAt');
    }
  }
});

it('a caller finds its own requests by state, page by page, the newest first, and no other caller does', async () => {
  const server = await openServer({ apiKeys: ['one', 'two'] });
  const own: string[] = [];
  for (const name of ['first', 'second', 'third'])
    own.unshift((await post(server, { ...bearer('one'), 'x-request-name': name })).id);
  const large = await post(server, bearer('one'), 501);
  own.unshift(large.id);
  await post(server, bearer('one'), 2); // one job without a name: not listed
  const others = await post(server, { ...bearer('two'), 'x-request-name': 'secret' });

  const all = await list(server, '', bearer('one'));
  expect(all.body.requests.map(({ id }) => id)).toEqual(own);
  expect(all.body.requests[1]).toMatchObject({
    name: 'third',
    via: 'gateway',
    state: 'open',
    accepted: 1,
    queued: 1,
  });
  const page = await list(server, '?limit=3&state=open', bearer('one'));
  expect(page.body.requests.map(({ id }) => id)).toEqual(own.slice(0, 3));
  const rest = await list(server, `?limit=3&state=open&after=${page.body.after}`, bearer('one'));
  expect(rest.body).toEqual({ requests: [expect.objectContaining({ id: own[3], name: 'first' })] });
  expect((await list(server, '?state=done', bearer('one'))).body).toEqual({ requests: [] });

  expect((await list(server, '', bearer('two'))).body.requests.map(({ id }) => id)).toEqual([others.id]);
  expect((await list(server, '')).status).toBe(401);
  expect((await list(server, '?stat=open', bearer('one'))).body).toMatchObject({
    errors: [{ in: 'stat', message: expect.stringContaining('did you mean state?') }],
  });
  const gone = `?after=00000000-0000-4000-8000-000000000000`;
  expect(await list(server, gone, bearer('one'))).toMatchObject({
    ...{
      status: 400,
      body: { errors: [{ in: 'after', message: expect.stringContaining('begin without it') }] },
    },
  });
  const keyless = await openServer({}, test.prefix);
  expect((await list(keyless, '')).body).toEqual({ requests: [] });
});

it('a request says everything that `requests show` says, beside the fields of HubSpot', async () => {
  const server = await openServer({ apiKeys: ['one'] });
  const name = 'Größe 1';
  const { id } = await post(server, { ...bearer('one'), 'x-request-name': encodeURIComponent(name) }, 3);
  const { body } = await ask<Status>(server, `/requests/${id}`, bearer('one'));
  expect(body).toEqual({
    ...{ id, name, account: 'default', via: 'gateway', by: expect.stringMatching(/^.{8}$/), state: 'open' },
    ...{ accepted: 3, created: 0, rejected: 0, cancelled: 0, queued: 3, refusedLines: 0, rejections: [] },
    ...{ status: 'PENDING', enqueuedAt: body.enqueuedAt, requestedAt: body.enqueuedAt, errors: [] },
  });
  const description = await server.app.inject({ url: '/openapi.json', headers: { host: 'localhost' } });
  const schemas = new SchemaCheck(description.json());
  expect(schemas.accepts('get', '/requests/{id}', 200, body)).toBe(true);
  const listed = await list(server, '', bearer('one'));
  expect(schemas.accepts('get', '/requests', 200, listed.body)).toBe(true);
});

it('a repeat under an Idempotency-Key is the same request and keeps its first name', async () => {
  const server = await openServer();
  const first = await post(server, { 'idempotency-key': 'k', 'x-request-name': 'first' });
  const repeat = await post(server, { 'idempotency-key': 'k', 'x-request-name': 'second' });
  expect([repeat.status, repeat.id]).toEqual([201, first.id]);
  expect((await list(server, '')).body.requests).toMatchObject([{ id: first.id, name: 'first' }]);
});

it('methods that a path does not take are refused with those that it takes', async () => {
  const server = await openServer();
  const { headers, statusCode } = await server.app.inject({ method: 'PUT', url: '/requests/1' });
  expect([statusCode, headers.allow]).toEqual([405, 'GET, DELETE']);
});

it('a test whether Redis accepts writes touches no request, whatever its id', async () => {
  const server = await openServer();
  const record = `${accountKeys(test.prefix).requests}write-probe`;
  await test.redis.hset(record, 'accepted', 1);
  expect(await server.requests.refusal()).toBeUndefined();
  expect(await test.redis.hgetall(record)).toEqual({ accepted: '1' });
});

describe('a caller takes its request back', () => {
  const cancel = async (server: TestServer, id: string, headers: Record<string, string> = {}) => {
    const response = await server.app.inject({ method: 'DELETE', url: `/requests/${id}`, headers });
    return { status: response.statusCode, body: response.json<Cancelled & { errors: unknown[] }>() };
  };

  it('nothing of it stays queued, a repeat says the same, and its Idempotency-Key enqueues nothing again', async () => {
    const server = await openServer({ apiKeys: ['one', 'two'] });
    const headers = { ...bearer('one'), 'idempotency-key': 'k' };
    const { id } = await post(server, headers, 1_100);
    const other = await post(server, { ...bearer('two'), 'x-request-name': 'stays' }, 700);
    const { wait } = bullmqKeys(accountKeys(test.prefix));
    expect(await test.redis.llen(wait)).toBe(5);
    expect((await cancel(server, id, bearer('two'))).status).toBe(404);
    expect((await cancel(server, id)).status).toBe(401);
    const gone = { id, cancelled: 1_100, decided: 0, queued: 0, links: { status: `/requests/${id}` } };
    const both = await Promise.all([cancel(server, id, headers), cancel(server, id, headers)]);
    // many clients send the header with every request
    const asJson = { ...headers, 'content-type': 'application/json' };
    for (const answer of [...both, await cancel(server, id, asJson)])
      expect(answer).toEqual({ status: 200, body: gone });
    expect(await test.redis.llen(wait)).toBe(2);
    const { body } = await ask<Status>(server, `/requests/${id}`, headers);
    expect(body).toMatchObject({
      ...{ status: 'CANCELED', state: 'cancelled', cancelled: 1_100, queued: 0 },
      cancelledBy: `gateway key ${body.by}`,
      completedAt: expect.any(String),
    });
    const repeat = await post(server, { ...headers, prefer: 'wait=5' }, 1_100);
    expect(repeat).toMatchObject({
      status: 207,
      id,
      body: { status: 'CANCELED', results: [], numErrors: 1, errors: [{ category: 'CANCELED' }] },
    });
    expect(await test.redis.llen(wait)).toBe(2);
    expect((await ask<Status>(server, `/requests/${other.id}`, bearer('two'))).body).toMatchObject({
      queued: 700,
    });
  });

  it('while its jobs are being added: they are not added a second time', async () => {
    const server = await openServer();
    const { addBulk } = FlowProducer.prototype;
    const adding = jest.spyOn(FlowProducer.prototype, 'addBulk').mockImplementationOnce(async function (
      this: FlowProducer,
      flows,
    ) {
      const nodes = await addBulk.call(this, flows);
      expect((await cancel(server, flows[0]?.data.requestId)).body.cancelled).toBe(1_100);
      return nodes;
    });
    try {
      const { status, id } = await post(server, {}, 1_100);
      expect([status, adding.mock.calls.length]).toEqual([201, 1]);
      expect((await ask<Status>(server, `/requests/${id}`)).body).toMatchObject({ cancelled: 1_100 });
      expect(await test.redis.llen(bullmqKeys(accountKeys(test.prefix)).wait)).toBe(0);
    } finally {
      adding.mockRestore();
    }
  });

  it('one that shares its job is refused with the reason, whoever asks learns no more, and it goes on', async () => {
    const server = await openServer({ apiKeys: ['one', 'two'] });
    const { id } = await post(server, bearer('one'));
    const { status, body } = await cancel(server, id, bearer('one'));
    expect([status, body]).toEqual([
      409,
      expect.objectContaining({
        category: 'CONFLICT',
        errors: [{ in: 'id', message: expect.stringContaining('share a job') }],
      }),
    ]);
    for (const other of [id.replace(/...$/, 'fff'), '00000000-0000-4000-8000-000000000000', 'x'])
      expect((await cancel(server, other, bearer('one'))).status).toBe(404);
    expect((await cancel(server, id, bearer('two'))).status).toBe(404);
    expect((await ask<Status>(server, `/requests/${id}`, bearer('one'))).body).toMatchObject({ queued: 1 });
  });

  it('a cancel that takes long is answered 202, and goes on', async () => {
    const server = await openServer({ cancelWaitMs: 300 });
    const { id } = await post(server, { 'x-request-name': 'n' }, 2);
    const { wait, active, jobs } = bullmqKeys(accountKeys(test.prefix));
    await test.redis.lmove(wait, active, 'RIGHT', 'LEFT'); // as if a worker had it
    await test.redis.set(`${jobs}${id}-0:lock`, 'worker');
    const first = await cancel(server, id);
    expect(first).toMatchObject({ status: 202, body: { cancelled: 0, queued: 2 } });
    await test.redis.lmove(active, wait, 'LEFT', 'RIGHT'); // the worker gives it back
    await test.redis.del(`${jobs}${id}-0:lock`);
    await eventually(async () =>
      expect((await ask<Status>(server, `/requests/${id}`)).body).toMatchObject({ status: 'CANCELED' }),
    );
  });

  it('one that waits for the walks of others is marked before its answer, so that workers take it back', async () => {
    const server = await openServer({ cancelWaitMs: 300 });
    const keys = accountKeys(test.prefix);
    const { wait, active, jobs } = bullmqKeys(keys);
    const ids: string[] = [];
    for (let at = 0; at < 5; at += 1) {
      const { id } = await post(server, { 'x-request-name': `n${at}` }, 2);
      await test.redis.lmove(wait, active, 'RIGHT', 'LEFT'); // as if a worker had it
      await test.redis.set(`${jobs}${id}-0:lock`, 'worker');
      ids.push(id);
    }
    for (const id of ids) expect((await cancel(server, id)).status).toBe(202);
    expect((await test.redis.zrange(keys.requestsCancelling, '0', '-1')).sort()).toEqual(ids.sort());
    server.stop(); // otherwise the walks go on for as long as the jobs are active
  });
});
