/**
 * The dashboard with a large queue: it answers at once and costs Redis almost nothing, because nothing that it reads
 * grows with the backlog or with what was rejected. LOAD=full: 5,000,000 queued, 100,000 rejected.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createProducer } from '../../src/index.js';
import type { Pair } from '../../src/shared/contract/association.js';
import { type DashboardProcess, OWN } from '../support/dashboard.js';
import { useRig } from '../support/rig.js';
import { contactsToCompanies } from '../support/samples.js';

const full = process.env.LOAD === 'full';
const QUEUED = full ? 5_000_000 : 200_000;
const REJECTED = full ? 100_000 : 6_000;
const REJECTED_PER_JOB = 20;
const WATCHED_MS = full ? 20_000 : 2_000;

const rig = useRig(import.meta.url, afterAll);
let dashboard: DashboardProcess;
const report: Record<string, number | string> = {};

beforeAll(async () => {
  await rig.start({ ownRedis: true });
  // three kinds of errors for two object pairs, in jobs of twenty
  const kinds = (at: number): Pair =>
    at % 3 === 0
      ? [`${999_000_000 + at}`, `${500_000_000 + at}`]
      : at % 3 === 1
        ? [`${500_000_000 + at}`, `${999_000_000 + at}`]
        : [`row-${at}`, `${500_000_000 + at}`];
  const bad = Array.from({ length: REJECTED }, (_, at) => kinds(at));
  await rig.enqueue(bad.slice(0, REJECTED / 2), REJECTED_PER_JOB);
  await rig.enqueue(bad.slice(REJECTED / 2), REJECTED_PER_JOB, {
    fromObjectType: 'deals',
    types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 3 }],
    toObjectType: 'contacts',
  });
  const worker = rig.startWorker();
  await rig.drained(300_000);
  await worker.end('SIGTERM');
  await rig.queue.pause();
  const producer = createProducer({ redisUrl: rig.redisUrl, prefix: rig.prefix });
  await producer.enqueueMany(queued());
  await producer.close();
  dashboard = await rig.startDashboard();
}, 600_000);

afterAll(() => {
  process.stderr.write(`${JSON.stringify({ QUEUED, REJECTED, ...report })}\n`);
});

function* queued() {
  const { version: _ofJobs, ...association } = contactsToCompanies;
  for (let at = 0; at < QUEUED; at++) yield { ...association, from: 100_000_000 + at, to: 600_000_000 + at };
}

/** Seconds that Redis has computed so far. */
async function cpuSeconds(): Promise<number> {
  const info = await rig.redis.info('cpu');
  return ['used_cpu_sys', 'used_cpu_user'].reduce(
    (sum, name) => sum + Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1]),
    0,
  );
}
async function cpuShare(during: () => Promise<void>): Promise<number> {
  const [cpu, at] = [await cpuSeconds(), performance.now()];
  await during();
  return ((await cpuSeconds()) - cpu) / ((performance.now() - at) / 1_000);
}
const passing = (ms: number) => new Promise(resolve => setTimeout(resolve, ms)); // a measurement takes its time

/** @returns milliseconds of the first answer, and the median of more */
async function answerMs(path: string): Promise<{ first: number; median: number }> {
  const times: number[] = [];
  for (let count = 0; count < 12; count++) {
    const begun = performance.now();
    const answer = await dashboard.get(path);
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
    times.push(Math.round((performance.now() - begun) * 10) / 10);
  }
  const [first = Number.POSITIVE_INFINITY, ...more] = times;
  return { first, median: more.sort((a, b) => a - b)[5] ?? Number.POSITIVE_INFINITY };
}

it('the dashboard answers within 300 ms with much in the queue', async () => {
  const { figures, rejections } = await dashboard.state();
  expect(figures.state.backlog).toBeGreaterThan(QUEUED * 0.98);
  expect(figures.state.backlog).toBeLessThan(QUEUED * 1.02);
  expect(rejections.associations).toBe(REJECTED);
  for (const path of ['/', '/api/state', '/api/history?range=hour', '/api/history?range=day', '/queues/']) {
    const { first, median } = await answerMs(path);
    report[path] = `${first} ms, then ${median} ms`;
    expect(Math.max(first, median)).toBeLessThan(300);
  }
});

it('the dashboard costs Redis less than 1 % of a core while somebody looks', async () => {
  const idle = await cpuShare(() => passing(WATCHED_MS).then(() => {}));
  const stream = await dashboard.get('/api/events');
  const reader = stream.body?.getReader();
  const seen = (async () => {
    while (!(await reader?.read())?.done);
  })().catch(() => {});
  const looked = await cpuShare(() => passing(WATCHED_MS).then(() => {}));
  await reader?.cancel();
  await seen;
  Object.assign(report, {
    idlePercent: Math.round(idle * 1e4) / 100,
    lookedAtPercent: Math.round(looked * 1e4) / 100,
  });
  expect(looked - idle).toBeLessThan(0.01);
});

it('the dashboard searches all that is queued while Redis goes on answering others', async () => {
  let longest = 0;
  let searching = true;
  const others = (async () => {
    while (searching) {
      const begun = performance.now();
      await rig.redis.ping();
      longest = Math.max(longest, performance.now() - begun);
    }
  })();
  const begun = performance.now();
  const text = await (
    await dashboard.get(`/api/search?from=${100_000_000 + 7}&to=${600_000_000 + 7}`)
  ).text();
  searching = false;
  await others;
  Object.assign(report, {
    searchMs: Math.round(performance.now() - begun),
    longestPingMs: Math.round(longest),
  });
  expect(text).toMatch(/event: match\ndata: .*"fate":"queued"/);
  expect(text).toMatch(new RegExp(`"looked":${QUEUED / 500 + REJECTED / REJECTED_PER_JOB}\\b`));
});

it('the dashboard reads the jobs of a group only when it retries the group', async () => {
  const [group] = (await dashboard.state()).rejections.groups;
  const begun = performance.now();
  const done = (await (
    await dashboard.post('/api/rejections/retry', OWN, { groups: [group?.id] })
  ).json()) as {
    associations: number;
  };
  report.retryGroupMs = Math.round(performance.now() - begun);
  expect(done.associations).toBe(group?.associations);
});
