/**
 * A worker, a gateway and a producer on a Redis Cluster: the node with the keys hands them over, and then it is killed. All go on
 * with the node that has them, and everything that was acknowledged is created.
 */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createProducer } from '../../src/index.js';
import { type Simulator, startSimulator } from '../../src/simulator/server.js';
import { RedisCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { startGateway } from '../support/gateway.js';
import { startCommand } from '../support/process.js';
import { CONTACT_TO_COMPANY, goodPairs, inputOf } from '../support/samples.js';

const TOKEN = 'pat-test-cluster';
const PREFIX = '{cluster}';
let cluster: RedisCluster;
let simulator: Simulator;
beforeEach(async () => {
  [cluster, simulator] = await Promise.all([
    RedisCluster.start({ primaries: 3, replicas: 1 }),
    startSimulator({ rateLimitCalls: 0, accessToken: TOKEN }),
  ]);
}, 60_000);
afterEach(async () => {
  await Promise.all([cluster.stop(), simulator.stop()]);
});

it('worker and gateway follow their keys to another node, and everything that was enqueued is created', async () => {
  const place = { REDIS_URL: cluster.url, QUEUE_PREFIX: PREFIX };
  const worker = startCommand('worker', {
    ...{ ...place, METRICS_PORT: '0', JOB_LOCK_MS: '2000', RATE_LIMIT_CALLS: '100000' },
    ...{ HUBSPOT_BASE_URL: simulator.url, HUBSPOT_ACCESS_TOKEN: TOKEN },
  });
  const gateway = await startGateway(place);
  const producer = createProducer({ redisUrl: cluster.url, prefix: PREFIX });
  try {
    const pairs = goodPairs(60);
    const part = (at: number) => pairs.slice(at * 10, at * 10 + 10);
    const post = async (at: number) =>
      (await gateway.post(part(at).map(([from, to]) => inputOf(from, to)))).status;
    const enqueue = (at: number) =>
      producer.enqueueMany(
        part(at).map(([from, to]) => ({
          fromObjectType: 'contacts',
          toObjectType: 'companies',
          types: [CONTACT_TO_COMPANY],
          from,
          to,
        })),
      );
    const created = () =>
      pairs.filter(([from, to]) => simulator.ledger.has('contacts', 'companies', from, to)).length;
    expect(await post(0)).toBe(201);
    await enqueue(1);
    await eventually(() => expect(created()).toBe(20));

    const [replica] = (await cluster.ownerOf(PREFIX)).replicas;
    if (!replica) throw new Error('the owner has no replica');
    await cluster.failOver(PREFIX, replica);
    await enqueue(3);
    await eventually(async () => expect(await post(2)).toBe(201));
    await eventually(() => expect(created()).toBe(40));

    await cluster.replicated();
    await (await cluster.ownerOf(PREFIX)).owner.server.kill();
    await eventually(async () => expect(await post(4)).toBe(201));
    await eventually(() => enqueue(5));
    await eventually(() => expect(created()).toBe(60));

    const stats = startCommand('stats', place, [], ['--json']);
    expect(await stats.exit()).toBe(0);
    expect(JSON.parse(stats.output()).associations.created).toBe(60);
    expect(worker.output()).toContain('redis+cluster://');
    for (const one of [worker, gateway])
      expect(one.output()).not.toMatch(/Unhandled|ioredis|leads to one node/);
  } finally {
    await producer.close();
    expect(await gateway.end('SIGTERM')).toBe(0);
    expect(await worker.end('SIGTERM')).toBe(0);
  }
}, 120_000);
