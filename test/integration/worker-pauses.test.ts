/** BullMQ's own pauses and limits cost nothing at their end: the worker fetches again at once. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { pauseQueue } from '../../src/dashboard/pause.js';
import { eventually } from '../support/eventually.js';
import type { CliProcess } from '../support/process.js';
import { noReplicas } from '../support/replicas.js';
import { useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);
let worker: CliProcess;
beforeEach(async () => {
  await rig.start();
  worker = rig.startWorker({ BATCH_LINGER_MS: '10', METRICS_PORT: '29466' });
  await rig.enqueue(goodPairs(1, 1), 1);
  await rig.drained();
});
const GOOD = goodPairs(6);
/** @returns ms */
async function untilCreated(count: number): Promise<number> {
  const since = performance.now();
  await eventually(async () => expect((await rig.totals()).created).toBe(1 + count));
  return performance.now() - since;
}
/** A worker that waits for jobs blocks its connection. */
const waits = () =>
  eventually(async () => expect(String(await rig.redis.call('CLIENT', 'LIST'))).toMatch(/cmd=bzpopmin/i));

describe('the worker fetches again', () => {
  it('when the queue is resumed', async () => {
    await rig.queue.pause();
    await rig.enqueue(GOOD, 1);
    await waits();
    await rig.queue.resume();
    expect(await untilCreated(6)).toBeLessThan(1_500);
  });

  it('when a rate limit is over', async () => {
    await rig.queue.rateLimit(1_000);
    await rig.enqueue(GOOD, 1);
    expect(await untilCreated(6)).toBeLessThan(2_500);
  });

  it('when a rate limit is lifted before its time', async () => {
    await rig.queue.rateLimit(60_000);
    await rig.enqueue(GOOD, 1);
    await eventually(async () => expect(await rig.queue.getRateLimitTtl()).toBeLessThan(59_500));
    await rig.queue.removeRateLimitKey();
    expect(await untilCreated(6)).toBeLessThan(2_500);
  });

  it('within a global rate limit, as soon as each window is over', async () => {
    await rig.queue.setGlobalRateLimit(2, 500);
    await rig.enqueue(GOOD, 1);
    expect(await untilCreated(6)).toBeLessThan(4_000);
  });

  it('under a global concurrency, as soon as a job has ended', async () => {
    await rig.queue.setGlobalConcurrency(2);
    await rig.enqueue(GOOD, 1);
    expect(await untilCreated(6)).toBeLessThan(4_000);
  });
});

it('the worker is ready while the queue is paused, and says who paused it until anybody resumes', async () => {
  const port = await eventually(() => {
    const found = /"event":"metrics"[^\n]*"port":(\d+)/.exec(worker.output())?.[1];
    expect(found).toBeDefined();
    return found;
  });
  const ready = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).json() as Promise<object>;
  const { queue, redis, keys } = rig;
  await pauseQueue(
    { queue, redis, keys, replicas: noReplicas(redis, keys) },
    'anna@ops',
    'HubSpot maintenance',
  );
  const notes = ['the queue is paused by anna@ops: HubSpot maintenance'];
  await eventually(async () => expect(await ready()).toEqual({ status: 'ready', reasons: [], notes }));
  await queue.resume(); // as another client does
  await eventually(async () => expect(await ready()).toEqual({ status: 'ready', reasons: [] }));
  expect(await redis.exists(keys.paused)).toBe(0);
  await queue.pause();
  await eventually(async () =>
    expect(await ready()).toMatchObject({ notes: ['the queue is paused by another client'] }),
  );
  await queue.resume();
});
