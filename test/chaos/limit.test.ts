/**
 * One limit over all replicas, in real processes. The simulator has a process of its own, and says of every refusal how
 * late it was itself: what that explains is not the workers' fault.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { type SimulatorProcess, startSimulatorProcess } from '../../bench/support/simulator.js';
import { isCallersFault } from '../../src/simulator/ledger.js';
import { eventually } from '../support/eventually.js';
import type { CliProcess } from '../support/process.js';
import { useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';
import { starve } from '../support/starvation.js';

const rig = useRig(import.meta.url);
const LIMIT = { calls: 60, windowMs: 3_000 };
const PER_CALL = 200;
let simulator: SimulatorProcess | undefined;
afterEach(async () => {
  await simulator?.stop();
  simulator = undefined;
});

/** Replicas that all begin together with a backlog of so many batches. */
async function begin(replicas: number, batches: number): Promise<CliProcess[]> {
  simulator = await startSimulatorProcess(LIMIT);
  await rig.start({
    env: {
      HUBSPOT_BASE_URL: simulator.url,
      RATE_LIMIT_CALLS: String(LIMIT.calls),
      RATE_LIMIT_WINDOW_MS: String(LIMIT.windowMs),
      BATCH_MAX_INPUTS: String(PER_CALL),
      JOB_LOCK_MS: '5000',
    },
  });
  await rig.queue.pause();
  await rig.enqueue(goodPairs(batches * PER_CALL), 150);
  const workers: CliProcess[] = [];
  for (let at = 0; at < replicas; at++) workers.push(rig.startWorker());
  for (const worker of workers)
    await eventually(() => expect(worker.output()).toContain('"event":"started"'), 60_000);
  await rig.queue.resume();
  return workers;
}

/** Refusals that no delay of the simulator's own explains; those that it explains are printed. */
async function refusals(from: SimulatorProcess) {
  const refused = (await from.calls()).filter(({ status }) => status === 429);
  const excused = refused.filter(call => !isCallersFault(call));
  for (const { n, earlyMs, loopDelayMs } of excused)
    console.warn(
      `call ${n}: refused ${earlyMs} ms too early; the simulator itself was ${loopDelayMs} ms late`,
    );
  return refused.filter(isCallersFault);
}

describe('one limit over all replicas', () => {
  it.each([2, 4])(
    'keeps %i replicas with a backlog within every window, without a 429, in full batches',
    async replicas => {
      const batches = LIMIT.calls * 3;
      await begin(replicas, batches);
      await rig.drained(90_000);
      const one = simulator as SimulatorProcess;
      expect(await refusals(one)).toEqual([]);
      const totals = await one.totals();
      expect(totals.maxCallsInWindow).toBeLessThanOrEqual(LIMIT.calls);
      expect(totals).toMatchObject({ created: batches * PER_CALL, duplicates: 0 });
      // each replica may end on a remainder
      expect(totals.calls).toBeLessThanOrEqual(batches + 2 * replicas);
    },
  );

  it('holds without a 429 or a loss for replicas that get no CPU for 20 to 300 ms, again and again', async () => {
    const batches = LIMIT.calls * 3;
    const workers = await begin(3, batches);
    const ending = new AbortController();
    const how = { shortestMs: 20, longestMs: 300, everyMs: 500 };
    const starving = workers.map(({ process }) => starve(process, how, ending.signal));
    try {
      await rig.drained(60_000);
    } finally {
      ending.abort();
    }
    for (const stops of await Promise.all(starving)) expect(stops).toBeGreaterThan(3);
    const one = simulator as SimulatorProcess;
    // fewer than 1,000 calls: one in 1,000 is none
    expect(await refusals(one)).toEqual([]);
    expect(await one.totals()).toMatchObject({ created: batches * PER_CALL, duplicates: 0 });
    expect(await rig.totals()).toMatchObject({ created: batches * PER_CALL, rejected: 0 });
  });

  it('is the smallest where replicas are configured differently, which each warns of once, until that replica ends', async () => {
    simulator = await startSimulatorProcess({ calls: 0, windowMs: LIMIT.windowMs });
    const batches = 40;
    await rig.start({
      env: {
        HUBSPOT_BASE_URL: simulator.url,
        RATE_LIMIT_WINDOW_MS: String(LIMIT.windowMs),
        BATCH_MAX_INPUTS: String(PER_CALL),
        JOB_LOCK_MS: '5000',
      },
    });
    await rig.queue.pause();
    await rig.enqueue(goodPairs(batches * PER_CALL), 100);
    const wide = rig.startWorker({ RATE_LIMIT_CALLS: '1000' });
    const narrow = rig.startWorker({ RATE_LIMIT_CALLS: '20' });
    const warned = (one: CliProcess) => one.output().split('replicas are configured differently').length - 1;
    for (const worker of [wide, narrow]) {
      await eventually(() => expect(worker.output()).toContain('"event":"started"'));
      await eventually(() => expect(warned(worker)).toBe(1));
      expect(worker.output()).toMatch(/RATE_LIMIT_CALLS is (1000 \(.*\), 20 \(|20 \(.*\), 1000 \()/);
    }
    await rig.queue.resume();
    await rig.drained(60_000);
    const calls = await simulator.calls();
    const times = calls.map(({ at }) => at).sort((a, b) => a - b);
    const inWindow = times.map(
      start => times.filter(at => at >= start && at < start + LIMIT.windowMs).length,
    );
    expect(Math.max(...inWindow)).toBeLessThanOrEqual(20);
    for (const worker of [wide, narrow]) expect(warned(worker)).toBe(1);

    await narrow.end('SIGTERM');
    await eventually(() => expect(wide.output()).toContain('the same limits again'), 20_000);
  });
});
