/**
 * Six replicas of one account and a backlog: two fetch. All that fetch are killed at once, again and again; others step in
 * within the time of a lock, and nothing is lost.
 */
import { expect, it } from '@jest/globals';
import { hearReplicas, isStandby } from '../../src/shared/state/worker-reports.js';
import { eventually } from '../support/eventually.js';
import { useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);
const REPLICAS = 6;
const ROUNDS = 2;
/** the default of JOB_LOCK_MS */
const LOCK_MS = 30_000;
/** two calls a second: one replica could make them all */
const QUOTA = { calls: 2, windowMs: 1_000 };

it('all replicas that fetch are killed at once, twice: others step in, and nothing is lost', async () => {
  await rig.start({
    simulator: { rateLimitCalls: QUOTA.calls, rateLimitWindowMs: QUOTA.windowMs, latencyMs: 300 },
    env: {
      RATE_LIMIT_CALLS: String(QUOTA.calls),
      RATE_LIMIT_WINDOW_MS: String(QUOTA.windowMs),
      ...{ BATCH_MAX_INPUTS: '100', MAX_CONCURRENT_CALLS: '2' },
    },
  });
  const good = goodPairs(8_000);
  await rig.enqueue(good, 50);
  const workers = Array.from({ length: REPLICAS }, () => rig.startWorker());
  const { ledger } = rig.simulator;
  for (let round = 0; round < ROUNDS; round++) {
    const fetching = await eventually(async () => {
      const alive = await hearReplicas(rig.redis, rig.keys);
      expect(alive).toHaveLength(REPLICAS - 2 * round);
      const found = alive.filter(report => !isStandby(report));
      expect(found).toHaveLength(2);
      return found;
    });
    const before = ledger.calls.length;
    await eventually(() => expect(ledger.calls.length).toBeGreaterThan(before + 3));
    const killedAt = Date.now();
    const killed = workers.filter(({ process }) => fetching.some(({ pid }) => pid === process.pid));
    await Promise.all(killed.map(worker => worker.end('SIGKILL')));
    const next = await eventually(() => {
      const call = ledger.calls.find(({ at }) => at > killedAt + 1_000);
      if (!call) throw new Error('no call yet');
      return call;
    });
    expect(next.at - killedAt).toBeLessThan(LOCK_MS);
  }
  await rig.drained(180_000);
  await rig.expectAccounted(good, []);
});
