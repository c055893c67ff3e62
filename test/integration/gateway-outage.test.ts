/** Redis unreachable, silent, full or read-only: 503 with Retry-After within 2 s, nothing enqueued, and the gateway recovers by itself. */

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { accountKeys, requestOfJob } from '../../src/shared/contract/keys.js';
import { cancelRequest } from '../../src/shared/state/cancel-request.js';
import { eventually } from '../support/eventually.js';
import { type GatewayProcess, startGateway } from '../support/gateway.js';
import { RedisServer } from '../support/redis-server.js';
import { goodPairs, inputOf } from '../support/samples.js';

let server: RedisServer;
let redis: Redis;
let gateway: GatewayProcess;

beforeEach(async () => {
  server = await RedisServer.start();
  redis = new Redis(server.url, { maxRetriesPerRequest: null });
  redis.on('error', () => {}); // tests kill Redis
  gateway = await startGateway({ REDIS_URL: server.url });
});
afterEach(async () => {
  const end = await gateway.end('SIGTERM');
  redis.disconnect();
  await server.stop();
  expect(end).toBe(0);
});

const inputsOf = (count: number) => goodPairs(count).map(([from, to]) => inputOf(from, to));
const queued = () => redis.llen(`${bullmqKeys(accountKeys('bull')).jobs}wait`);

async function expectRefused(count: number, fate = /nothing was enqueued$/): Promise<void> {
  const before = performance.now();
  const { status, body, headers } = await gateway.post(inputsOf(count));
  expect(performance.now() - before).toBeLessThan(2_000);
  expect([status, body.status, body.category]).toEqual([503, 'error', 'SERVICE_UNAVAILABLE']);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(body.message).toMatch(fate);
  expectNoAddress(body);
  expect(JSON.stringify(body)).not.toContain('100000001');
}
/** Only the operator's log names the address of Redis. */
function expectNoAddress(body: unknown): void {
  const text = JSON.stringify(body);
  expect(text).not.toContain(new URL(server.url).port);
  expect(text).not.toMatch(/127\.0\.0\.1|localhost/);
}
const expectAccepted = (count: number) =>
  eventually(async () => expect((await gateway.post(inputsOf(count))).status).toBe(201));

describe('the gateway', () => {
  it('goes on waiting for the outcome after an outage, for as long as the caller wants', async () => {
    const keys = accountKeys('bull');
    const waiting = gateway.post(inputsOf(2), { prefer: 'wait=60' });
    await eventually(async () => expect(await queued()).toBe(1));
    await server.kill();
    await server.startAgain();
    await eventually(async () => expect(await redis.pubsub('CHANNELS')).toHaveLength(1));
    const [id = ''] = await redis.lrange(`${bullmqKeys(keys).jobs}wait`, 0, -1);
    await cancelRequest({ redis, keys }, requestOfJob(id), 'test');
    expect((await waiting).body.status).toBe('CANCELED');
  });

  it('refuses within 2 s while Redis is away, and recovers by itself', async () => {
    await server.kill();
    await expectRefused(1);
    await expectRefused(1_200);
    const { status, body } = await gateway.get('/readyz');
    expect([status, body]).toEqual([
      503,
      { status: 'not ready', reasons: [expect.stringMatching(/^Redis/)] },
    ]);
    expectNoAddress(body);
    expect((await gateway.get('/healthz')).status).toBe(200);
    await server.startAgain();
    await expectAccepted(1);
    await eventually(async () => expect((await gateway.get('/readyz')).status).toBe(200));
    expect(await queued()).toBe(1);
  });

  it('refuses within 2 s while Redis is silent, and recovers by itself', async () => {
    await expectAccepted(1);
    server.pause();
    try {
      await expectRefused(1);
      await expectRefused(1_200);
    } finally {
      server.resume();
    }
    await expectAccepted(1_200);
  });

  it('refuses while Redis is full, and recovers by itself', async () => {
    await expectAccepted(1);
    await redis.config('SET', 'maxmemory', '1');
    await expectRefused(1);
    await expectRefused(1_200);
    expect(await queued()).toBe(1);
    const { status, body } = await gateway.get('/readyz');
    expect([status, body]).toEqual([503, { status: 'not ready', reasons: [expect.stringMatching(/OOM/)] }]);
    await redis.config('SET', 'maxmemory', '0');
    await eventually(async () => expect((await gateway.get('/readyz')).status).toBe(200));
    await expectAccepted(1_200);
    expect(await queued()).toBe(4);
  });

  it('goes on with a Redis that has lost its scripts', async () => {
    await expectAccepted(1_200);
    await redis.script('FLUSH');
    await Promise.all([expectAccepted(1_200), expectAccepted(1_200), expectAccepted(1)]);
    expect(await queued()).toBe(10);
    await redis.script('FLUSH');
    await expectAccepted(1_200);
    expect(await queued()).toBe(13);
  });

  it('refuses while Redis is read-only, and recovers by itself', async () => {
    await expectAccepted(1);
    await redis.replicaof('127.0.0.1', '1');
    await expectRefused(1);
    await expectRefused(1_200);
    expect(await queued()).toBe(1);
    await redis.replicaof('NO', 'ONE');
    await expectAccepted(1_200);
    expect(await queued()).toBe(4);
  });
});
