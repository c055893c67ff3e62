/** Processes die, Redis dies, HubSpot is away: nothing is lost, nothing is rejected for it. */
import { describe, expect, it } from '@jest/globals';
import type { Pair } from '../../src/shared/contract/association.js';
import { RequestReader } from '../../src/shared/state/requests.js';
import { eventually } from '../support/eventually.js';
import { useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);

const BAD: readonly Pair[] = Array.from(
  { length: 20 },
  (_, at): Pair => [String(999_000_100 + at), String(700_000_001 + at)],
);
const GOOD = goodPairs(30_000);
/** bad ones spread evenly among the good ones */
const MIXED: readonly Pair[] = [...GOOD, ...BAD].map((_, at) => {
  const every = Math.floor(GOOD.length / BAD.length) + 1;
  const bad = Math.floor(at / every);
  return at % every === every - 1 ? (BAD[bad] as Pair) : (GOOD[at - bad] as Pair);
});
const calls = () => rig.simulator.ledger.calls.length ?? 0;
/** Waits until so many more calls have arrived: "in the middle of the work" without a clock. */
const moreCalls = async (count: number) => {
  const from = calls();
  await eventually(() => expect(calls()).toBeGreaterThanOrEqual(from + count));
};

// in the public way fewer victims: `TEST_WAY=public` runs everything so
describe.each([
  ['bulk', 5],
  ['public', 2],
] as const)('a kill -9, in the %s way', (way, victims) => {
  it('of one of two workers, again and again under load, leaves everything accounted for', async () => {
    await rig.start({
      way,
      // slow enough that the work outlasts the starts of all victims, however late the machine is
      simulator: { latencyMs: 1_000, refusal: 'whole' },
      env: { BATCH_MAX_INPUTS: '200', MAX_CONCURRENT_CALLS: '3', JOB_LOCK_MS: '1500' },
    });
    const { redis, keys } = rig;
    await redis.hset(`${keys.requests}r`, { accepted: MIXED.length, enqueuedAt: Date.now(), keep: 600 });
    await rig.enqueue(MIXED, 70, { requestId: 'r' });
    const survivor = rig.startWorker();
    for (let round = 0; round < victims; round++) {
      const victim = rig.startWorker();
      await eventually(() => expect(victim.output()).toContain('"event":"batch"'));
      await moreCalls(1 + ((round * 7) % 5)); // a different moment every time
      expect(await victim.end('SIGKILL')).toBe('SIGKILL');
    }
    rig.simulator.setOptions({ latencyMs: 20 });
    await rig.drained(90_000);
    await rig.expectAccounted(GOOD, BAD);
    const request = await new RequestReader(redis, keys).read('r');
    expect(request).toMatchObject({ state: 'done', created: GOOD.length, rejected: BAD.length, queued: 0 });
    expect(request?.rejections.reduce((sum, { count }) => sum + count, 0)).toBe(BAD.length);
    expect(survivor.process.exitCode).toBeNull();
  });
});

describe('a SIGTERM', () => {
  it('under load ends the worker within its timeout; it gives back what it held and spends no attempt', async () => {
    await rig.start({
      simulator: { latencyMs: 1_000 },
      env: {
        BATCH_MAX_INPUTS: '500',
        MAX_CONCURRENT_CALLS: '2',
        SHUTDOWN_TIMEOUT_MS: '3000',
        JOB_LOCK_MS: '60000',
      },
    });
    await rig.enqueue(MIXED.slice(0, 10_000), 130);
    const first = rig.startWorker();
    await moreCalls(3);
    const since = performance.now();
    expect(await first.end('SIGTERM')).toBe(0);
    expect(performance.now() - since).toBeLessThan(3_500);
    // given back at once: the locks would have lasted a minute
    expect(await rig.queue.getActiveCount()).toBe(0);
    rig.simulator.setOptions({ latencyMs: 5 });
    rig.startWorker();
    await rig.drained();
    const good = MIXED.slice(0, 10_000).filter(pair => !BAD.includes(pair));
    await rig.expectAccounted(
      good,
      MIXED.slice(0, 10_000).filter(pair => BAD.includes(pair)),
    );
    const failed = await rig.queue.getFailed();
    for (const job of failed) expect(job.data.rejected[0].error.attempt).toBe(1);
  });
});

describe('a Redis', () => {
  it('loses nothing when it is killed with -9 and started again with its append-only file, twice under load', async () => {
    await rig.start({
      ownRedis: true,
      simulator: { latencyMs: 20 },
      env: { BATCH_MAX_INPUTS: '200', MAX_CONCURRENT_CALLS: '3' },
    });
    await rig.enqueue(MIXED, 70);
    rig.startWorker();
    rig.startWorker();
    for (let round = 0; round < 2; round++) {
      await moreCalls(10);
      await rig.server.kill();
      await rig.server.startAgain();
    }
    await rig.drained(90_000);
    await rig.expectAccounted(GOOD, BAD);
  });
});

describe('a HubSpot', () => {
  it('that is unavailable for a while holds the account with growing pauses, rejects no association, and creates all afterwards', async () => {
    await rig.start({
      simulator: { latencyMs: 10 },
      env: { BATCH_MAX_INPUTS: '200', JOB_ATTEMPTS: '3', RETRY_BACKOFF_MS: '200' },
    });
    const { redis, keys, simulator } = rig;
    await rig.enqueue(MIXED, 100);
    rig.startWorker();
    rig.startWorker();
    await moreCalls(5);
    await simulator.pause();
    // more probes fail than an association has attempts
    await eventually(
      async () => expect(Number(await redis.hget(keys.hold, 'strikes'))).toBeGreaterThanOrEqual(5),
      40_000,
    );
    expect(await redis.hget(keys.hold, 'kind')).toBe('unavailable');
    expect((await rig.totals()).rejected).toBeLessThanOrEqual(BAD.length);
    await simulator.resume();
    await rig.drained(90_000);
    await rig.expectAccounted(GOOD, BAD);
  });
});
