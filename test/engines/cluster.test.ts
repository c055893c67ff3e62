/**
 * A whole installation on a Redis Cluster of six nodes, under load, through everything that happens to a cluster: a
 * planned failover, kill -9 of the node with the keys, its slot moving to another node and back, all nodes down at once.
 * Every association that was acknowledged is created or rejected, the counters agree with the simulator's ledger, and all
 * processes go on by themselves. It prints a table of what each event cost.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Cluster } from 'ioredis';
import { type AssociationInput, createProducer, EnqueueError, type Producer } from '../../src/index.js';
import type { Pair } from '../../src/shared/contract/association.js';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { type Simulator, startSimulator } from '../../src/simulator/server.js';
import { type ClusterNode, RedisCluster } from '../support/cluster.js';
import { startDashboard } from '../support/dashboard.js';
import { eventually } from '../support/eventually.js';
import { startGateway } from '../support/gateway.js';
import { HealthProbes } from '../support/health-probes.js';
import { type CliProcess, startCommand } from '../support/process.js';
import { freePort } from '../support/redis-server.js';
import { CONTACT_TO_COMPANY } from '../support/samples.js';
import { SteadyPosts } from '../support/steady-posts.js';

const TOKEN = 'pat-test-cluster';
const PREFIX = '{cluster}';
const OUTAGE_MS = 30_000;
/** Associations that the library enqueues before each event, and that library and a file enqueue during it. */
const BEFORE = 120_000;
const DURING = 5_000;
const LINES = 20_000;
/** Every n-th association names a record that HubSpot does not have. */
const BAD_EVERY = 500;
/** So long after the last sign of work nobody says that it is ready. A probe may wait for its answer on a busy machine. */
const TRUTH_MS = 12_000;
const PROBE_MS = 4_000;
/** Pause between two portions of a slot that moves. */
const PORTION_MS = 100;

let next = 0;
/** New record pairs, some of which HubSpot rejects. */
function newPairs(count: number): Pair[] {
  return Array.from({ length: count }, () => {
    next += 1;
    return [String((next % BAD_EVERY === 0 ? 999_000_000 : 100_000_000) + next), String(500_000_000 + next)];
  });
}
const isBad = ([from]: Pair) => from.startsWith('999');
const inputFor = ([from, to]: Pair): AssociationInput => ({
  ...{ fromObjectType: 'contacts', toObjectType: 'companies', types: [CONTACT_TO_COMPANY], from, to },
});

/** Associations that were acknowledged, and the requests that they belong to. */
const accepted: Pair[] = [];
const requests = new Set<string>();
/** time and total of each change of the total of created associations */
const settlements: { readonly at: number; readonly created: number }[] = [];
const table = [
  [
    'event',
    'attempts refused',
    'no post acknowledged for',
    'nothing settled for',
    'log lines, workers',
    'dashboard',
  ],
];

let cluster: RedisCluster;
let simulator: Simulator;
let producer: Producer;
/** the test's own view of the counters, by another client than the product's */
let redis: Cluster;
let posts: SteadyPosts;
let watching = Promise.resolve();
let isOver = false;
let connectionsOfAWorker: number;
const gateways: CliProcess[] = [];
const dashboards: CliProcess[] = [];
const workers: CliProcess[] = [];
const services = () => [...gateways, ...dashboards, ...workers];
const probes = new HealthProbes();
const directory = mkdtempSync(path.join(os.tmpdir(), 'association-queue-test-cluster-'));
const place = () => ({ REDIS_URL: cluster.url, QUEUE_PREFIX: PREFIX });

beforeAll(async () => {
  [cluster, simulator] = await Promise.all([
    // with everysec a busy disk lets Redis acknowledge for up to two seconds what kill -9 then loses
    RedisCluster.start({ primaries: 3, replicas: 1, options: { appendfsync: 'always' } }),
    startSimulator({ rateLimitCalls: 0, accessToken: TOKEN, latencyMs: 30 }),
  ]);
  // weather: some calls fail, and some of these have created their associations
  simulator.script({ kind: 'status', status: 502, rate: 0.01 }, { kind: 'reset', applied: true, rate: 0.01 });
  redis = new Cluster(
    cluster.nodes.map(({ server }) => ({ host: '127.0.0.1', port: server.port })),
    { slotsRefreshInterval: 1_000, redisOptions: { commandTimeout: 2_000 } },
  );
  redis.on('error', () => {});
  producer = createProducer({ redisUrl: cluster.url, prefix: PREFIX });
  const gateway = await startGateway(place());
  gateways.push(gateway);
  probes.watch('gateway', gateway.url);
  const dashboard = await startDashboard(place());
  dashboards.push(dashboard);
  probes.watch('dashboard', dashboard.url);
  await startWorker();
  const before = await connections();
  await startWorker();
  connectionsOfAWorker = (await connections()) - before;
  watching = watchSettlements();
  posts = new SteadyPosts(gateway.url, () => newPairs(5));
  posts.start();
}, 120_000);

afterAll(async () => {
  isOver = true;
  await Promise.all([probes.end(), posts?.abandon(), watching]);
  for (const { process } of services()) process.kill('SIGKILL');
  redis?.disconnect();
  await Promise.allSettled([producer?.close(), cluster?.stop(), simulator?.stop()]);
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

async function startWorker(): Promise<void> {
  const port = await freePort();
  const worker = startCommand('worker', {
    ...{ ...place(), METRICS_PORT: String(port), JOB_LOCK_MS: '2000', RETRY_BACKOFF_MS: '50' },
    ...{ RATE_LIMIT_CALLS: '100', BATCH_MAX_INPUTS: '500' }, // 5,000 associations a second, so that there is a backlog
    ...{ HUBSPOT_BASE_URL: simulator.url, HUBSPOT_ACCESS_TOKEN: TOKEN },
  });
  workers.push(worker);
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200));
  probes.watch(`worker ${workers.length}`, url);
}

/** @returns the connections of our processes to all nodes */
async function connections(): Promise<number> {
  const lists = await Promise.all(cluster.nodes.map(node => node.redis.call('CLIENT', 'LIST')));
  return lists.join('').match(/name=association-queue/g)?.length ?? 0;
}

async function watchSettlements(): Promise<void> {
  while (!isOver) {
    const created = Number(await redis.hget(accountKeys(PREFIX).counters, 'created').catch(() => Number.NaN));
    if (created > (settlements.at(-1)?.created ?? 0)) settlements.push({ at: performance.now(), created });
    await delay(100);
  }
}

/** Fills the queue, lets something happen while all ways in are in use, and waits until everything is decided. */
async function through(name: string, event: () => Promise<void>): Promise<void> {
  await enqueueSurely(newPairs(BEFORE));
  const lines = new Map(services().map(one => [one, linesOf(one)]));
  const since = performance.now();
  const entering = Promise.all([enqueueFile(), enqueueSurely(newPairs(DURING)), expectStatsToAnswer()]);
  await event();
  await entering;
  await posts.acknowledged(performance.now());
  await drained();
  await eventually(() => expect(probes.latest.filter(({ ready }) => ready !== 200)).toEqual([]));
  expect(services().filter(({ process }) => process.exitCode !== null)).toEqual([]);

  const moreLines = (some: readonly CliProcess[]) =>
    some.reduce((sum, one) => sum + linesOf(one) - (lines.get(one) ?? 0), 0);
  const row = [
    ...[name, String(posts.refusedAt.filter(at => at > since).length)],
    ...[seconds(longestGap(posts.ackedAt, since)), seconds(longestGap(settledAt(), since))],
    ...[moreLines(workers), moreLines(dashboards)].map(String),
  ];
  table.push(row);
}

const settledAt = () => settlements.map(({ at }) => at);

/** @returns the lines that an operator reads: not those of ordinary batches and of single requests and jobs */
const linesOf = ({ output }: CliProcess): number =>
  output()
    .split('\n')
    .filter(line => /"level":[456]0/.test(line) && !/"event":"(refused|rejected)"/.test(line)).length;

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

/** @returns the longest time without one of these, from `since` to the last of them */
function longestGap(times: readonly number[], since: number): number {
  const sorted = [since, ...times.filter(at => at > since).sort((one, other) => one - other)];
  return Math.max(0, ...sorted.slice(1).map((at, index) => at - (sorted[index] ?? at)));
}

/** As an application does it with the library: what was not acknowledged is enqueued again. */
async function enqueueSurely(pairs: readonly Pair[]): Promise<void> {
  let left = pairs.map(inputFor);
  await eventually(async () => {
    const id = crypto.randomUUID();
    requests.add(id);
    try {
      await producer.enqueueMany(left, { request: { id } });
    } catch (error) {
      if (error instanceof EnqueueError) left = [...error.associations];
      throw error;
    }
  }, 120_000);
  accepted.push(...pairs);
}

/** As an operator does it with the command: resumes the request until all lines are enqueued. */
async function enqueueFile(): Promise<void> {
  const pairs = newPairs(LINES);
  const file = path.join(directory, `${next}.csv`);
  writeFileSync(file, ['from,to', ...pairs.map(pair => pair.join(','))].join('\n'));
  const args = [file, '--from', 'contacts', '--to', 'companies', '--type', 'HUBSPOT_DEFINED:279'];
  let id: string | undefined;
  await eventually(async () => {
    const command = startCommand('enqueue', place(), [], [...args, ...(id ? ['--resume', id] : [])]);
    const exit = await command.exit();
    id ??= /^request ([\w-]+)$/m.exec(command.output())?.[1];
    if (exit !== 0) throw new Error(command.output());
  }, 120_000);
  requests.add(id ?? 'no request');
  accepted.push(...pairs);
}

/** A person looks meanwhile: there are figures, or a sentence that says why there are none. */
async function expectStatsToAnswer(): Promise<void> {
  const command = startCommand('stats', place());
  const exit = await command.exit();
  expect([exit, command.output()]).toEqual([
    expect.any(Number),
    expect.stringMatching(exit === 0 ? /created/ : /^association-queue stats: Redis at redis\+cluster:.*\n$/),
  ]);
}

async function stats() {
  const command = startCommand('stats', place(), [], ['--json']);
  if ((await command.exit()) !== 0) throw new Error(command.output());
  return JSON.parse(command.output()) as {
    jobs: Record<'waiting' | 'active' | 'delayed' | 'failed' | 'completed', number>;
    associations: Record<'created' | 'rejected' | 'cancelled', number>;
    calls: { total: number };
  };
}

/** Waits until nothing is queued but the latest posts. */
async function drained(most = 20): Promise<void> {
  await eventually(async () => {
    const { waiting, active, delayed } = (await stats()).jobs;
    expect(waiting + active + delayed).toBeLessThanOrEqual(most);
  }, 180_000);
}

const ownedBy = (node: ClusterNode) =>
  eventually(async () => expect((await cluster.ownerOf(PREFIX)).owner.id).toBe(node.id));

async function replica(): Promise<ClusterNode> {
  const [first] = (await cluster.ownerOf(PREFIX)).replicas;
  if (!first) throw new Error('the owner has no replica');
  return first;
}

/** Replicas lag, and what was acknowledged in the last moment may be lost with the primary. That is not the matter here. */
async function everythingReplicated(owner: ClusterNode, to: ClusterNode): Promise<void> {
  await owner.redis.call('CLIENT', 'PAUSE', 10_000, 'WRITE');
  await eventually(async () => expect(await offset(to)).toBe(await offset(owner)));
}

/** @returns how far its data has come, as a primary or as a replica */
const offset = async ({ redis }: ClusterNode) =>
  /master_repl_offset:(\d+)/.exec(await redis.info('replication'))?.[1];

async function otherPrimary(owner: ClusterNode): Promise<ClusterNode> {
  for (const node of cluster.nodes)
    if (node.id !== owner.id && (await node.redis.info('replication')).includes('role:master')) return node;
  throw new Error('there is no other primary');
}

async function moveSlot(to: ClusterNode): Promise<void> {
  await cluster.moveSlot(PREFIX, to, () => delay(PORTION_MS));
  await ownedBy(to);
}

it('a planned failover', async () => {
  await through('planned failover', async () => {
    const to = await replica();
    await cluster.failOver(PREFIX, to);
  });
}, 300_000);

it('kill -9 of the primary with the keys, which comes back as a replica', async () => {
  await cluster.replicated();
  await through('kill -9 of the primary', async () => {
    const { owner } = await cluster.ownerOf(PREFIX);
    const to = await replica();
    await everythingReplicated(owner, to);
    await owner.server.kill();
    await ownedBy(to);
    await cluster.startAgain(owner);
    await cluster.replicated();
  });
}, 300_000);

it('the slot moves to another primary key by key, and back', async () => {
  const { owner } = await cluster.ownerOf(PREFIX);
  const to = await otherPrimary(owner);
  await through('slot moves away', () => moveSlot(to));
  await through('slot moves back', () => moveSlot(owner));
}, 600_000);

it('all nodes are killed, and start again after 30 s', async () => {
  await cluster.replicated();
  await through('all nodes down for 30 s', async () => {
    // the replica may start first and take over
    await everythingReplicated((await cluster.ownerOf(PREFIX)).owner, await replica());
    await Promise.all(cluster.nodes.map(({ server }) => server.kill()));
    await delay(OUTAGE_MS);
    await Promise.all(cluster.nodes.map(node => cluster.startAgain(node)));
  });
}, 400_000);

it('everything that was acknowledged was created or rejected, once, and all figures agree', async () => {
  await posts.end();
  for (const { pairs, id } of posts.all) {
    accepted.push(...pairs);
    requests.add(id ?? 'no request');
  }
  await drained(0);
  const [good, bad] = [accepted.filter(pair => !isBad(pair)), accepted.filter(isBad)];
  expect(good.filter(([from, to]) => !simulator.ledger.has('contacts', 'companies', from, to))).toEqual([]);
  expect(simulator.ledger.createdCount()).toBe(good.length);

  // the record of a request counts what is in the queue, also where the caller heard nothing of it and enqueued it again
  let [inRequests, createdInRequests, rejectedInRequests] = [0, 0, 0];
  const unfinished: unknown[] = [];
  for (const id of requests) {
    const view = await producer.request(id);
    if (!view) continue; // nothing of it was enqueued
    inRequests += view.accepted;
    createdInRequests += view.created;
    rejectedInRequests += view.rejected;
    if (view.queued !== 0 || !['done', 'interrupted'].includes(view.state)) unfinished.push(view);
  }
  expect(unfinished).toEqual([]);
  const { associations, calls } = await stats();
  const { created, rejected, cancelled } = associations;
  expect({ created, rejected, cancelled }).toEqual({
    ...{ created: createdInRequests, rejected: rejectedInRequests, cancelled: 0 },
  });
  expect(created + rejected).toBe(inRequests);
  const twice = inRequests - accepted.length; // enqueued again by the library's caller
  expect(created).toBeGreaterThanOrEqual(good.length);
  expect(rejected).toBeGreaterThanOrEqual(bad.length);
  expect(twice).toBeLessThanOrEqual(DURING);
  const made = simulator.ledger.summary(10_000);
  expect(calls.total).toBeGreaterThanOrEqual(made.calls);
  table.push(['', `${created} created, ${rejected} rejected, ${twice} enqueued twice by their caller`]);
  table.push([
    '',
    `${calls.total} calls counted of ${made.calls}, ${made.repeats} associations created again`,
  ]);
}, 300_000);

it('readiness was true at each moment, waiting callers heard of the outcome, and nobody was restarted', async () => {
  await probes.end();
  const signs = {
    gateway: posts.ackedAt,
    worker: settledAt(),
    dashboard: [...posts.ackedAt, ...settledAt()],
  };
  const first = Math.min(...posts.ackedAt);
  const untrue = probes.all.filter(({ name, at, ready }) => {
    const works = signs[name.split(' ')[0] as keyof typeof signs];
    const isWorking = works.some(time => time > at - TRUTH_MS && time < at + PROBE_MS);
    return at > first && ready === 200 && !isWorking;
  });
  expect(untrue).toEqual([]);
  expect(probes.all.filter(({ alive }) => alive !== 200)).toEqual([]);
  for (const name of ['gateway', 'worker 1', 'worker 2'])
    expect(probes.all.filter(probe => probe.name === name && probe.ready === 503).length).toBeGreaterThan(0);
  expect(posts.all.filter(({ waits, status }) => waits && status !== 'COMPLETE')).toEqual([]);
  expect(connectionsOfAWorker).toBe(2);
}, 60_000);

it('every process ends when asked, and has logged nothing but lines of JSON', async () => {
  const since = performance.now();
  expect(await Promise.all(services().map(one => one.end('SIGTERM')))).toEqual(services().map(() => 0));
  expect(performance.now() - since).toBeLessThan(10_000);
  for (const { output } of services())
    expect(
      output()
        .split('\n')
        .filter(line => line !== '' && !line.startsWith('{')),
    ).toEqual([]);
  process.stdout.write(`${table.map(row => row.join(' | ')).join('\n')}\n`);
  for (const [words, count] of posts.words) process.stdout.write(`${count} × ${words}\n`);
}, 60_000);
