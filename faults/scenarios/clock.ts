/** Clocks are wrong. libfaketime gives one process another time of day; its monotonic clock stays right. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fromRoot } from '../../bench/support/paths.js';
import type { Check } from '../support/check.js';
import { badPairs, FaultRig, goodPairs, happens, type RigOptions } from '../support/rig.js';
import type { Scenario } from '../support/scenario.js';

const LIBRARIES = ['x86_64', 'aarch64'].map(
  machine => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`,
);

/** @returns the library; undefined where it is not there and may not be installed */
function faketime(): string | undefined {
  spawnSync(process.execPath, [fromRoot('scripts/install-debian.mjs'), 'faketime', 'faketime'], {
    stdio: 'ignore',
  });
  return LIBRARIES.find(file => existsSync(file));
}

const LIMIT = { calls: 20, windowMs: 2_000 };
const isHere = (check: Check, library: string | undefined): library is string => {
  if (!library) check.must('libfaketime', 'cannot be installed here: not tried', true);
  return library !== undefined;
};

export const workersClocks: Scenario = {
  name: 'clock-workers',
  fault: 'The clocks of two workers are wrong, by two days in either direction',
  how: 'libfaketime; 20 calls per 2 s, 60,000 associations and 20 bad ones',
  must: 'they share one limit (no 429), and nobody is rejected or counted wrongly',
  tests: [],
  seconds: 30,
  rig: { limit: LIMIT, env: { BATCH_MAX_INPUTS: '500' } },
  async run(rig, check) {
    const library = faketime();
    if (!isHere(check, library)) return;
    const wrong = (by: string) => ({ LD_PRELOAD: library, FAKETIME: by, FAKETIME_DONT_FAKE_MONOTONIC: '1' });
    await rig.enqueue([...goodPairs(60_000), ...badPairs(20)]);
    await Promise.all([rig.startWorker(wrong('+2d')), rig.startWorker(wrong('-2d'))]);
    await rig.drains(check);
    const { byStatus } = await rig.simulator.totals();
    check.must('refused (429)', byStatus['429'] ?? 0, (byStatus['429'] ?? 0) === 0);
    await rig.ledger(check);
  },
};

export const redisClock: Scenario = {
  name: 'clock-redis',
  fault: 'Redis’ clock is set back by an hour, then forward by two, under load',
  how: 'libfaketime; 20 calls per 2 s, 120,000 associations',
  must: 'calls go on within seconds; nothing is lost',
  tests: ['test/unit/worker-quota.test.ts'],
  seconds: 60,
  async run(_own, check) {
    const library = faketime();
    if (!isHere(check, library)) return;
    const directory = mkdtempSync(path.join(tmpdir(), 'association-queue-clock-'));
    const file = path.join(directory, 'offset');
    const set = (by: string) => writeFileSync(file, by);
    set('+0');
    const redisEnv = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
    const options: RigOptions = { limit: LIMIT, env: { BATCH_MAX_INPUTS: '500' }, redisEnv };
    const rig = await FaultRig.start(options);
    try {
      await rig.enqueue(goodPairs(120_000));
      await rig.startWorker();
      for (const by of ['-1h', '+1h']) {
        const before = (await rig.simulator.totals()).created;
        await happens(async () => (await rig.simulator.totals()).created > before + 10_000, 30_000);
        set(by);
        const then = (await rig.simulator.totals()).created;
        const goesOn = await happens(
          async () => (await rig.simulator.totals()).created > then + 10_000,
          30_000,
        );
        check.must(`calls go on after ${by}`, goesOn ? 'yes' : 'no', goesOn);
      }
      await rig.drains(check);
      await rig.ledger(check);
    } finally {
      await rig.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  },
};
