/** The dashboard as a process: its figures and its verbs; its doors are dashboard-doors.test.ts. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { stateSentence } from '../../src/dashboard/text/state-sentence.js';
import type { Match, RejectionDetail, SearchEnd } from '../../src/dashboard/view.js';
import type { Pair } from '../../src/shared/contract/association.js';
import { serverError } from '../../src/simulator/replies.js';
import { type DashboardProcess, OWN } from '../support/dashboard.js';
import { eventually } from '../support/eventually.js';
import { useRig } from '../support/rig.js';
import { contactsToCompanies, goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);

const missing = (count: number): Pair[] =>
  Array.from({ length: count }, (_, at): Pair => [String(100_000_001 + at), String(700_000_001 + at)]);
const ids = (pairs: readonly Pair[]): string[] => pairs.map(([from]) => from);

describe('the figures of the dashboard', () => {
  it('agree on the page, in stats --json, /metrics, the minutes and the simulator, after failures and a kill -9', async () => {
    const bad = missing(40);
    await rig.start({
      simulator: { latencyMs: 20, missing: ids(bad) },
      env: { MAX_CONCURRENT_CALLS: '4', BATCH_MAX_INPUTS: '500' },
    });
    rig.simulator.script(...[503, 503].map(status => ({ kind: 'status' as const, ...serverError(status) })));
    const good = goodPairs(30_000, 200_000_000);
    await rig.enqueue([...good.slice(0, 9_000), ...bad, ...good.slice(9_000)], 250);
    const victim = rig.startWorker();
    rig.startWorker();
    await eventually(async () => expect((await rig.totals()).created).toBeGreaterThan(2_000));
    await victim.end('SIGKILL');
    await rig.drained();

    const page = await rig.startDashboard();
    const { figures, rejections, minutes } = await page.state();
    const { stdout } = await promisify(execFile)(process.execPath, ['dist/cli.js', 'stats', '--json'], {
      env: { PATH: process.env.PATH, REDIS_URL: rig.redisUrl, QUEUE_PREFIX: rig.prefix },
    });
    const { redis, ...printed } = JSON.parse(stdout); // the page shows what is wrong with Redis, and not its kind
    expect(redis).toMatchObject({ engine: expect.any(String) });
    expect(figures.stats).toEqual({ ...printed, quota: expect.anything() });
    expect(figures.stats.associations).toMatchObject({ created: good.length, rejected: bad.length });
    expect(figures.state).toMatchObject({ backlog: 0, paused: null });
    expect(rejections).toMatchObject({ associations: bad.length, more: 0 });
    expect(rejections.groups).toHaveLength(1);

    const { ledger } = rig.simulator;
    expect(ledger.createdCount()).toBe(good.length);
    // Each call is counted after its answer, so of the killed worker's last calls only HubSpot knows: 4 in flight, 2 that
    // stood ready in the calling thread and took the places of 2 whose answers were not counted yet, and 1 whose permit
    // was in hand (the next permit comes over the connection that the counts have gone over before).
    const uncounted = ledger.calls.length - figures.stats.calls.total;
    expect(uncounted).toBeGreaterThanOrEqual(0);
    expect(uncounted).toBeLessThanOrEqual(4 + 2 + 1);

    const metrics = await (await page.get('/metrics')).text();
    const { created, rejected, retried } = figures.stats.associations;
    for (const [outcome, n] of Object.entries({ created, rejected, retry: retried }))
      expect(metrics).toContain(`association_queue_outcomes{outcome="${outcome}"} ${n}\n`);
    const results = [...metrics.matchAll(/^association_queue_calls_total\{result="\w+"\} (\d+)$/gm)];
    expect(results.reduce((sum, [, n]) => sum + Number(n), 0)).toBe(figures.stats.calls.total);

    const history = (await (await page.get('/api/history?range=hour')).json()) as Record<string, number[]>;
    const sum = (name: string) => (history[name] ?? []).reduce((total, n) => total + n, 0);
    expect([sum('created'), sum('rejected'), sum('calls')]).toEqual([
      good.length,
      bad.length,
      figures.stats.calls.total,
    ]);
    expect(sum('retried')).toBe(figures.stats.associations.retried);
    expect(history.at).toHaveLength(60);
    expect(minutes.at).toHaveLength(2);
  });

  it('tell which workers are alive, what they do, and which one vanished', async () => {
    await rig.start();
    const page = await rig.startDashboard();
    const [first, second] = [rig.startWorker(), rig.startWorker()];
    await eventually(async () => {
      const { workers } = await page.state();
      expect(workers.alive.map(({ pid }) => pid).sort()).toEqual(
        [first.process.pid, second.process.pid].sort(),
      );
      expect(workers.alive.map(({ state }) => state).sort()).toEqual(['idle', 'standby']);
      expect(workers.alive[0]).toMatchObject({ version: '0.1.0', maxInFlight: 10 });
      expect(workers.alive[0]?.rssBytes).toBeGreaterThan(1e7);
    });
    await second.end('SIGTERM');
    await eventually(async () =>
      expect((await page.state()).workers).toMatchObject({
        alive: [{ pid: first.process.pid }],
        vanished: [],
      }),
    );
    const [alive] = (await page.state()).workers.alive;
    await first.end('SIGKILL');
    await rig.redis.pexpire(rig.keys.worker + alive?.id, 1); // ten seconds later
    await eventually(async () =>
      expect((await page.state()).workers).toMatchObject({ alive: [], vanished: [{ id: alive?.id }] }),
    );
    await rig.enqueue(goodPairs(10), 10);
    await eventually(async () =>
      expect((await page.state()).figures.state).toMatchObject({ workers: 0, backlog: 10 }),
    );
  });

  it('tell since when and why the account is held', async () => {
    await rig.start({ simulator: { accessToken: 'another' } });
    const page = await rig.startDashboard();
    const before = Date.now();
    await rig.enqueue(goodPairs(10), 10);
    rig.startWorker();
    const { hold } = await eventually(async () => {
      const { state } = (await page.state()).figures;
      expect(state.hold).not.toBeNull();
      return state;
    });
    expect(hold).toMatchObject({ kind: 'auth', reason: expect.stringMatching(/^401 from HubSpot: /) });
    expect(hold?.since).toBeGreaterThanOrEqual(before - 1_000);
    // the hold grows with each probe, and goes on since it began
    await eventually(async () =>
      expect(Number(await rig.redis.hget(rig.keys.hold, 'strikes'))).toBeGreaterThan(2),
    );
    expect(Number(await rig.redis.hget(rig.keys.hold, 'since'))).toBe(hold?.since);
    rig.simulator.setOptions({ accessToken: '' });
    await rig.drained();
  });
});

it('the dashboard reports a full Redis although no worker can write its heartbeat, and indexes failed jobs later', async () => {
  await rig.start({ ownRedis: true });
  const { redis, keys } = rig;
  const page = await rig.startDashboard({ RATE_LIMIT_CALLS: '190' });
  await redis.hset(keys.capacity, { limit: 42, windowMs: 10_000, dailyLimit: 500, batchMaxInputs: 300 });
  const quiet = (await page.state()).figures;
  expect(quiet.state).toMatchObject({
    redis: { refusal: '', memory: null },
    perSecond: null,
    callsLeftToday: 500,
  });
  expect(quiet.limits).toMatchObject({ limit: 42, batchMaxInputs: 300 });
  expect(quiet.stats.quota).toMatchObject({ limit: 42, dailyLimit: 500 });
  // one that the index does not know: it cannot be written into it now
  await redis.hset(`${bullmqKeys(keys).jobs}1`, { data: '{}', finishedOn: 1, failedReason: 'not a job' });
  await redis.zadd(bullmqKeys(keys).failed, 1, '1');
  await redis.config('SET', 'maxmemory', '100000');
  await eventually(async () => {
    const { state } = (await page.state()).figures;
    expect(state.redis.memory?.maxBytes).toBe(100_000);
    expect(stateSentence(state, String).text).toMatch(/^Redis is full \(\d+ MB of 0 MB\)/);
  });
  await redis.config('SET', 'maxmemory', '0');
  await eventually(async () => {
    const { figures, rejections } = await page.state();
    expect(figures.state.redis.memory).toBeNull();
    expect(rejections.groups).toMatchObject([{ category: 'INVALID_JOB', jobs: 1 }]);
  });
});

describe('the rejections on the dashboard', () => {
  const bad = missing(12);
  const rejected = async (): Promise<DashboardProcess> => {
    await rig.start({ simulator: { missing: ids(bad) } });
    // three jobs with four of them each, and one with another error beside them
    await rig.enqueue([...bad.slice(0, 4), ...goodPairs(6, 300_000_000)], 10);
    await rig.enqueue(bad.slice(4, 8), 10);
    await rig.enqueue([...bad.slice(8), ['not-an-id', '5']], 10);
    rig.startWorker();
    await rig.drained();
    return rig.startDashboard();
  };
  const groupsOf = async (page: DashboardProcess) =>
    Object.fromEntries((await page.state()).rejections.groups.map(group => [group.category, group]));

  it('go back to the queue when their group is retried, and leave the list when they succeed', async () => {
    const page = await rejected();
    const { OBJECT_NOT_FOUND: group } = await groupsOf(page);
    expect(group).toMatchObject({
      associations: 12,
      jobs: 3,
      message: 'No contact with ID … exists',
      from: 'contacts',
      to: 'companies',
    });
    const detail = (await (await page.get(`/api/rejections/${group?.id}`)).json()) as RejectionDetail;
    expect(detail.group).toEqual(group);
    expect(detail.examples.map(({ pair }) => pair).sort()).toEqual(bad.slice(0, detail.examples.length));
    rig.simulator.setOptions({ missing: [] });
    const answer = await page.post('/api/rejections/retry', OWN, { groups: [group?.id] });
    expect(await answer.json()).toEqual({ jobs: 3, associations: 12, alongside: 1, gone: 0 });
    await rig.drained();
    await eventually(async () => expect(Object.keys(await groupsOf(page))).toEqual(['VALIDATION_ERROR']));
    expect((await page.state()).rejections.associations).toBe(1);
    expect(rig.simulator.ledger.createdCount()).toBe(18);
  });

  it('are exported and discarded by group, and other groups stay', async () => {
    const page = await rejected();
    const { OBJECT_NOT_FOUND: group } = await groupsOf(page);
    const exported = await page.get(`/api/rejections/export?groups=${group?.id}`);
    expect(exported.headers.get('content-disposition')).toMatch(
      /^attachment; filename="rejected-.*\.ndjson"$/,
    );
    const lines = (await exported.text())
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { from: string });
    expect(lines.map(({ from }) => from).sort()).toEqual(ids(bad));
    const answer = await page.post('/api/rejections/discard', OWN, { groups: [group?.id] });
    expect(await answer.json()).toEqual({ associations: 12, jobsRemoved: 2, jobsShrunk: 1, gone: 0 });
    await eventually(async () => expect(Object.keys(await groupsOf(page))).toEqual(['VALIDATION_ERROR']));
    const { figures } = await page.state();
    expect(figures).toMatchObject({ discarded: 12, stats: { associations: { rejected: 13 } } });
    expect(await rig.queue.getFailedCount()).toBe(1);
  });

  it('follow what other clients do to the jobs: retry, removal, failures before there was an index', async () => {
    const page = await rejected();
    const [a, b, c] = (await rig.queue.getFailed()).sort((x, y) => Number(x.id) - Number(y.id));
    rig.simulator.setOptions({ missing: [] });
    await a?.retry(); // its worker takes the rejections back
    await b?.remove();
    await rig.drained();
    await eventually(async () => expect((await page.state()).rejections.associations).toBe(5));
    await rig.redis.del(
      rig.keys.rejections,
      rig.keys.rejectedJobs,
      ...(await rig.redis.keys(`${rig.keys.rejection}*`)),
    );
    await rig.queue.add('other', { version: 9 });
    await rig.drained();
    await eventually(async () => {
      const groups = await groupsOf(page);
      expect(groups).toMatchObject({
        OBJECT_NOT_FOUND: { associations: 4, jobs: 1 },
        VALIDATION_ERROR: { associations: 1 },
        INVALID_JOB: { associations: 0, jobs: 1 },
      });
    });
    // and on the board, at once
    const board = await fetch(`${page.url}/queues/api/queues/hubspot-associations/${c?.id}/clean`, {
      method: 'PUT',
      headers: OWN,
    });
    expect(board.status).toBe(204);
    await eventually(async () => expect(Object.keys(await groupsOf(page))).toEqual(['INVALID_JOB']));
  });
});

describe('the search', () => {
  async function search(page: DashboardProcess, from: string, to: string) {
    const text = await (await page.get(`/api/search?from=${from}&to=${to}`)).text();
    const events = [...text.matchAll(/event: (\w+)\ndata: (.*)\n/g)].map(([, name, data]) => ({
      name,
      data: JSON.parse(data ?? '') as unknown,
    }));
    const end = events.find(({ name }) => name === 'end')?.data as SearchEnd;
    if (!end) throw new Error(`the search did not end: ${text}`);
    return { matches: events.filter(({ name }) => name === 'match').map(({ data }) => data as Match), end };
  }

  it('finds a pair wherever it is and says what happened to it', async () => {
    await rig.start({ simulator: { missing: ['100000001'] } });
    await rig.enqueue([['100000001', '700000001'], ...goodPairs(50, 200_000_000)], 51, { source: 'import' });
    rig.startWorker();
    await rig.drained();
    await rig.queue.pause();
    await rig.enqueue(goodPairs(2_000, 400_000_000), 100);
    // a job of which no JSON can be made stops no search
    const broken = await rig.queue.add('broken', {});
    await rig.redis.hset(`${bullmqKeys(rig.keys).jobs}${broken.id}`, 'data', '{');
    await rig.queue.add('spaced', { ...contactsToCompanies, pairs: [] }, { priority: 3, jobId: 'spaced' });
    // as a client in another language may write it
    await rig.redis.hset(
      `${bullmqKeys(rig.keys).jobs}spaced`,
      'data',
      JSON.stringify({ ...contactsToCompanies, pairs: [[31, '32']] }).replace('[31,"32"]', '[ 31 , "32" ]'),
    );
    const page = await rig.startDashboard();

    const rejected = await search(page, '100000001', '700000001');
    expect(rejected.matches).toMatchObject([
      {
        fate: 'rejected',
        place: 'failed',
        source: 'import',
        types: 'HUBSPOT_DEFINED:279',
        errors: [{ category: 'OBJECT_NOT_FOUND' }],
      },
    ]);
    expect(rejected.matches[0]?.batches).toMatchObject([
      { inputs: 51, created: 50, rejected: 1, answers: [expect.stringMatching(/^207 [0-9a-f-]{36}$/)] },
    ]);
    expect(await search(page, '400000500', '800000500')).toMatchObject({
      matches: [{ fate: 'queued', place: 'wait', batches: [] }],
    });
    expect(await search(page, '31', '32')).toMatchObject({
      matches: [{ fate: 'queued', place: 'prioritized' }],
    });
    const nothing = await search(page, '400000500', '800000501');
    expect(nothing).toMatchObject({ matches: [], end: { found: 0, looked: 23, cutShort: false } });
    expect((await page.get('/api/search?from=1')).status).toBe(400);
    expect((await page.get('/api/search?from=a%20b&to=1')).status).toBe(400);
  });
});
