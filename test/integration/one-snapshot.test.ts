/**
 * Every surface that shows the state of the queue shows the same figures: stats --json, the dashboard's state, /metrics of
 * worker, gateway and dashboard, the gateway's backlog, the minute's sample and the webhook's script. The processes are
 * real; the queue is paused, so that nothing moves between two readings.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import type { Stats } from '../../src/dashboard/overview/stats.js';
import { JOB_NAME } from '../../src/shared/contract/keys.js';
import { loadScript } from '../../src/shared/runtime/script.js';
import { dayIn } from '../../src/shared/state/day.js';
import { queuedKeys } from '../../src/shared/state/queue-state.js';
import { createSampler } from '../../src/shared/state/sampler.js';
import type { DashboardProcess } from '../support/dashboard.js';
import { eventually } from '../support/eventually.js';
import type { GatewayProcess } from '../support/gateway.js';
import { seriesOf } from '../support/monitoring.js';
import { useRig } from '../support/rig.js';
import { contactsToCompanies, goodPairs, inputOf } from '../support/samples.js';

const rig = useRig(import.meta.url, afterAll);
/** Waiting 10 + 20, prioritized 30 + 30 + 30, delayed 40. */
const BACKLOG = 160;
const WINDOW = { limit: 77, windowMs: 600_000 };
/** When the oldest waiting job was enqueued, epoch ms: the last of all priorities. */
const OLDEST_AT = Date.now() - 60_000;

let gateway: GatewayProcess;
let dashboard: DashboardProcess;

beforeAll(async () => {
  await rig.start();
  await rig.queue.pause();
  rig.startWorker({
    METRICS_PORT: '19474',
    RATE_LIMIT_CALLS: String(WINDOW.limit),
    RATE_LIMIT_WINDOW_MS: String(WINDOW.windowMs),
  });
  // another configuration than the workers': every command shows the workers' limits
  gateway = await rig.startGateway({ MAX_QUEUED_ASSOCIATIONS: String(BACKLOG), RATE_LIMIT_CALLS: '3' });
  dashboard = await rig.startDashboard();
  await eventually(async () =>
    expect(await rig.redis.hget(rig.keys.capacity, 'limit')).toBe(String(WINDOW.limit)),
  );
  await writeQueue(); // a worker that starts looks at every hold anew
});

/** A paused queue on which the surfaces used to disagree: priorities, old completed jobs, a hold between two probes. */
async function writeQueue(): Promise<void> {
  const { queue, keys } = rig;
  const now = Date.now();
  const add = (pairs: number, ageMs: number, options = {}) =>
    queue.add(
      JOB_NAME,
      { ...contactsToCompanies, pairs: goodPairs(pairs) },
      { timestamp: now - ageMs, ...options },
    );
  await add(10, 5_000);
  await add(20, 1_000);
  await add(30, 2_000, { priority: 1 });
  await add(30, 9_000, { priority: 5 });
  await add(30, now - OLDEST_AT, { priority: 70 });
  await add(40, 600_000, { delay: 900_000 });
  await rig.redis.zadd(bullmqKeys(keys).completed, now, 'a', now, 'b');
  await rig.redis.hset(keys.counters, {
    ...{ created: 4_000, rejected: 0, retried: 3, discarded: 2, jobsCompleted: 1_234 },
    ...{ calls: 9, callsRateLimited: 1, callsFailed: 2, batches: 6, inputs: 4_004 },
  });
  await rig.redis.zadd(keys.window, now - 1_000, 'sent', now - 2_000, 'sent too', now + 3_600_000, 'to come');
  await rig.redis.hset(keys.daily, { [dayIn('UTC', now).day]: 12_034 });
  // the pause is over, and the probe has not been sent
  await rig.redis.hset(keys.hold, {
    until: now - 1,
    since: now - 90_000,
    kind: 'auth',
    reason: '401',
    strikes: 2,
  });
  await rig.redis.hset(keys.heldPairs, {
    'contacts/companies HUBSPOT_DEFINED:279': JSON.stringify({
      until: now + 3_600_000,
      reason: '403',
      strikes: 1,
    }),
    'contacts/deals HUBSPOT_DEFINED:4': JSON.stringify({ until: now - 1, reason: '403', strikes: 1 }),
    'contacts/tickets HUBSPOT_DEFINED:16': '{',
  });
}

/** The figures that the surfaces have in common. */
type Shown = {
  jobs: Stats['jobs'];
  associations: Stats['associations'];
  calls: Stats['calls'];
  batches: number;
  limit: number;
  windowMs: number;
  usedInWindow: number;
  usedToday: number;
  held: boolean;
  heldPairs: number;
};

const shownBy = ({ jobs, associations, calls, batches, quota, heldPairs }: Stats): Shown => ({
  ...{ jobs, associations, calls, batches: batches.sent },
  ...{ limit: quota.limit, windowMs: quota.windowMs },
  ...{ usedInWindow: quota.usedInWindow, usedToday: quota.usedToday },
  held: quota.holdReason !== null,
  heldPairs: heldPairs.length,
});

/** `stats --json`, as an operator calls it. */
async function stats(): Promise<Stats> {
  const run = promisify(execFile)(process.execPath, ['dist/cli.js', 'stats', '--json'], {
    env: { PATH: process.env.PATH, ...rig.place },
  });
  return JSON.parse((await run).stdout) as Stats;
}

type Scrape = {
  shown: Shown;
  oldestWaitingSeconds: number;
  backlog: number;
  workers: number;
  paused: number;
  discarded: number;
};
/** What /metrics of a process says. */
async function scrape(url: string): Promise<Scrape> {
  const series = seriesOf(await (await fetch(`${url}/metrics`)).text());
  const of = (name: string, label = ''): number => {
    const line = series.get(`association_${name}`)?.find(text => text.includes(label));
    return Number(line?.split(' ').at(-1));
  };
  const jobs = ['waiting', 'active', 'delayed', 'failed', 'completed'].map(state => [
    state,
    of('queue_jobs', `"${state}"`),
  ]);
  const results = ['accepted', 'rate_limited', 'failed'].map(result =>
    of('queue_calls_total', `"${result}"`),
  );
  return {
    shown: {
      jobs: Object.fromEntries(jobs) as Stats['jobs'],
      associations: {
        created: of('queue_outcomes', '"created"'),
        rejected: of('queue_outcomes', '"rejected"'),
        cancelled: of('queue_outcomes', '"cancelled"'),
        retried: of('queue_outcomes', '"retry"'),
      },
      calls: {
        total: results.reduce((sum, calls) => sum + calls),
        rateLimited: results[1] ?? 0,
        failed: results[2] ?? 0,
      },
      batches: of('queue_batches_total'),
      limit: of('quota_window_limit_calls'),
      windowMs: of('quota_window_seconds') * 1_000,
      usedInWindow: of('quota_window_used_calls'),
      usedToday: of('quota_day_used_calls'),
      held: of('held', '"auth"') === 1,
      heldPairs: of('held_object_pairs'),
    },
    oldestWaitingSeconds: of('queue_oldest_waiting_seconds'),
    backlog: of('queue_backlog_associations'),
    workers: of('queue_workers'),
    paused: of('queue_paused'),
    discarded: of('queue_outcomes', '"discarded"'),
  };
}

/** Reads something, and expects that the ages in it are those of the oldest job at some moment of the reading. */
async function withAges<T>(read: () => Promise<T>, agesOf: (read: T) => (number | null)[]): Promise<T> {
  const age = () => Math.round((Date.now() - OLDEST_AT) / 1_000);
  const before = age() - 1; // the dashboard's reading may be 0.9 s old
  const result = await read();
  const after = age();
  for (const seconds of agesOf(result)) {
    expect(seconds).toBeGreaterThanOrEqual(before);
    expect(seconds).toBeLessThanOrEqual(after);
  }
  return result;
}

test('stats --json, the dashboard and the metrics of every process show the same figures at the same moment', async () => {
  await eventually(async () => {
    const [printed, page, ...scrapes] = await withAges(
      () =>
        Promise.all([
          stats(),
          dashboard.state(),
          ...['http://127.0.0.1:19474', gateway.url, dashboard.url].map(scrape),
        ]),
      ([printed, { figures }, ...scrapes]) =>
        [printed, figures.stats, figures.state, ...scrapes].map(each => each.oldestWaitingSeconds),
    );
    const shown = shownBy(printed);
    expect(shown).toMatchObject({
      jobs: { waiting: 5, active: 0, delayed: 1, failed: 0, completed: 1_234 },
      ...{ ...WINDOW, usedInWindow: 2, usedToday: 12_034, held: true, heldPairs: 1 },
    });
    expect(shownBy(page.figures.stats)).toEqual(shown);
    const around = { backlog: BACKLOG, workers: 1, paused: 1, discarded: 2 };
    for (const { oldestWaitingSeconds: _, ...scraped } of scrapes)
      expect(scraped).toEqual({ shown, ...around });
    const { state, discarded, heldPairs } = page.figures;
    expect(state).toMatchObject({
      ...{ backlog: BACKLOG, paused: { by: null }, workers: 1 },
      ...{ jobs: shown.jobs, hold: { kind: 'auth', reason: '401' }, heldPairs: { count: 1 } },
    });
    expect({ discarded, heldPairs: heldPairs.length }).toEqual({ discarded: 2, heldPairs: 1 });
    expect(page.workers.alive.length).toBe(1);
  });
});

test('the gateway refuses at the backlog that the metrics show', async () => {
  const refused = await gateway.post([inputOf(1, 2)]);
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
});

test("the minute's sample has the backlog and the age that stats shows", async () => {
  const read = async () => {
    const minute = Math.floor(Number((await rig.redis.time())[0]) / 60);
    await rig.redis.del(rig.keys.minutes + minute); // the worker may have written it
    await createSampler(rig.redis, rig.keys)();
    return rig.redis.hmget(rig.keys.minutes + minute, 'backlog', 'oldest');
  };
  await eventually(async () => {
    const [backlog] = await withAges(read, ([, oldest]) => [Number(oldest)]);
    expect(Number(backlog)).toBe(BACKLOG);
  });
});

test('the webhook takes the account for held when stats does', async () => {
  const { alerts, alertSamples, hold, counters, workers, requests, requestsToAnnounce } = rig.keys;
  const take = loadScript(new URL('../../src/shared/webhooks/take.lua', import.meta.url));
  const keys = [
    ...[alerts, alertSamples, hold, counters, bullmqKeys(rig.keys).meta, workers],
    ...[requests, requestsToAnnounce, ...queuedKeys(rig.keys)],
  ];
  const args = ['me', 60_000, 10_000, 0, -1];
  const told = async () => JSON.parse(String((await take(rig.redis, keys, args)) || 'null')) as unknown;
  const { quota } = await stats();
  expect(await told()).toMatchObject({ kind: 'held', hold: 'auth', reason: quota.holdReason });
  await rig.redis.del(alerts);
  await rig.redis.hset(hold, { until: 0, strikes: 0 });
  expect((await stats()).quota).toMatchObject({ heldUntil: null, holdReason: null });
  expect(await told()).toBeNull();
});
