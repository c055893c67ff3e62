/** High priority from the library, the command line and over HTTP: the same mark on the job, which any BullMQ client may set. */
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import { ConfigError, createProducer, type Producer } from '../../src/index.js';
import { runEnqueue } from '../../src/producer/main.js';
import { queueName } from '../../src/shared/contract/keys.js';
import { openServer, type ReplyBody, type TestServer } from '../support/gateway.js';
import { useRedis } from '../support/redis.js';
import { CONTACT_TO_COMPANY, CREATE, inputOf } from '../support/samples.js';

const test = useRedis(import.meta.url);
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** Associations of waiting jobs by BullMQ's priority. */
async function waiting(): Promise<Record<number, number>> {
  const queue = new Queue(queueName(), { connection: test.redis, prefix: test.prefix });
  ends.push(() => queue.close());
  const found: Record<number, number> = {};
  for (const job of await queue.getJobs(['wait', 'prioritized']))
    found[job.priority] = (found[job.priority] ?? 0) + (job.data as { pairs: unknown[] }).pairs.length;
  return found;
}

const link = (from: number) => ({
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  from,
  to: 7,
  types: [CONTACT_TO_COMPANY],
});
const problems = (call: Promise<unknown>) =>
  call.then(
    () => [],
    (error: unknown) => (error instanceof ConfigError ? error.problems : [error]),
  );

describe('high priority in the library', () => {
  const open = (): Producer => {
    const producer = createProducer({ redisUrl: test.url, prefix: test.newPrefix() });
    ends.push(() => producer.close());
    return producer;
  };

  it('keeps single calls of each priority in jobs of their own', async () => {
    const producer = open();
    await Promise.all(
      Array.from({ length: 30 }, (_, at) =>
        producer.enqueue(link(at), at % 3 === 0 ? { priority: 'high' } : undefined),
      ),
    );
    await producer.enqueueMany([link(100), link(101)], { priority: 'high' });
    await producer.enqueueMany([link(102)], { priority: 'normal' });
    expect(await waiting()).toEqual({ 0: 21, 1: 12 });
  });

  it('has no other priority beside it', async () => {
    const producer = open();
    const wrong = 'urgent' as 'high';
    const said = ['priority: "urgent" is not one of normal, high'];
    expect(await problems(producer.enqueue(link(1), { priority: wrong }))).toEqual(said);
    expect(await problems(producer.enqueueMany([link(1)], { priority: wrong }))).toEqual(said);
    expect(await waiting()).toEqual({});
  });
});

describe('high priority on the command line', () => {
  const run = (priority: string) => {
    const config = { redisUrl: test.url, queuePrefix: test.newPrefix() };
    const nowhere = { write: () => true } as unknown as NodeJS.WriteStream;
    const stdin = Readable.from([Buffer.from('{"from":1,"to":2}\n')]);
    const options = { file: '-', from: 'contacts', to: 'companies', type: ['HUBSPOT_DEFINED:279'], priority };
    return runEnqueue(config, options, { stdin, stdout: nowhere, stderr: nowhere });
  };

  it('is given to a whole file', async () => {
    expect((await run('high')).code).toBe(0);
    expect(await waiting()).toEqual({ 1: 1 });
  });

  it('has no other priority beside it', async () => {
    expect(await problems(run('HIGH'))).toEqual(['--priority: "HIGH" is not one of normal, high']);
    expect(await waiting()).toEqual({});
  });
});

describe('high priority at the gateway', () => {
  let server: TestServer;
  const open = async (options?: Parameters<typeof openServer>[2]) => {
    server = await openServer(test.url, test.newPrefix(), options);
    ends.push(() => server.close());
  };
  async function post(count: number, headers: Record<string, string>) {
    const inputs = Array.from({ length: count }, (_, at) => inputOf(1 + at, 7));
    const response = await server.app.inject({ method: 'POST', url: CREATE, payload: { inputs }, headers });
    return { status: response.statusCode, body: response.json<ReplyBody>() };
  }

  it('is read from X-Priority, for requests of one job and of many', async () => {
    await open();
    expect((await post(1, { 'x-priority': 'high' })).status).toBe(201);
    expect((await post(1_200, { 'x-priority': ' High ' })).status).toBe(201);
    expect((await post(3, { 'x-priority': 'normal' })).status).toBe(201);
    // what browsers send with everything is about something else
    expect((await post(3, { priority: 'u=0, i' })).status).toBe(201);
    expect(await waiting()).toEqual({ 0: 6, 1: 1_201 });
  });

  it("is refused with the header's name when the value is another", async () => {
    await open();
    for (const value of ['', 'urgent', '1', 'high, normal']) {
      const { status, body } = await post(1, { 'x-priority': value });
      expect([status, body.category, body.errors?.[0]?.in]).toEqual([400, 'VALIDATION_ERROR', 'X-Priority']);
    }
    expect(await waiting()).toEqual({});
  });

  it('is accepted up to twice the limit if an import has filled the queue', async () => {
    await open({ maxQueued: 1_000 });
    expect((await post(1_200, {})).status).toBe(201);
    expect((await post(1, {})).status).toBe(429);
    expect((await post(900, { 'x-priority': 'high' })).status).toBe(201);
    expect((await post(1, { 'x-priority': 'high' })).status).toBe(429);
  });

  it('stays the same as in the first request under a key', async () => {
    await open();
    const key = { 'idempotency-key': 'k' };
    const first = await post(2, { ...key, 'x-priority': 'high' });
    const repeat = await post(2, key);
    expect(repeat.body.links).toEqual(first.body.links);
    expect(await waiting()).toEqual({ 1: 2 });
  });
});
