/** A start meets a Redis that is away, loading, or takes no writes, at any of its steps: it is waited for. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { createProducer } from '../../src/index.js';
import { eventually } from '../support/eventually.js';
import { HalfOpenProxy } from '../support/half-open-proxy.js';
import type { CliProcess } from '../support/process.js';
import { useRig } from '../support/rig.js';
import { goodPairs, inputOf } from '../support/samples.js';

const rig = useRig(import.meta.url);
beforeEach(() => rig.start({ ownRedis: true }));
const GOOD = goodPairs(300);
const hasStarted = (worker: CliProcess) => worker.output().includes('"event":"started"');
const says = (worker: CliProcess, words: RegExp) => eventually(() => expect(worker.output()).toMatch(words));
async function works(worker: CliProcess): Promise<void> {
  await eventually(() => expect(hasStarted(worker)).toBe(true));
  await rig.drained();
  await rig.expectAccounted(GOOD, []);
}

describe('a start with a Redis that takes no writes', () => {
  it.each([
    [
      'NOREPLICAS',
      () => rig.redis.config('SET', 'min-replicas-to-write', '1'),
      () => rig.redis.config('SET', 'min-replicas-to-write', '0'),
    ],
    ['OOM', () => rig.redis.config('SET', 'maxmemory', '1'), () => rig.redis.config('SET', 'maxmemory', '0')],
    ['READONLY', () => rig.redis.replicaof('127.0.0.1', '1'), () => rig.redis.replicaof('NO', 'ONE')],
  ])('(%s) is reported once, and the worker starts when Redis takes them', async (word, breaks, mends) => {
    await rig.enqueue(GOOD, 10);
    await breaks();
    const worker = rig.startWorker();
    await says(worker, new RegExp(`"error":"${word} [^}]*cannot be used`));
    expect(hasStarted(worker)).toBe(false);
    await mends();
    await works(worker);
    expect(worker.output().match(/cannot be used/g)).toHaveLength(1);
  });
});

describe('a start with a Redis that is loading', () => {
  it('is reported by worker and producer, which work when it is done', async () => {
    await rig.enqueue(GOOD, 10);
    const filler = rig.redis.pipeline();
    for (let at = 0; at < 100_000; at++) filler.set(`filler-${at}`, '');
    await filler.exec();
    await rig.server.kill();
    // It looks at its clients after every 1,024 commands, and would load for a minute: it is told below to hurry up.
    rig.server.launch({ 'key-load-delay': '500' });
    const worker = rig.startWorker();
    const producer = createProducer({ redisUrl: rig.redisUrl, prefix: rig.prefix });
    const [from = '', to = ''] = GOOD[0] ?? [];
    const link = { fromObjectType: 'contacts', toObjectType: 'companies', from, to };
    await eventually(() => expect(producer.enqueue(link)).rejects.toThrow(/is loading|refused: LOADING/));
    await producer.close();
    await says(worker, /LOADING[^}]*cannot be used/);
    const hurry = new Redis(rig.redisUrl, { enableReadyCheck: false });
    await hurry.config('SET', 'key-load-delay', '0');
    hurry.disconnect();
    await works(worker);
  });
});

describe('a start with a Redis that is away', () => {
  it('from the beginning works for worker, gateway and dashboard once Redis is there', async () => {
    await rig.enqueue(GOOD.slice(1), 10);
    await rig.server.kill();
    const worker = rig.startWorker();
    const gateway = rig.startGateway();
    const dashboard = rig.startDashboard();
    await says(worker, /ECONNREFUSED[^}]*cannot be used/);
    await rig.server.startAgain();
    const [from = '', to = ''] = GOOD[0] ?? [];
    expect((await (await gateway).post([inputOf(from, to)])).status).toBe(201);
    await works(worker);
    // Bull Board asks BullMQ
    expect((await (await dashboard).get('/queues/api/queues')).status).toBe(200);
  });

  it.each([1, 2])('from its connection number %i on works for the worker once Redis is back', async count => {
    await rig.enqueue(GOOD, 10);
    const proxy = await HalfOpenProxy.start(rig.redisUrl);
    try {
      const worker = rig.startWorker({ REDIS_URL: proxy.url });
      await eventually(() => expect(proxy.accepted).toBeGreaterThanOrEqual(count));
      await rig.server.kill();
      await rig.server.startAgain();
      await works(worker);
      await worker.end('SIGTERM');
    } finally {
      await proxy.stop();
    }
  });
});
