/** The producer while Redis is unreachable, lost, silent, and back again: with a separate Redis server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type AssociationInput, createProducer, EnqueueError, type Producer } from '../../src/index.js';
import { runEnqueue } from '../../src/producer/main.js';
import { eventually } from '../support/eventually.js';
import { REDIS_SERVER } from '../support/redis-server.js';

const directory = mkdtempSync(path.join(tmpdir(), 'producer-outage-'));
const PASSWORD = 'hunter2';
let port = 0;
let server: ChildProcess | undefined;
let producer: Producer;
const url = () => `redis://:${PASSWORD}@127.0.0.1:${port}`;

async function startRedis(): Promise<void> {
  const args = [
    '--port',
    port,
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--save',
    '',
    '--requirepass',
    PASSWORD,
  ];
  server = spawn(REDIS_SERVER, args.map(String), { stdio: 'ignore' });
  await eventually(async () => {
    const probe = new Redis(url(), { lazyConnect: true, retryStrategy: () => null });
    probe.on('error', () => {});
    try {
      await probe.connect();
      await probe.ping();
    } finally {
      probe.disconnect();
    }
  });
}
async function killRedis(): Promise<void> {
  if (!server || server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, 'exit');
  server.kill('SIGKILL'); // ends a stopped process too
  await gone;
}

beforeAll(async () => {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  port = (listener.address() as AddressInfo).port;
  listener.close();
  await once(listener, 'close');
});
afterEach(async () => {
  await producer.close();
  await killRedis();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const link = (from: number): AssociationInput => ({
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  from,
  to: 7,
  types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 1 }],
});
/** A call gives up after 2 s without a connection and after 5 s without an answer; the rest is for a late machine. */
const SOON_MS = 20_000;
async function failure(call: Promise<unknown>): Promise<EnqueueError> {
  const start = performance.now();
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(performance.now() - start).toBeLessThan(SOON_MS);
  expect(error).toBeInstanceOf(EnqueueError);
  const { message, cause } = error as EnqueueError;
  expect(message).toContain(`Redis at redis://127.0.0.1:${port} `);
  expect(`${message} ${JSON.stringify(cause)} ${(cause as Error).stack}`).not.toContain(PASSWORD);
  return error as EnqueueError;
}

describe('a producer without Redis', () => {
  it('fails every waiting call within seconds, each naming its association, and works once Redis is there', async () => {
    producer = createProducer({ redisUrl: url() });
    const calls = Array.from({ length: 50_000 }, (_, id) => producer.enqueue(link(id)));
    const settled = Promise.allSettled(calls);
    const first = await failure(calls[0] ?? Promise.resolve());
    expect(first.message).toContain('ECONNREFUSED');
    expect(first.associations).toEqual([link(0)]);
    for (const result of await settled) expect(result.status).toBe('rejected');

    const many = await failure(producer.enqueueMany([link(1), link(2)]));
    expect(many.associations.map(({ from }) => from)).toEqual(['1', '2']);
    expect(many.progress).toMatchObject({ enqueued: { associations: 0, jobs: 0 }, read: 2 });

    await startRedis();
    await eventually(() => producer.enqueue(link(3)));
    expect(await producer.enqueueMany([link(1), link(2)])).toMatchObject({ associations: 2, jobs: 1 });
  });

  it('says that the password is wrong, without repeating it', async () => {
    await startRedis();
    producer = createProducer({ redisUrl: url().replace(PASSWORD, `${PASSWORD}-wrong`) });
    const { message } = await failure(producer.enqueue(link(1)));
    expect(message).toMatch(/WRONGPASS/);
  });
});

describe('a producer whose Redis refuses writes', () => {
  it.each<[string, (redis: Redis) => Promise<unknown>, (redis: Redis) => Promise<unknown>]>([
    ['READONLY', redis => redis.replicaof('127.0.0.1', '1'), redis => redis.replicaof('NO', 'ONE')],
    ['OOM', redis => redis.config('SET', 'maxmemory', '1'), redis => redis.config('SET', 'maxmemory', '0')],
    [
      'NOREPLICAS',
      redis => redis.config('SET', 'min-replicas-to-write', '1'),
      redis => redis.config('SET', 'min-replicas-to-write', '0'),
    ],
  ])('tells the caller %s, and works when it is over', async (word, broken, mended) => {
    await startRedis();
    producer = createProducer({ redisUrl: url() });
    await producer.enqueue(link(1));
    const redis = new Redis(url());
    try {
      await broken(redis);
      expect((await failure(producer.enqueue(link(2)))).message).toMatch(new RegExp(`\\b${word} `));
      expect((await failure(producer.enqueueMany([link(3)]))).message).toMatch(new RegExp(`\\b${word} `));
      await mended(redis);
      await eventually(() => producer.enqueue(link(2)));
    } finally {
      redis.disconnect();
    }
  });
});

describe('a producer whose Redis goes away', () => {
  it('names what is not acknowledged, stops reading, and goes on when Redis is back', async () => {
    await startRedis();
    producer = createProducer({ redisUrl: url() });
    let taken = 0;
    async function* endless() {
      for (;;) {
        if (taken === 100_000) await killRedis();
        yield link(taken++);
      }
    }
    const { associations, progress } = await failure(producer.enqueueMany(endless()));
    expect(progress?.read).toBe(taken);
    expect(taken).toBeLessThanOrEqual(150_000);
    const { associations: enqueued = 0, jobs = 0 } = progress?.enqueued ?? {};
    expect(enqueued + associations.length).toBe(taken);
    expect(jobs).toBe(enqueued / 500);
    await failure(producer.enqueue(link(1)));

    await startRedis();
    // The connection comes back by itself; the first call may even wait for it.
    await eventually(() => producer.enqueue(link(1)));
  });

  it('rides out an interruption that is shorter than the patience of a call', async () => {
    await startRedis();
    producer = createProducer({ redisUrl: url(), packMs: 100 }); // by then the loss is noticed
    await producer.enqueue(link(1));
    await killRedis();
    const call = producer.enqueue(link(2));
    await startRedis();
    await call;
  });

  it('gives up on a Redis that has fallen silent', async () => {
    await startRedis();
    producer = createProducer({ redisUrl: url() });
    await producer.connected();
    server?.kill('SIGSTOP');
    const { message } = await failure(producer.enqueue(link(1)));
    expect(message).toMatch(/no answer within 5000 ms/);
    server?.kill('SIGCONT');
    await eventually(() => producer.enqueue(link(1)));
  });

  it('ends the command line quickly, with the place of Redis, no request that nobody has opened, and exit 3', async () => {
    producer = createProducer({ redisUrl: url() });
    const said = { out: '', err: '' };
    const sink = (key: 'out' | 'err') =>
      ({
        write(text: string) {
          said[key] += text;
          return true;
        },
      }) as unknown as NodeJS.WriteStream;
    const terminal = { stdin: process.stdin, stdout: sink('out'), stderr: sink('err') };
    const file = path.join(directory, 'one.ndjson');
    writeFileSync(file, '{"from":1,"to":2}\n');
    const options = { file, from: 'contacts', to: 'companies', type: ['HUBSPOT_DEFINED:1'] };
    expect(await runEnqueue({ redisUrl: url(), queuePrefix: 'bull' }, options, terminal)).toEqual({
      ...{ code: 3, isInterrupted: true },
    });
    expect(said.err).toContain(`Redis at redis://127.0.0.1:${port} is away: `);
    expect(said.err).toContain('connect ECONNREFUSED');
    expect(said.err).toMatch(/\nnothing is enqueued: the same command begins again\n$/);
    expect(said.out).toBe('enqueued 0 associations in 0 jobs (0 lines refused)\n');
  });
});
