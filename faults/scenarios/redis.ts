/** Redis dies, loses its data, is full, slow or half-open. */
import { spawnSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HalfOpenProxy } from '../../test/support/half-open-proxy.js';
import { grouped, seconds } from '../support/check.js';
import { badPairs, type FaultRig, goodPairs, happens } from '../support/rig.js';
import type { Scenario } from '../support/scenario.js';

const createdAtLeast = (rig: FaultRig, count: number) =>
  happens(async () => (await rig.simulator.totals()).created >= count, 60_000);

export const redisKilled: Scenario = {
  name: 'redis-killed',
  fault: 'Redis is killed (kill -9) under load and starts again with its append-only file',
  how: 'three times, two workers, 300,000 associations and 60 bad ones',
  must: 'nothing is lost or counted twice; the workers continue by themselves',
  tests: ['test/chaos/worker-chaos.test.ts'],
  seconds: 45,
  rig: { latencyMs: 50, env: { BATCH_MAX_INPUTS: '500', MAX_CONCURRENT_CALLS: '4' } },
  async run(rig, check) {
    await rig.enqueue([...goodPairs(150_000), ...badPairs(60, 4), ...goodPairs(150_000, 110_000_001)]);
    await Promise.all([rig.startWorker(), rig.startWorker()]);
    for (let round = 1; round <= 3; round++) {
      await createdAtLeast(rig, 60_000 * round);
      await rig.server.kill();
      await rig.server.startAgain();
    }
    await rig.drains(check);
    await rig.ledger(check);
  },
};

export const redisEmptied: Scenario = {
  name: 'redis-emptied',
  fault: 'Redis loses everything (FLUSHALL) under load',
  how: 'once with 100,000 associations queued; then 50,000 others are enqueued',
  must: 'workers stay alive and handle what is enqueued afterwards; they invent nothing of what Redis lost',
  tests: [],
  seconds: 30,
  rig: { latencyMs: 50, env: { BATCH_MAX_INPUTS: '500' } },
  async run(rig, check) {
    await rig.enqueue(goodPairs(100_000));
    const worker = await rig.startWorker();
    await createdAtLeast(rig, 20_000);
    await rig.redis.flushall();
    const later = goodPairs(50_000, 200_000_001);
    await rig.enqueue(later);
    const done = await happens(async () => (await rig.counter('created')) >= later.length, 60_000);
    check.must('enqueued afterwards and created', await rig.counter('created'), done);
    check.must(
      'the worker lives',
      worker.child.exitCode === null ? 'yes' : 'no',
      worker.child.exitCode === null,
    );
  },
};

export const redisFull: Scenario = {
  name: 'redis-full',
  fault: 'Redis is full (maxmemory, noeviction) with a backlog',
  how: '400,000 associations queued, maxmemory set below the used memory; a producer keeps trying',
  must: 'the worker drains the backlog while Redis is full; producers are refused; nothing is sent twice',
  tests: ['test/chaos/redis-trouble.test.ts'],
  seconds: 50,
  rig: { latencyMs: 20 },
  async run(rig, check) {
    await rig.enqueue([...goodPairs(400_000), ...badPairs(20)], 100);
    const used = Number(/used_memory:(\d+)/.exec(await rig.redis.info('memory'))?.[1]);
    await rig.redis.config('SET', 'maxmemory', String(Math.floor(used * 0.9)));
    const refused = await rig.queue.add('associate', {}).then(
      () => 'taken',
      error => String(error.message).slice(0, 40),
    );
    check.must('a producer hears', refused, /OOM/.test(refused));
    await rig.startWorker({}, /"event":"(started|redis)"/);
    const halved = await happens(async () => (await rig.counter('created')) > 200_000, 60_000);
    check.must(
      'created while Redis is over its limit, and as memory comes free',
      await rig.counter('created'),
      halved,
    );
    await rig.redis.config('SET', 'maxmemory', '0');
    await rig.drains(check);
    const { repeats } = await rig.simulator.totals();
    check.must('sent twice', repeats, repeats === 0);
    await rig.ledger(check);
  },
};

export const startRefused: Scenario = {
  name: 'start-refused',
  fault: 'Redis is unreachable, or refuses writes (NOREPLICAS), while a worker starts',
  how: 'min-replicas-to-write 1 before the start, fixed later; then Redis is killed before the start of a second worker',
  must: 'the worker waits for Redis and then works',
  tests: ['test/chaos/redis-start.test.ts'],
  seconds: 40,
  async run(rig, check) {
    await rig.enqueue(goodPairs(20_000));
    await rig.redis.config('SET', 'min-replicas-to-write', '1');
    const first = await rig.startWorker({}, /NOREPLICAS/);
    const lives = !(await happens(() => first.child.exitCode !== null, 4_000));
    check.must('lives while writes are refused', lives ? 'yes' : 'no', lives);
    await rig.redis.config('SET', 'min-replicas-to-write', '0');
    await rig.drains(check, 60_000);
    await rig.server.kill();
    const second = await rig.startWorker({}, /"event":"redis"/);
    const waits = !(await happens(() => second.child.exitCode !== null, 3_000));
    check.must('lives while Redis is away', waits ? 'yes' : 'no', waits);
    await rig.server.startAgain();
    first.child.kill('SIGKILL');
    await rig.enqueue(goodPairs(20_000, 200_000_001));
    await rig.drains(check, 60_000);
    await rig.ledger(check);
  },
};

export const redisFrozen: Scenario = {
  name: 'redis-frozen',
  fault: 'Redis accepts connections and does not reply for 10 s',
  how: 'the server is stopped (SIGSTOP) under load and resumed later',
  must: 'nothing is lost; the rate of created associations is the same as before',
  tests: ['test/integration/producer-outage.test.ts'],
  seconds: 40,
  rig: { latencyMs: 50, env: { BATCH_MAX_INPUTS: '500', MAX_CONCURRENT_CALLS: '4' } },
  async run(rig, check) {
    await rig.enqueue([...goodPairs(200_000), ...badPairs(20)]);
    await rig.startWorker();
    await createdAtLeast(rig, 30_000);
    rig.server.pause();
    const until = performance.now() + 10_000;
    await happens(() => performance.now() > until, 11_000);
    rig.server.resume();
    await rig.drains(check);
    check.must('sent again, harmlessly', grouped((await rig.simulator.totals()).repeats), true);
    await rig.ledger(check);
  },
};

const RESERVE = 'reserve';

export const diskFull: Scenario = {
  name: 'disk-full',
  fault: 'The disk of Redis’ append-only file is full: Redis refuses writes (MISCONF)',
  how: 'the file is on a disk of 24 MB in memory, which is filled up under load and gets space again later',
  must: 'the worker stays alive and makes no call whose outcome it could not write; then it continues; nothing is lost',
  tests: ['test/chaos/redis-trouble.test.ts'],
  seconds: 45,
  rig: { latencyMs: 50, env: { BATCH_MAX_INPUTS: '500', MAX_CONCURRENT_CALLS: '4' } },
  async run(rig, check) {
    const { directory } = rig.server;
    await rig.server.kill();
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', directory]).status !== 0) {
      await rig.server.startAgain();
      return check.must('a small disk', 'may not be mounted here: not tried', true);
    }
    try {
      await rig.server.startAgain();
      await rig.enqueue(goodPairs(150_000));
      const worker = await rig.startWorker();
      await createdAtLeast(rig, 20_000);
      fill(path.join(directory, RESERVE));
      const refuses = await happens(() => /MISCONF/.test(worker.said()), 15_000);
      check.must('the worker hears of it', refuses ? 'yes' : 'no', refuses);
      const { calls } = await rig.simulator.totals();
      const until = performance.now() + 5_000;
      await happens(() => performance.now() > until, 6_000);
      const more = (await rig.simulator.totals()).calls - calls;
      check.must('calls while nothing can be written', more, more <= 8);
      truncateSync(path.join(directory, RESERVE));
      await rig.drains(check);
      await rig.ledger(check);
    } finally {
      await rig.server.kill();
      spawnSync('umount', ['-l', directory]);
    }
  },
};

/** Takes all free space. */
function fill(file: string): void {
  const piece = Buffer.alloc(64 * 1_024);
  for (;;)
    try {
      writeFileSync(file, piece, { flag: 'a' });
    } catch {
      return;
    }
}

export const halfOpen: Scenario = {
  name: 'redis-half-open',
  fault: 'The connections to Redis are half-open: their bytes vanish, while new connections work',
  how: 'a proxy between one worker and Redis drops all bytes of its connections, twice under load',
  must: 'the worker notices within 15 s, reconnects and continues; /readyz says no meanwhile; nothing is lost',
  tests: ['test/chaos/half-open.test.ts'],
  seconds: 60,
  rig: { latencyMs: 50, env: { BATCH_MAX_INPUTS: '500', MAX_CONCURRENT_CALLS: '4' } },
  async run(rig, check) {
    const proxy = await HalfOpenProxy.start(rig.server.url);
    try {
      await rig.enqueue([...goodPairs(400_000), ...badPairs(20)], 100);
      const worker = await rig.startWorker({ REDIS_URL: proxy.url, METRICS_PORT: '19466' });
      const health = /"event":"metrics".*?"port":(\d+)/.exec(worker.said())?.[1];
      for (const round of [1, 2]) {
        await createdAtLeast(rig, 20_000 * round);
        proxy.swallow();
        const since = performance.now();
        const saysNo = await happens(() => isReady(health).then(ready => !ready), 15_000);
        check.must(
          `/readyz says no (${round})`,
          saysNo ? `after ${seconds(performance.now() - since)}` : 'never',
          saysNo,
        );
        const before = (await rig.simulator.totals()).created;
        const goesOn = await happens(
          async () => (await rig.simulator.totals()).created > before + 2_000,
          20_000,
        );
        const took = performance.now() - since;
        check.must(`goes on (${round})`, `after ${seconds(took)}`, goesOn && took <= 17_000);
      }
      await rig.drains(check);
      await rig.ledger(check);
    } finally {
      await proxy.stop();
    }
  },
};

const isReady = async (port: string | undefined): Promise<boolean> =>
  (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200;
