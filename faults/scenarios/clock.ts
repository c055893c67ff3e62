/** Clocks are wrong. libfaketime gives one process another time of day; its monotonic clock stays right. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fromRoot } from '../../bench/support/paths.js';
import type { Check } from '../support/check.js';
import { badPairs, goodPairs } from '../support/rig.js';
import type { Scenario } from '../support/scenario.js';

const LIBRARIES = ['x86_64', 'aarch64'].map(
  machine => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`,
);

/** @returns the library; undefined if it is missing and may not be installed */
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
  must: 'they share one limit (no 429), and no association is rejected or counted wrongly',
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
