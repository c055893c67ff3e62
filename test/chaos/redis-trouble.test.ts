/** Redis says no, or nothing at all: the worker lives, no job is failed for it, and it ends when asked. */

import { describe, expect, it } from '@jest/globals';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { migrating } from '../../src/simulator/replies.js';
import { eventually } from '../support/eventually.js';
import { useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);
const start = (env: Readonly<Record<string, string>>) =>
  rig.start({ ownRedis: true, simulator: { latencyMs: 30 }, env });
const moreCalls = async (count: number) => {
  const from = rig.simulator.ledger.calls.length;
  await eventually(() => expect(rig.simulator.ledger.calls.length).toBeGreaterThanOrEqual(from + count));
};

const GOOD = goodPairs(20_000);
const SMALL = { BATCH_MAX_INPUTS: '200', MAX_CONCURRENT_CALLS: '3' };

describe('a worker whose Redis refuses writes for a while', () => {
  it.each([['without replicas (NOREPLICAS)', 'min-replicas-to-write', '1', '0']])(
    'lives on, and nobody is failed or lost (%s)',
    async (_name, parameter, broken, mended) => {
      await start(SMALL);
      await rig.enqueue(GOOD, 70);
      const worker = rig.startWorker();
      await moreCalls(10);
      await rig.redis.config('SET', parameter, broken);
      await eventually(() => expect(worker.output()).toMatch(/NOREPLICAS/));
      await rig.redis.config('SET', parameter, mended);
      await rig.drained();
      await rig.expectAccounted(GOOD, []);
      expect(worker.process.exitCode).toBeNull();
    },
  );
});

describe('a Redis that is full and stays full', () => {
  it('refuses producers while the backlog drains, and nothing is sent twice', async () => {
    await start({ ...SMALL, JOB_LOCK_MS: '2000' });
    await rig.enqueue(GOOD, 70);
    const before = rig.startWorker();
    await moreCalls(5);
    await rig.redis.config('SET', 'maxmemory', '1');
    const producing = { isOver: false };
    const refusals = (async () => {
      const heard = new Set<string>();
      while (!producing.isOver)
        await rig
          .enqueue(goodPairs(1, 900_000_001), 1)
          .catch(error => heard.add(String(error).replace(/ script:.*/, '')));
      return [...heard];
    })();
    // replicas still hear each other: whose limits are the smallest must stay known
    const sinceFull = (await rig.redis.time()).map(Number)[0] as number;
    await eventually(async () => {
      const [, lastSeen] = await rig.redis.zrevrange(rig.keys.workers, 0, 0, 'WITHSCORES');
      expect(Number(lastSeen)).toBeGreaterThan((sinceFull + 1) * 1_000);
    });
    // the one that knew better times ends; the other one has never seen any
    rig.startWorker();
    expect(await before.end('SIGTERM')).toBe(0);
    await rig.drained();
    producing.isOver = true;
    expect(await refusals).toEqual([expect.stringContaining('OOM command not allowed')]);
    await rig.expectAccounted(GOOD, []);
  });
});

describe('a worker is killed while Redis is full', () => {
  it('leaves jobs that come back although Redis stays full', async () => {
    await start({ ...SMALL, JOB_LOCK_MS: '2000' });
    const few = GOOD.slice(0, 1_000);
    rig.simulator.script(...Array.from({ length: 3 }, () => ({ kind: 'slow', ms: 60_000 }) as const));
    await rig.enqueue(few, 70);
    const killed = rig.startWorker();
    await moreCalls(3); // all jobs are in its memory
    await rig.redis.config('SET', 'maxmemory', '1');
    await killed.end('SIGKILL');
    rig.startWorker();
    await rig.drained();
    await rig.expectAccounted(few, []);
  });

  it('finds the account held for minutes all the same', async () => {
    await start(SMALL);
    rig.simulator.script({ kind: 'status', ...migrating(120) });
    await rig.enqueue(GOOD.slice(0, 100), 70);
    await rig.redis.config('SET', 'maxmemory', '1');
    const worker = rig.startWorker();
    const limiter = bullmqKeys(rig.keys).limiter;
    await eventually(async () => expect(await rig.redis.pttl(limiter)).toBeGreaterThan(60_000));
    await eventually(async () =>
      expect(await rig.redis.lrange(bullmqKeys(rig.keys).active, 0, -1)).toEqual([]),
    );
    expect(worker.output()).not.toContain('job comes back');
    expect(rig.simulator.ledger.calls).toHaveLength(1);
  });
});

describe('a worker whose Redis is away', () => {
  it('ends within its timeout on SIGTERM with work in hand, and all is there afterwards', async () => {
    await start({ ...SMALL, SHUTDOWN_TIMEOUT_MS: '2000' });
    await rig.enqueue(GOOD, 70);
    const worker = rig.startWorker();
    await moreCalls(10);
    await rig.server.kill();
    const since = performance.now();
    expect(await worker.end('SIGTERM')).toBe(0);
    expect(performance.now() - since).toBeLessThan(4_000);
    await rig.server.startAgain();
    rig.startWorker();
    await rig.drained();
    await rig.expectAccounted(GOOD, []);
  });
});
