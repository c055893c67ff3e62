/**
 * A worker, a gateway and a producer whose REDIS_URL names Sentinels: the primary is killed under load, and all go on with the
 * one that the Sentinels choose. Every association that was enqueued before or after the failover is created.
 */
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import { queueName } from '../../src/shared/contract/keys.js';
import { openRedis } from '../../src/shared/runtime/redis.js';
import { type Simulator, startSimulator } from '../../src/simulator/server.js';
import { eventually } from '../support/eventually.js';
import { startGateway } from '../support/gateway.js';
import { startCommand } from '../support/process.js';
import { goodPairs, inputOf } from '../support/samples.js';
import { Sentinels } from '../support/sentinels.js';

const TOKEN = 'pat-test-sentinel';
let sentinels: Sentinels;
let simulator: Simulator;
beforeEach(async () => {
  [sentinels, simulator] = await Promise.all([
    Sentinels.start(),
    startSimulator({ rateLimitCalls: 0, accessToken: TOKEN }),
  ]);
}, 60_000);
afterEach(async () => {
  await Promise.all([sentinels.stop(), simulator.stop()]);
});

it.each(['patient', 'hasty'] as const)(
  'a %s connection comes back that hears of a failover while it asks the Sentinels, and one that is closed then does not',
  async role => {
    const [redis, closed] = [openRedis(sentinels.url, role), openRedis(sentinels.url, role)];
    await Promise.all([redis.connect(), closed.connect()]);
    redis.once('connecting', () => redis.disconnect(true)); // as ioredis does it with +switch-master
    closed.once('connecting', () => closed.disconnect());
    const ended = once(closed, 'end');
    for (const one of [redis, closed]) one.disconnect(true);
    await once(redis, 'connecting');
    await eventually(async () => expect(await redis.ping()).toBe('PONG'), 10_000);
    await ended;
    expect(closed.status).toBe('end');
    redis.disconnect();
  },
);

it('worker and gateway follow a failover, and everything that was enqueued is created', async () => {
  const place = { REDIS_URL: sentinels.url, QUEUE_PREFIX: 'sentinel' };
  const worker = startCommand('worker', {
    ...{ ...place, METRICS_PORT: '0', JOB_LOCK_MS: '2000', RATE_LIMIT_CALLS: '100000' },
    ...{ HUBSPOT_BASE_URL: simulator.url, HUBSPOT_ACCESS_TOKEN: TOKEN },
  });
  const gateway = await startGateway(place);
  try {
    const pairs = goodPairs(40);
    const post = async (at: number) =>
      (await gateway.post(pairs.slice(at * 10, at * 10 + 10).map(([from, to]) => inputOf(from, to)))).status;
    const created = () =>
      pairs.filter(([from, to]) => simulator.ledger.has('contacts', 'companies', from, to)).length;
    expect(await post(0)).toBe(201);
    await eventually(() => expect(created()).toBe(10));
    expect(await post(1)).toBe(201);
    await sentinels.replicated();

    await sentinels.killPrimary();
    await eventually(async () => expect(await post(2)).toBe(201));
    expect(await post(3)).toBe(201);
    await eventually(() => expect(created()).toBe(40));

    const queue = new Queue(queueName(), { connection: { ...sentinels.options }, prefix: 'sentinel' });
    await eventually(async () =>
      expect(await queue.getJobCounts('wait', 'active', 'delayed', 'failed')).toEqual({
        ...{ wait: 0, active: 0, delayed: 0, failed: 0 },
      }),
    );
    await queue.close();
    expect(worker.output()).toContain('redis+sentinel://');
    for (const one of [worker, gateway]) expect(one.output()).not.toMatch(/Unhandled|ioredis/);
  } finally {
    expect(await gateway.end('SIGTERM')).toBe(0);
    expect(await worker.end('SIGTERM')).toBe(0);
  }
}, 120_000);
