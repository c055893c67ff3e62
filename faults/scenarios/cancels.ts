/** Somebody takes back one of several requests that share the queue. */

import { CLI } from '../../bench/support/paths.js';
import { start } from '../../bench/support/processes.js';
import { sleep } from '../../src/shared/runtime/wait.js';
import { RequestReader } from '../../src/shared/state/requests.js';
import { enqueueRequests, type SampleRequest } from '../../test/support/requests.js';
import { type Check, grouped, seconds } from '../support/check.js';
import { type FaultRig, goodPairs, happens } from '../support/rig.js';
import type { Scenario } from '../support/scenario.js';

const idOf = (letter: string) => `${letter.repeat(8)}-1111-4111-8111-111111111111`;
const [A, B, C] = [idOf('a'), idOf('b'), idOf('c')];
const requestsOf = (...sizes: number[]): SampleRequest[] =>
  [A, B, C].map((id, at) => ({
    id,
    associations: sizes[at] ?? 0,
    pairs: (from, to) => goodPairs(to - from, 100_000_001 + at * 100_000_000 + from),
  }));

async function recordOf(rig: FaultRig, id: string) {
  const record = await new RequestReader(rig.redis, rig.keys).record(id);
  if (!record) throw new Error(`no record of ${id}`);
  const { accepted, created, rejected, cancelled, doneAt } = record;
  return { accepted, created, rejected, cancelled, doneAt, left: accepted - created - rejected - cancelled };
}
const othersCreated = async (rig: FaultRig) =>
  (await recordOf(rig, A)).created + (await recordOf(rig, C)).created;
/** @returns the process, at once */
const canceller = (rig: FaultRig, id: string) => start([CLI, 'requests', 'cancel', id], rig.env, /(?:)/);
/** Resolves when it has printed its result. */
async function cancel(rig: FaultRig, id: string): Promise<void> {
  const { said } = await canceller(rig, id);
  if (!(await happens(() => /cancelled \d+, already decided \d+/.test(said()), 60_000)))
    throw new Error(`requests cancel has no result: ${said()}`);
}

/** Each association of the requests has one count, and HubSpot has what counts as created. */
async function ledger(rig: FaultRig, check: Check, atLeastAtHubSpot: boolean): Promise<void> {
  const records = await Promise.all([A, B, C].map(id => recordOf(rig, id)));
  const sum = (name: 'accepted' | 'created' | 'cancelled' | 'left') =>
    records.reduce((total, record) => total + record[name], 0);
  const whole = records.every(({ left }) => left === 0);
  check.must(
    'accepted = created + cancelled, of each request',
    `${grouped(sum('accepted'))} = ${grouped(sum('created'))} + ${grouped(sum('cancelled'))}`,
    whole && sum('accepted') === sum('created') + sum('cancelled'),
  );
  const totals = [await rig.counter('created'), await rig.counter('cancelled')];
  const areAlike = totals[0] === sum('created') && totals[1] === sum('cancelled');
  check.must('created and cancelled in the totals', totals.map(grouped).join(' + '), areAlike);
  const { created } = await rig.simulator.totals();
  const fits = atLeastAtHubSpot ? created >= sum('created') : created === sum('created');
  check.must('created at HubSpot', created, fits);
}

/** @returns the longest command since the last call, milliseconds */
async function longestCommand(rig: FaultRig): Promise<number> {
  const log = (await rig.redis.call('SLOWLOG', 'GET', '10000')) as [number, number, number, string[]][];
  await rig.redis.call('SLOWLOG', 'RESET');
  return Math.max(0, ...log.map(([, , micros]) => micros)) / 1_000;
}

const BEFORE_MS = 6_000;

export const cancelUnderLoad: Scenario = {
  name: 'cancel',
  fault: 'A request of 1 M associations is cancelled while 5 M are queued',
  how: 'three interleaved requests of 2 M, 1 M and 2 M in jobs of 500, two workers at 40,000/s; the middle one is cancelled, then the others',
  must: 'it ends within seconds; the others go on at 0.9 of their rate or more; Redis’ longest command takes at most 20 ms; all counts agree',
  tests: ['test/integration/cancel.test.ts', 'test/properties/cancel-sweep.test.ts'],
  seconds: 120,
  rig: { limit: { calls: 20, windowMs: 1_000 }, latencyMs: 100 },
  async run(rig, check) {
    await enqueueRequests(rig, requestsOf(2_000_000, 1_000_000, 2_000_000), 500);
    await Promise.all([rig.startWorker(), rig.startWorker()]);
    await happens(async () => (await othersCreated(rig)) >= 100_000, 60_000);
    await rig.redis.config('SET', 'slowlog-log-slower-than', '1000');
    await rig.redis.config('SET', 'slowlog-max-len', '10000');
    const [createdBefore, since] = [await othersCreated(rig), performance.now()];
    await sleep(BEFORE_MS);
    const createdAtStart = await othersCreated(rig);
    const before = (createdAtStart - createdBefore) / ((performance.now() - since) / 1_000);
    const usual = await longestCommand(rig);

    const started = performance.now();
    const command = cancel(rig, B);
    await happens(async () => (await recordOf(rig, B)).doneAt !== undefined, 60_000);
    const took = performance.now() - started;
    // a second more, because a rate over a moment says little
    await sleep(Math.max(0, 3_000 - took));
    const during = ((await othersCreated(rig)) - createdAtStart) / ((performance.now() - started) / 1_000);
    await command;
    const longest = await longestCommand(rig);
    const { cancelled } = await recordOf(rig, B);
    check.must('cancelled', cancelled, cancelled > 500_000);
    check.must('ended after', seconds(took), took <= 10_000);
    const rates = `${grouped(during)}/s, before ${grouped(before)}/s`;
    check.must('the others meanwhile', rates, during >= 0.9 * before);
    check.must(
      'Redis’ longest command',
      `${longest.toFixed(1)} ms, before ${usual.toFixed(1)} ms`,
      longest <= 20,
    );
    const again = performance.now();
    await Promise.all([cancel(rig, A), cancel(rig, C)]);
    const tookBoth = performance.now() - again;
    const both = (await recordOf(rig, A)).cancelled + (await recordOf(rig, C)).cancelled;
    check.must('of the others cancelled', `${grouped(both)} after ${seconds(tookBoth)}`, tookBoth <= 20_000);
    const longestOfBoth = await longestCommand(rig);
    check.must('Redis’ longest command then', `${longestOfBoth.toFixed(1)} ms`, longestOfBoth <= 20);
    await rig.drains(check);
    await ledger(rig, check, false);
  },
};

export const cancelKilled: Scenario = {
  name: 'cancel-killed',
  fault: 'A cancel is killed (kill -9), and so is a worker',
  how: 'three interleaved requests of 200,000; the canceller is killed as soon as the request is marked, a worker at the same time; nobody calls again',
  must: 'a worker finishes the cancel; the other requests are whole; each association has one count',
  tests: ['test/integration/cancel.test.ts'],
  seconds: 60,
  rig: { latencyMs: 100, env: { BATCH_MAX_INPUTS: '500', MAX_CONCURRENT_CALLS: '4', JOB_LOCK_MS: '2000' } },
  async run(rig, check) {
    await enqueueRequests(rig, requestsOf(200_000, 200_000, 200_000), 500);
    const [victim] = await Promise.all([rig.startWorker(), rig.startWorker()]);
    await happens(async () => (await othersCreated(rig)) >= 20_000, 60_000);
    const { child } = await canceller(rig, B);
    await happens(async () => (await rig.redis.zcard(rig.keys.requestsCancelling)) > 0, 20_000);
    victim?.child.kill('SIGKILL');
    child.kill('SIGKILL');
    const since = performance.now();
    const isDone = await happens(async () => (await recordOf(rig, B)).doneAt !== undefined, 60_000);
    check.must('a worker has finished it', `after ${seconds(performance.now() - since)}`, isDone);
    await rig.drains(check);
    const [one, other] = [await recordOf(rig, A), await recordOf(rig, C)];
    check.must('created of the others', one.created + other.created, one.created + other.created === 400_000);
    await ledger(rig, check, true);
  },
};
