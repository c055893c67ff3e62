/** When a replica is not ready, and when only a restart helps. The clock is the test's. */
import { beforeEach, expect, test } from '@jest/globals';
import { createLogger } from '../../../../src/shared/runtime/logger.js';
import type { Fetching } from '../../../../src/worker/jobs/intake.js';
import { Health } from '../../../../src/worker/report/health.js';

let now: number;
let fetching: Fetching;
/** whether Redis answers a new connection */
let answers: boolean;
let health: Health;
beforeEach(() => {
  now = 0;
  fetching = { ms: 0, error: undefined };
  answers = true;
  health = new Health({
    state: () => ({ isRunning: true, fetching }),
    ...{ livenessMs: 300_000, now: () => now },
    answersAfresh: async () => answers,
    logger: createLogger('silent', 'test'),
  });
});

/** @returns reasons to restart after so many looks */
async function after(looks: number): Promise<string[]> {
  for (let at = 0; at < looks; at += 1) await health.look();
  return health.notAlive;
}

test('a replica that beats and fetches is ready and alive', () => {
  now = 9_999;
  expect([health.notReady, health.notAlive]).toEqual([[], []]);
});

test('a late heartbeat, a refused fetch and a wait without end make it not ready', () => {
  now = 12_000;
  expect(health.notReady).toEqual(['no heartbeat was written for 12 s']);
  health.beat();
  fetching = { ms: 3_000, error: 'MOVED 14611' };
  expect(health.notReady).toEqual(['no job can be fetched: MOVED 14611']);
  fetching = { ms: 30_000, error: undefined };
  expect(health.notReady).toEqual(['the wait for jobs has not ended for 30 s']);
  fetching = { ms: 9_000, error: undefined };
  expect(health.notReady).toEqual([]);
});

test('it is stuck if it makes no progress for LIVENESS_SECONDS although Redis answers a new connection, until it goes on', async () => {
  now = 299_000;
  fetching = { ms: 299_000, error: undefined };
  expect(await after(3)).toEqual([]);
  health.beat();
  now = 301_000;
  fetching = { ms: 301_000, error: undefined }; // it beats, and its wait for jobs never ends
  expect(await after(1)).toEqual([]);
  const stuck = ['no progress for 5 min, although Redis answers a new connection'];
  expect(await after(1)).toEqual(stuck);
  expect(await after(1)).toEqual(stuck);
  fetching = { ms: 0, error: undefined };
  expect(await after(1)).toEqual([]);
});

test('an outage of Redis restarts nobody, nor does its end', async () => {
  answers = false;
  now = 3_600_000;
  expect(await after(5)).toEqual([]);
  answers = true;
  expect(await after(1)).toEqual([]);
  health.beat();
  expect(await after(2)).toEqual([]);
});
