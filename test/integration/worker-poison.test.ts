/** Ids in the queue that are not jobs: they do not stop or slow the worker. */

import { beforeEach, describe, expect, it } from '@jest/globals';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { eventually } from '../support/eventually.js';
import { useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);
beforeEach(() => rig.start());
const GOOD = goodPairs(600);

describe('an id without a job', () => {
  it('does not stop or slow the worker, whether its key has the wrong type or is missing, among waiting and prioritized jobs', async () => {
    const { redis, keys } = rig;
    const weeds = ['poison-1', 'poison-2', 'poison-3'];
    for (const id of weeds) await redis.set(bullmqKeys(keys).jobs + id, 'no job');
    await rig.enqueue(GOOD.slice(0, 200), 2);
    await redis.lpush(bullmqKeys(keys).wait, 'poison-1', 'missing-1');
    await rig.enqueue(GOOD.slice(200, 400), 2);
    await redis.lpush(bullmqKeys(keys).wait, 'poison-2');
    await rig.enqueue(GOOD.slice(400), 2);
    await redis.rpush(bullmqKeys(keys).wait, 'missing-2');
    await redis.zadd(bullmqKeys(keys).prioritized, 2 ** 32 + 1, 'poison-3');
    const worker = rig.startWorker();
    await eventually(async () => expect((await rig.totals()).created).toBe(600));
    await rig.drained();
    // otherwise the worker would pause for a second after each of them
    expect(worker.output()).not.toContain('could not fetch jobs');
    expect(await redis.lrange(bullmqKeys(keys).active, 0, -1)).toEqual([]);
    expect(await redis.mget(weeds.map(id => bullmqKeys(keys).jobs + id))).toEqual([
      'no job',
      'no job',
      'no job',
    ]);
    for (const id of weeds) expect(worker.output()).toContain(id);
    const failed = await redis.zrange(bullmqKeys(keys).failed, '0', '-1');
    expect(failed.sort()).toEqual(['missing-1', 'missing-2']);
  });
});
