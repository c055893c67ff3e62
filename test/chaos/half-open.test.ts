/** Connections to Redis that swallow everything and tell nobody: everybody finds out and goes on. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { createProducer } from '../../src/index.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { openRedis } from '../../src/shared/runtime/redis.js';
import { RedisWatch } from '../../src/shared/runtime/redis-watch.js';
import { eventually } from '../support/eventually.js';
import { HalfOpenProxy } from '../support/half-open-proxy.js';
import { useRig } from '../support/rig.js';
import { goodPairs, inputOf } from '../support/samples.js';

const rig = useRig(import.meta.url);
let proxy: HalfOpenProxy;
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
async function startProxy(): Promise<void> {
  proxy = await HalfOpenProxy.start(rig.redisUrl);
  ends.push(() => proxy.stop());
}
const GOOD = goodPairs(2_000);

describe('a worker with half-open connections', () => {
  it('notices within 15 s, reports it meanwhile, and continues without loss or repetition', async () => {
    await rig.start();
    await startProxy();
    const worker = rig.startWorker({ REDIS_URL: proxy.url, METRICS_PORT: '19465', JOB_LOCK_MS: '30000' });
    const port = await eventually(() =>
      Number(/"event":"metrics".*?"port":(\d+)/.exec(worker.output())?.[1] ?? fail()),
    );
    const health = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
    await rig.enqueue(GOOD.slice(0, 1_000), 10);
    await rig.drained();
    expect((await health('/readyz')).status).toBe(200);

    proxy.holdNew(); // until we have seen that it is not ready
    expect(proxy.swallow()).toBeGreaterThanOrEqual(2);
    const since = performance.now();
    await rig.enqueue(GOOD.slice(1_000), 10);
    await eventually(async () => {
      const answer = await health('/readyz');
      expect([answer.status, await answer.json()]).toEqual([
        503,
        { status: 'not ready', reasons: [expect.stringMatching(/^Redis: /)] },
      ]);
    });
    expect((await health('/healthz')).status).toBe(200);
    proxy.letNew();
    await rig.drained();
    expect(performance.now() - since).toBeLessThan(15_000);
    await eventually(async () => expect((await health('/readyz')).status).toBe(200));
    await rig.expectAccounted(GOOD, []);
    expect(worker.output().match(/cannot be used/g)).toHaveLength(1);
    expect(worker.output()).toMatch(/back after \d+ s/);
  });
});

const fail = (): never => {
  throw new Error('not yet');
};

describe('a producer and a gateway with half-open connections', () => {
  it('notice it within seconds, and go on with a new connection', async () => {
    await rig.start();
    await startProxy();
    const producer = createProducer({ redisUrl: proxy.url, prefix: rig.prefix });
    ends.push(() => producer.close());
    const gateway = await rig.startGateway({ REDIS_URL: proxy.url });
    const link = { fromObjectType: 'contacts', toObjectType: 'companies', from: 1, to: 2 };
    const post = async () => (await gateway.post([inputOf(1, 2)])).status;
    await producer.enqueue(link);
    await eventually(async () => expect(await post()).toBe(201));

    proxy.swallow();
    const since = performance.now();
    const refused = expect(producer.enqueue(link)).rejects.toThrow(/no answer within 5000 ms/);
    expect(await post()).toBe(503);
    expect(performance.now() - since).toBeLessThan(2_000);
    await eventually(async () => expect(await post()).toBe(201));
    await refused;
    // a call waits 2 s for the new connection; a late machine may need longer
    await eventually(() => producer.enqueue(link));
  });
});

describe('a connection', () => {
  it('that stays silent after a command is replaced, and a patient one repeats what was not answered', async () => {
    await rig.start();
    await startProxy();
    const redis = openRedis(proxy.url, 'patient', () => {}, 300);
    ends.push(async () => redis.disconnect());
    await redis.ping();
    proxy.swallow();
    expect(await redis.ping()).toBe('PONG');
    expect(proxy.accepted).toBe(2);
  });

  it('of a subscriber, which is silent by itself, is probed with a PING', async () => {
    await rig.start();
    await startProxy();
    const { keys } = rig;
    const logger = createLogger('silent', 'test');
    const watch = new RedisWatch({ address: proxy.url, keys, consequence: '', logger, silenceMs: 200 });
    ends.push(() => watch.stop());
    watch.open('commands', 'hasty');
    const subscriber = watch.open('outcomes', 'hasty');
    await watch.start();
    await eventually(() => expect(watch.reasons).toEqual([]));
    await subscriber.subscribe('channel');
    proxy.swallow();
    await eventually(() => expect(proxy.accepted).toBe(4));
    await eventually(() => expect(watch.reasons).toEqual([]));
  });
});
