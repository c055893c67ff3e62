/** The gateway as a real process, with the worker, Redis and the simulator: from the HTTP call to HubSpot and back. */

import { Client } from '@hubspot/api-client';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { fingerprint, readInputs } from '../../src/gateway/inputs/inputs.js';
import { ENQUEUED_WITHIN_MS } from '../../src/shared/state/never-enqueued.js';
import { RequestReader } from '../../src/shared/state/requests.js';
import { eventually } from '../support/eventually.js';
import { type GatewayProcess, openServer } from '../support/gateway.js';
import { useRig } from '../support/rig.js';
import { CREATE, goodPairs, inputOf } from '../support/samples.js';

const rig = useRig(import.meta.url);
beforeEach(() => rig.start());
const start = (env?: Record<string, string>) => rig.startGateway(env);
const inputsOf = (count: number, first?: number) =>
  goodPairs(count, first).map(([from, to]) => inputOf(from, to));
const BAD = inputOf(999_000_001, 500_000_777);
const queuedJobs = async () =>
  (await rig.queue.getJobCountByTypes('wait', 'active', 'delayed', 'completed', 'failed')) ?? 0;

describe('the answer to a request', () => {
  it('is PENDING as soon as the associations are in Redis, and /requests/{id} reports their outcome', async () => {
    const gateway = await start();
    const { status, body } = await gateway.post([...inputsOf(1_200), BAD]);
    expect(status).toBe(201);
    expect(body).toMatchObject({ status: 'PENDING', results: [] });
    const path = body.links?.status ?? '';
    expect(path).toMatch(/^\/requests\/[0-9a-f-]{36}$/);
    expect((await gateway.get(path)).body).toMatchObject({
      id: path.slice('/requests/'.length),
      status: 'PENDING',
      accepted: 1_201,
      created: 0,
      rejected: 0,
      queued: 1_201,
      errors: [],
    });
    rig.startWorker();
    const done = await eventually(async () => {
      const { body } = await gateway.get(path);
      expect(body.status).toBe('COMPLETE');
      return body;
    });
    expect(done).toMatchObject({ accepted: 1_201, created: 1_200, rejected: 1, queued: 0 });
    expect(done.errors).toEqual([
      expect.objectContaining({
        status: 'error',
        category: 'OBJECT_NOT_FOUND',
        context: expect.objectContaining({ fromObjectId: ['999000001'], toObjectId: ['500000777'] }),
      }),
    ]);
    expect((await rig.totals()).created).toBe(1_200);
    expect((await gateway.get(`/requests/${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}`)).status).toBe(
      404,
    );
    // a rejection retried by an operator makes it pending again, and complete once it is decided
    const { calls } = await rig.totals();
    await (await rig.queue.getFailed())[0]?.retry();
    await eventually(async () => {
      expect((await rig.totals()).calls).toBeGreaterThan(calls);
      expect((await gateway.get(path)).body).toMatchObject({
        status: 'COMPLETE',
        created: 1_200,
        rejected: 1,
      });
    });
  });

  it('is 202 when the caller prefers respond-async, on the dated paths too', async () => {
    const gateway = await start();
    for (const version of ['2025-09', '2026-03', '2026-09']) {
      const path = `/crm/associations/${version}/0-1/0-2/batch/create`;
      const { status, body, headers } = await gateway.post(inputsOf(1), { prefer: 'respond-async' }, path);
      expect([status, body.status]).toEqual([202, 'PENDING']);
      expect(headers.get('preference-applied')).toBe('respond-async');
    }
    expect(await queuedJobs()).toBe(3);
  });

  it('is 400 when the query of the URL speaks of a label, and nothing is enqueued', async () => {
    const gateway = await start();
    const { status, body } = await gateway.post(inputsOf(1), {}, `${CREATE}?label=Boss`);
    expect([status, body.status]).toEqual([400, 'error']);
    expect(JSON.stringify(body)).toContain('label: stands beside inputs; say it in each input');
    expect(await queuedJobs()).toBe(0);
  });

  it("is HubSpot's own with Prefer: wait", async () => {
    rig.startWorker();
    const gateway = await start();
    const good = await gateway.post(inputsOf(700), { prefer: 'wait=30' });
    expect([good.status, good.body.status]).toEqual([201, 'COMPLETE']);
    expect(good.body.errors).toBeUndefined();
    expect(good.body.results).toHaveLength(700);
    expect(good.body.results?.[0]).toEqual({
      fromObjectTypeId: '0-1',
      fromObjectId: '100000001',
      toObjectTypeId: '0-2',
      toObjectId: '500000001',
      labels: [],
    });
    const mixed = await gateway.post([...inputsOf(20, 100_010_001), BAD], { prefer: 'wait=30' });
    expect([mixed.status, mixed.body.status, mixed.body.numErrors]).toEqual([207, 'COMPLETE', 1]);
    expect(mixed.body.results).toHaveLength(20);
    expect(mixed.body.errors?.[0]?.context).toMatchObject({ fromObjectId: ['999000001'] });
  });

  it('is PENDING when the wait is over, or when the gateway ends', async () => {
    const gateway = await start();
    const short = await gateway.post(inputsOf(1), { prefer: 'wait=1, respond-async' });
    expect([short.status, short.body.status]).toEqual([202, 'PENDING']);
    const long = gateway.post(inputsOf(1, 100_000_500), { prefer: 'wait=60' });
    await eventually(async () => expect(await queuedJobs()).toBe(2));
    expect(await gateway.end('SIGTERM')).toBe(0);
    expect(await long).toMatchObject({ status: 201, body: { status: 'PENDING' } });
    expect(await queuedJobs()).toBe(2);
  });
});

describe('Idempotency-Key', () => {
  const idOf = (reply: { body: { links?: { status: string } } }) => reply.body.links?.status;

  it('concurrent repeats enqueue once and get one id', async () => {
    const gateways = await Promise.all([start(), start()]);
    const inputs = inputsOf(1_600);
    const replies = await Promise.all(
      Array.from({ length: 12 }, (_, at) =>
        (gateways[at % 2] as GatewayProcess).post(inputs, { 'idempotency-key': 'nightly' }),
      ),
    );
    expect(new Set(replies.map(reply => reply.status))).toEqual(new Set([201]));
    expect(new Set(replies.map(idOf)).size).toBe(1);
    expect(await queuedJobs()).toBe(4);
    rig.startWorker();
    await rig.drained();
    // also long after the jobs have been completed and removed
    await rig.queue.clean(0, 1_000, 'completed');
    const later = await gateways[0]?.post(inputs, { 'idempotency-key': 'nightly', prefer: 'wait=5' });
    expect(later).toMatchObject({ status: 201, body: { status: 'COMPLETE' } });
    expect(later?.body.results).toHaveLength(1_600);
    expect(await queuedJobs()).toBe(0);
    expect(await rig.totals()).toMatchObject({ created: 1_600 });
  });

  it('is refused for other associations, and nothing is enqueued', async () => {
    const gateway = await start();
    await gateway.post(inputsOf(1), { 'idempotency-key': 'a' });
    const { status, body } = await gateway.post(inputsOf(2), { 'idempotency-key': 'a' });
    expect([status, body.status, body.category]).toEqual([422, 'error', 'VALIDATION_ERROR']);
    expect(await queuedJobs()).toBe(1);
  });

  it('kill -9 between enqueue and answer: the repeat has the same id and nothing is created twice', async () => {
    const gateway = await start();
    const inputs = inputsOf(1_100);
    const headers = { 'idempotency-key': 'k', prefer: 'wait=60' };
    const unanswered = gateway.post(inputs, headers).catch(() => 'no answer');
    await eventually(async () => expect(await queuedJobs()).toBe(3));
    await gateway.end('SIGKILL');
    expect(await unanswered).toBe('no answer');
    const before = (await rig.queue.getJobs())[0]?.data.requestId;
    const next = await start();
    const repeat = await next.post(inputs, { 'idempotency-key': 'k' });
    expect(repeat.status).toBe(201);
    expect(idOf(repeat)).toBe(`/requests/${before}`);
    expect(await queuedJobs()).toBe(3);
    rig.startWorker();
    await rig.drained();
    await rig.expectAccounted(goodPairs(1_100), []);
    expect((await next.get(idOf(repeat) ?? '')).body).toMatchObject({
      accepted: 1_100,
      created: 1_100,
      queued: 0,
    });
  });

  it('death between the note and the enqueueing: the repeat enqueues what is missing', async () => {
    const server = await openServer(rig.redisUrl, rig.prefix);
    const inputs = inputsOf(600);
    const typesOf = () => ({ fault: 'not asked' });
    const read = await readInputs('contacts', 'companies', { inputs }, { maxInputs: 1_000, typesOf });
    const { id } = await server.requests.note({
      ...read,
      fingerprint: fingerprint(read.jobs),
      idempotencyKey: 'k',
      caller: '',
      room: true,
    });
    await server.close();
    expect(await queuedJobs()).toBe(0);
    const gateway = await start();
    const asked = async () => (await gateway.get(`/requests/${id}`)).body;
    const reader = new RequestReader(rig.redis, rig.keys);
    expect(await asked()).toMatchObject({ state: 'open', accepted: 600, queued: 600 });
    // nobody knows better for a while
    await rig.redis.hincrby(rig.keys.requests + id, 'enqueuedAt', -ENQUEUED_WITHIN_MS - 1);
    const lost = { state: 'interrupted', accepted: 0, queued: 0 };
    expect(await asked()).toMatchObject({ ...lost, interrupted: expect.stringMatching(/^nothing of it/) });
    expect((await reader.list({ state: 'interrupted' })).requests).toMatchObject([{ id, ...lost }]);
    const repeat = await gateway.post(inputs, { 'idempotency-key': 'k' });
    expect(idOf(repeat)).toBe(`/requests/${id}`);
    expect(await queuedJobs()).toBe(2);
    expect(await asked()).toMatchObject({ state: 'open', accepted: 600, queued: 600 });
  });
});

it('takes 50,000 inputs in one request, each of them created', async () => {
  const gateway = await start();
  const inputs = inputsOf(50_000);
  const before = performance.now();
  const { status, body } = await gateway.post(inputs);
  expect(performance.now() - before).toBeLessThan(5_000);
  expect([status, body.status]).toEqual([201, 'PENDING']);
  expect(await queuedJobs()).toBe(100);
  expect((await gateway.post([...inputs, BAD])).status).toBe(413);
  rig.startWorker();
  await rig.drained();
  expect(await rig.totals()).toMatchObject({ created: 50_000, rejected: 0 });
});

it('asks for a key, and does not start without one where others can reach it', async () => {
  const gateway = await start({ GATEWAY_API_KEYS: 'first-key, second-key' });
  for (const authorization of ['', 'Bearer', 'Bearer wrong', 'Basic first-key', 'Bearer first-ke']) {
    const { status, body } = await gateway.post(inputsOf(1), { authorization });
    expect([status, body.category]).toEqual([401, 'INVALID_AUTHENTICATION']);
  }
  expect((await gateway.get('/requests/x')).status).toBe(401);
  expect(await queuedJobs()).toBe(0);
  for (const key of ['first-key', 'second-key'])
    expect((await gateway.post(inputsOf(1), { authorization: `Bearer ${key}` })).status).toBe(201);
  // no caller meets another caller's Idempotency-Key
  const repeat = async (key: string, inputs: number) => {
    const headers = { authorization: `Bearer ${key}`, 'idempotency-key': 'import-1' };
    const { status, body } = await gateway.post(inputsOf(inputs), headers);
    return [status, body.id ?? body.category];
  };
  const [first, other, again] = [
    await repeat('first-key', 1),
    await repeat('second-key', 2),
    await repeat('first-key', 1),
  ];
  expect([first?.[0], other?.[0]]).toEqual([201, 201]);
  expect(again).toEqual(first);
  expect((await repeat('second-key', 1))[0]).toBe(422);
  expect(gateway.output()).not.toContain('-key');
  await expect(rig.startGateway({ GATEWAY_HOST: '0.0.0.0' })).rejects.toThrow(/GATEWAY_API_KEYS is not set/);
});

it("HubSpot's own client creates associations through it unchanged", async () => {
  rig.startWorker();
  const gateway = await start({ GATEWAY_API_KEYS: 'sdk-key' });
  const types = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }];
  const inputs = goodPairs(4_000).map(([from, to]) => ({ _from: { id: from }, to: { id: to }, types }));
  const batch = (defaultHeaders: Record<string, string>) =>
    new Client({ accessToken: 'sdk-key', basePath: gateway.url, defaultHeaders }).crm.associations.v4
      .batchApi;
  type Inputs = Parameters<ReturnType<typeof batch>['create']>[2];
  const pending = await batch({}).create('contacts', 'companies', { inputs } as Inputs);
  expect(pending.status).toBe('PENDING');
  const complete = await batch({ Prefer: 'wait=30' }).create('contacts', 'companies', { inputs } as Inputs);
  expect(complete.status).toBe('COMPLETE');
  expect(complete.results).toHaveLength(4_000);
  expect(complete.results[0]).toMatchObject({ fromObjectId: '100000001', toObjectId: '500000001' });
  await expect(
    batch({}).create('contacts', 'companies', { inputs: [{}] } as unknown as Inputs),
  ).rejects.toMatchObject({ code: 400, body: { category: 'VALIDATION_ERROR' } });
  expect(rig.simulator.ledger.createdCount()).toBe(4_000);
});

it('describes itself', async () => {
  const gateway = await start();
  const description = (await gateway.get('/openapi.json')).body as unknown as { paths: object };
  expect(Object.keys(description.paths)).toContain(
    CREATE.replace('contacts', '{fromObjectType}').replace('companies', '{toObjectType}'),
  );
  const page = await (await fetch(`${gateway.url}/docs`)).text();
  expect(page).toContain('<title>Association queue: gateway</title>');
  expect(page).not.toMatch(/https?:/); // it loads only what the gateway serves
  await gateway.post(inputsOf(3));
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  expect(metrics).toMatch(/^association_gateway_accepted_associations_total 3$/m);
});
