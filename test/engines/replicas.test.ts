/**
 * REDIS_WAIT_REPLICAS in every way in: nothing is acknowledged that the replica does not have, and a repetition of what was not
 * acknowledged is exact.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createProducer, EnqueueError, RedisUnavailableError } from '../../src/index.js';
import { accountKeys, queueName } from '../../src/shared/contract/keys.js';
import { RequestReader } from '../../src/shared/state/requests.js';
import { startDashboard } from '../support/dashboard.js';
import { eventually } from '../support/eventually.js';
import { type GatewayProcess, startGateway } from '../support/gateway.js';
import { type CliProcess, startCommand } from '../support/process.js';
import { Replicated } from '../support/replicated.js';
import { pairsInQueue } from '../support/requests.js';
import { goodPairs, inputOf } from '../support/samples.js';

const directory = mkdtempSync(path.join(tmpdir(), 'replicas-'));
let servers: Replicated;
let redis: Redis;
let prefix = '';
let tests = 0;
const own = () => ({ redis, keys: accountKeys(prefix) });
const place = () => ({ REDIS_URL: servers.url, QUEUE_PREFIX: prefix, REDIS_WAIT_REPLICAS: '1' });
const read = (id: string) => new RequestReader(redis, own().keys).read(id);
const KEPT =
  /has written it, but 0 of 1 replicas \(REDIS_WAIT_REPLICAS\) confirmed it within \d+ ms, so that a failover may lose it/;

beforeAll(async () => {
  servers = await Replicated.start();
  redis = new Redis(servers.url);
});
afterEach(async () => {
  servers.replica.resume();
  await servers.caughtUp();
});
afterAll(async () => {
  redis.disconnect();
  await servers.stop();
  rmSync(directory, { recursive: true, force: true });
});
const newPrefix = () => {
  prefix = `replicas-${++tests}`;
};

describe('the gateway', () => {
  let gateway: GatewayProcess;
  beforeAll(async () => {
    newPrefix();
    gateway = await startGateway(place());
  });
  afterAll(async () => {
    expect(await gateway.end('SIGTERM')).toBe(0);
  });
  const inputs = (count: number) => goodPairs(count).map(([from, to]) => inputOf(from, to));

  it.each<[string, number, Record<string, string>]>([
    ['an association that shares its job', 1, {}],
    ['an association of its own', 1, { 'x-request-name': 'one' }],
    ['many', 1_201, {}],
  ])('accepts %s with the replica, and not without it', async (_, count, headers) => {
    expect((await gateway.post(inputs(count), headers)).status).toBe(201);
    servers.replica.pause();
    const { status, body, headers: given } = await gateway.post(inputs(count), headers);
    expect([status, given.get('retry-after'), body.category]).toEqual([503, '2', 'SERVICE_UNAVAILABLE']);
    expect(body.message).toMatch(KEPT);
    expect(body.message).toMatch(/; repeat it, with the same Idempotency-Key if it has one; /);
  });

  it('finds a repeat of what it did not acknowledge, and acknowledges it when the replica has it', async () => {
    const before = await pairsInQueue(own());
    const post = () => gateway.post(inputs(3), { 'idempotency-key': 'k-1' });
    servers.replica.pause();
    for (let repeat = 0; repeat < 2; repeat++) expect((await post()).status).toBe(503);
    servers.replica.resume();
    const { status, body } = await eventually(async () => {
      const answer = await post();
      expect(answer.status).toBe(201);
      return answer;
    });
    expect(status).toBe(201);
    expect((await pairsInQueue(own())).pairs - before.pairs).toBe(3);
    const [, id = ''] = /([^/]+)$/.exec(body.links?.status ?? '') ?? [];
    expect(await read(id)).toMatchObject({ accepted: 3, state: 'open' });
    await redis.hset(own().keys.requests + id, 'created', 3); // as if a worker had settled it: nothing is written
    servers.replica.pause();
    await redis.set('more', 'than the replica has');
    expect((await post()).status).toBe(503);
  });

  it('takes a request back when the replica knows it', async () => {
    const { body } = await gateway.post(inputs(2), { 'x-request-name': 'taken back' });
    const url = gateway.url + (body.links?.status ?? '');
    servers.replica.pause();
    const refused = await fetch(url, { method: 'DELETE' });
    expect([refused.status, ((await refused.json()) as { message: string }).message]).toEqual([
      503,
      expect.stringMatching(
        /REDIS_WAIT_REPLICAS.*; if the cancel has begun, workers finish it: repeat the call/,
      ),
    ]);
    servers.replica.resume();
    const taken = await eventually(async () => {
      const answer = await fetch(url, { method: 'DELETE' });
      expect([200, 202]).toContain(answer.status);
      return answer;
    });
    expect(await taken.json()).toMatchObject({ decided: 0 });
  });

  it('is not ready without the replica', async () => {
    const ready = async () => (await fetch(`${gateway.url}/readyz`)).json() as Promise<{ reasons: string[] }>;
    expect(await ready()).toMatchObject({ status: 'ready' });
    servers.replica.pause();
    expect((await ready()).reasons).toEqual([expect.stringMatching(KEPT)]);
    servers.replica.resume();
    await eventually(async () => expect(await ready()).toMatchObject({ status: 'ready' }));
  });
});

describe('the library', () => {
  const types = 'HUBSPOT_DEFINED:279';
  const link = (from: number) => ({
    fromObjectType: 'contacts',
    toObjectType: 'companies',
    types,
    from,
    to: 7,
  });
  const links = (count: number) => Array.from({ length: count }, (_, at) => link(at + 1));
  const failure = (call: Promise<unknown>) =>
    call.then(
      () => undefined,
      (error: unknown) => error as EnqueueError,
    );

  it('acknowledges each call when the replica has it, and says so if not', async () => {
    newPrefix();
    await using producer = createProducer({ redisUrl: servers.url, prefix, waitReplicas: 1 });
    await producer.enqueue(link(1));
    const { requestId } = await producer.enqueueMany(links(1_000));
    expect(await pairsInQueue(own())).toMatchObject({ pairs: 1_001 });
    servers.replica.pause();
    const [one, many, cancel] = await Promise.all([
      failure(producer.enqueue(link(2))),
      failure(producer.enqueueMany(links(700), { request: { id: 'many' } })),
      failure(producer.cancel(requestId)),
    ]);
    expect(one).toBeInstanceOf(EnqueueError);
    expect(one?.message).toMatch(/^an association not acknowledged, enqueue again: Redis at redis:.*/);
    for (const error of [one, many, cancel]) expect(error?.message).toMatch(KEPT);
    expect(one?.cause).toBeInstanceOf(RedisUnavailableError);
    expect(cancel).toBeInstanceOf(RedisUnavailableError);
    servers.replica.resume();
    await eventually(() => producer.enqueue(link(2)));
    expect(await eventually(() => producer.cancel(requestId))).toEqual({ cancelled: 1_000, decided: 0 });
  });

  it('waits as the environment says, unless an option does', async () => {
    newPrefix();
    process.env.REDIS_WAIT_REPLICAS = '1';
    try {
      await using one = createProducer({ redisUrl: servers.url, prefix });
      await using other = createProducer({ redisUrl: servers.url, prefix, waitReplicas: 0 });
      servers.replica.pause();
      expect((await failure(one.enqueue(link(1))))?.message).toMatch(KEPT);
      await other.enqueue(link(2));
    } finally {
      delete process.env.REDIS_WAIT_REPLICAS;
    }
  });
});

it('the dashboard says that the replica does not know of a pause', async () => {
  newPrefix();
  const dashboard = await startDashboard(place());
  servers.replica.pause();
  const refused = await dashboard.post('/api/pause');
  expect([refused.status, await refused.json()]).toEqual([503, { message: expect.stringMatching(KEPT) }]);
  servers.replica.resume();
  await eventually(async () => expect((await dashboard.post('/api/pause')).status).toBe(200));
  expect(await dashboard.end('SIGTERM')).toBe(0);
});

describe('the commands', () => {
  const run = async (command: string, ...args: string[]): Promise<CliProcess & { code: unknown }> => {
    const child = startCommand(command, place(), [], args);
    return { ...child, code: await child.exit() };
  };
  const OPTIONS = ['--from', 'contacts', '--to', 'companies', '--type', 'HUBSPOT_DEFINED:279'];

  it.each([
    ['the first cut', 0],
    ['the last one', 12_000],
  ])('enqueue FILE goes on after %s was not confirmed, and enqueues each line once', async (_, before) => {
    newPrefix();
    const LINES = 14_000;
    const file = path.join(directory, `links-${before}.csv`);
    writeFileSync(
      file,
      `from,to\n${Array.from({ length: LINES }, (_each, at) => `${at + 1},7`).join('\n')}\n`,
    );
    if (before === 0) servers.replica.pause();
    const child = startCommand('enqueue', place(), [], [file, ...OPTIONS]);
    if (before > 0) {
      await eventually(async () => expect((await pairsInQueue(own())).pairs).toBeGreaterThan(0));
      servers.replica.pause();
    }
    const code = await child.exit();
    servers.replica.resume();
    await servers.caughtUp();
    if (code !== 0) {
      expect([code, child.output()]).toEqual([3, expect.stringMatching(KEPT)]);
      const id = /^request (\S+)$/m.exec(child.output())?.[1];
      const again =
        id === undefined
          ? await run('enqueue', file, ...OPTIONS)
          : await run('enqueue', file, '--resume', id);
      expect([again.code, again.output()]).toEqual([
        0,
        expect.stringContaining(`enqueued ${LINES} associations`),
      ]);
    }
    expect(await pairsInQueue(own())).toEqual({ pairs: LINES, different: LINES });
  });

  it('pause and resume say that the replica does not know it', async () => {
    newPrefix();
    servers.replica.pause();
    const paused = await run('pause');
    expect([paused.code, paused.output()]).toEqual([1, expect.stringMatching(KEPT)]);
    servers.replica.resume();
    await servers.caughtUp();
    const again = await run('pause');
    expect([again.code, again.output()]).toEqual([0, expect.stringContaining('Paused')]);
    const queue = new Queue(queueName(), { connection: redis, prefix });
    expect(await queue.isPaused()).toBe(true);
    await queue.close();
  });
});
