/** Processes die, freeze or get no CPU. */
import { type ChildProcess, spawn } from 'node:child_process';
import { atEnd } from '../../bench/support/cleanup.js';
import { sleep } from '../../src/shared/runtime/wait.js';
import { starve } from '../../test/support/starvation.js';
import { seconds } from '../support/check.js';
import { badPairs, type FaultRig, goodPairs, happens } from '../support/rig.js';
import type { Scenario } from '../support/scenario.js';

const mixed = (good: number, bad: number) => {
  const pairs = goodPairs(good);
  for (const [at, pair] of badPairs(bad, 4).entries())
    pairs.splice(Math.floor((at + 0.5) * (good / bad)), 0, pair);
  return pairs;
};
const createdAtLeast = (rig: FaultRig, count: number) =>
  happens(async () => (await rig.simulator.totals()).created >= count, 60_000);

export const workersKilled: Scenario = {
  name: 'workers-killed',
  fault: 'A worker is killed (kill -9) under load, again and again',
  how: 'three workers on 400,000 associations with 100 bad ones; ten times one is killed and a new one is started',
  must: 'accepted = created + rejected, exactly',
  tests: ['test/chaos/worker-chaos.test.ts'],
  seconds: 60,
  rig: { latencyMs: 100, env: { BATCH_MAX_INPUTS: '500', MAX_CONCURRENT_CALLS: '4', JOB_LOCK_MS: '2000' } },
  async run(rig, check) {
    const pairs = mixed(400_000, 100);
    await rig.enqueue(pairs);
    const workers = await Promise.all([rig.startWorker(), rig.startWorker(), rig.startWorker()]);
    for (let round = 0; round < 10; round++) {
      await createdAtLeast(rig, 20_000 * (round + 1));
      workers.shift()?.child.kill('SIGKILL');
      workers.push(await rig.startWorker());
    }
    await rig.drains(check);
    const { repeats } = await rig.simulator.totals();
    check.must('sent again, harmlessly', repeats, true);
    await rig.ledger(check);
  },
};

export const workerFrozen: Scenario = {
  name: 'worker-frozen',
  fault: 'A worker is frozen (SIGSTOP) for longer than its locks last, and then resumes',
  how: 'one of two workers is stopped for 8 s with JOB_LOCK_MS=2000; 300,000 associations, 60 bad ones',
  must: 'the other worker takes over its jobs; when the frozen worker resumes, nothing is counted twice',
  tests: [],
  seconds: 40,
  rig: { latencyMs: 200, env: { BATCH_MAX_INPUTS: '500', MAX_CONCURRENT_CALLS: '4', JOB_LOCK_MS: '2000' } },
  async run(rig, check) {
    await rig.enqueue(mixed(300_000, 60));
    const [frozen] = await Promise.all([rig.startWorker(), rig.startWorker()]);
    await createdAtLeast(rig, 30_000);
    frozen?.child.kill('SIGSTOP');
    await sleep(8_000);
    frozen?.child.kill('SIGCONT');
    await rig.drains(check);
    await rig.ledger(check);
  },
};

const STOPS = { shortestMs: 20, longestMs: 300, everyMs: 1_000 };
export const starved: Scenario = {
  name: 'starved-cpu',
  fault: 'Workers get no CPU for short times',
  how: 'four workers are stopped for 20 to 300 ms at random, two busy loops beside them; 30 calls per 3 s for 60 s',
  must: 'HubSpot refuses at most 1 call in 1,000 (429); nothing is lost',
  tests: ['test/chaos/limit.test.ts', 'test/properties/quota-lateness.test.ts'],
  seconds: 80,
  rig: { limit: { calls: 30, windowMs: 3_000 }, env: { BATCH_MAX_INPUTS: '50' } },
  async run(rig, check) {
    const pairs = goodPairs(25_000);
    await rig.enqueue(pairs, 50);
    const workers = await Promise.all(Array.from({ length: 4 }, () => rig.startWorker()));
    const ending = new AbortController();
    const loops = [busyLoop(), busyLoop()];
    const stopping = workers.map(({ child }) => starve(child, STOPS, ending.signal));
    const until = performance.now() + 60_000;
    await happens(async () => performance.now() > until || (await rig.openJobs()) === 0, 61_000);
    ending.abort();
    await Promise.all(stopping);
    for (const loop of loops) loop.kill('SIGKILL');
    const { calls, byStatus } = await rig.simulator.totals();
    const refused = byStatus['429'] ?? 0;
    check.must('calls', calls, calls > 400);
    check.must('refused (429)', refused, refused <= Math.max(1, calls / 1_000));
    await rig.drains(check);
    await rig.ledger(check);
  },
};

function busyLoop(): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  atEnd(() => void child.kill('SIGKILL'));
  return child;
}

export const terminated: Scenario = {
  name: 'worker-terminated',
  fault: 'A worker gets SIGTERM while it has work',
  how: 'calls take 1 s; SHUTDOWN_TIMEOUT_MS=3000; 100,000 associations',
  must: 'it ends in time and puts all jobs back at once; no attempt is spent',
  tests: ['test/chaos/worker-chaos.test.ts'],
  seconds: 25,
  rig: {
    latencyMs: 1_000,
    env: { BATCH_MAX_INPUTS: '500', JOB_LOCK_MS: '60000', SHUTDOWN_TIMEOUT_MS: '3000' },
  },
  async run(rig, check) {
    await rig.enqueue(goodPairs(100_000));
    const worker = await rig.startWorker();
    await createdAtLeast(rig, 10_000);
    const since = performance.now();
    await worker.stop();
    const took = performance.now() - since;
    check.must('ended after', seconds(took), took < 4_000);
    check.must(
      'jobs still locked',
      await rig.queue.getActiveCount(),
      (await rig.queue.getActiveCount()) === 0,
    );
    await rig.simulator.set({ latencyMs: 10 });
    await rig.startWorker();
    await rig.drains(check);
    await rig.ledger(check);
  },
};
