/**
 * /metrics of real processes: the metrics of the alerts and the dashboard exist, and the figures are those of stats and of
 * the simulator's ledger, after refusals and a kill -9.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { withQueue } from '../../src/dashboard/connection.js';
import { readStats } from '../../src/dashboard/overview/stats.js';
import { parseConfig } from '../../src/shared/runtime/config.js';
import { limitsOf } from '../../src/shared/state/capacity.js';
import { queueStateReader } from '../../src/shared/state/queue-state.js';
import { eventually } from '../support/eventually.js';
import type { GatewayProcess } from '../support/gateway.js';
import { alertRules, metricsIn, panelQueries, seriesOf } from '../support/monitoring.js';
import type { CliProcess } from '../support/process.js';
import { promtool, testWithPromtool } from '../support/promtool.js';
import { useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url, afterAll);
let gateway: GatewayProcess;
let worker: CliProcess;

beforeAll(async () => {
  await rig.start({ env: { METRICS_PORT: '19464' } });
  gateway = await rig.startGateway();
});

const scrape = async (url: string) => seriesOf(await (await fetch(`${url}/metrics`)).text());
const metricsUrl = () =>
  eventually(() => {
    const port = /"event":"metrics".*?"port":(\d+)/.exec(worker.output())?.[1];
    if (!port) throw new Error('no metrics port yet');
    return `http://127.0.0.1:${port}`;
  });
/** `value(scrape, 'association_held', 'kind="auth"')` */
function value(series: ReadonlyMap<string, string[]>, name: string, label = ''): number | undefined {
  const found = series.get(name)?.find(line => line.includes(label));
  const text = found?.split(' ').at(-1);
  return text === undefined ? undefined : text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text);
}

test('the figures agree in /metrics of every process, in stats and in the ledger, after refusals and a kill -9', async () => {
  const good = goodPairs(20_000);
  const bad = Array.from({ length: 30 }, (_, at): [string, string] => [`nobody-${at}`, '1']);
  rig.simulator.setOptions({ latencyMs: 200 });
  await rig.enqueue([...good, ...bad], 500);
  const killed = rig.startWorker();
  worker = rig.startWorker();
  await eventually(() => expect(rig.simulator.ledger.createdCount()).toBeGreaterThan(0));
  await killed.end('SIGKILL');
  await rig.drained();

  const config = parseConfig({ REDIS_URL: rig.redisUrl, QUEUE_PREFIX: rig.prefix });
  const { stats } = await withQueue(config, access => readStats(access, config));
  expect(rig.simulator.ledger.createdCount()).toBe(20_000);
  expect(stats.associations).toMatchObject({ created: 20_000, rejected: 30 });
  for (const url of [await metricsUrl(), gateway.url]) {
    const series = await scrape(url);
    const of = (name: string, label?: string) => value(series, `association_${name}`, label);
    expect(of('redis_up')).toBe(1);
    expect({
      created: of('queue_outcomes', 'created'),
      rejected: of('queue_outcomes', 'rejected'),
      cancelled: of('queue_outcomes', 'cancelled'),
      retried: of('queue_outcomes', 'retry'),
    }).toEqual(stats.associations);
    expect(series.get('association_queue_calls_total')?.length).toBe(3);
    const calls = ['accepted', 'rate_limited', 'failed'].map(result => of('queue_calls_total', result) ?? 0);
    expect(calls.reduce((sum, count) => sum + count)).toBe(stats.calls.total);
    expect(of('queue_batches_total')).toBe(stats.batches.sent);
    for (const state of ['waiting', 'active', 'delayed', 'failed', 'completed'] as const)
      expect([state, of('queue_jobs', `"${state}"`)]).toEqual([state, stats.jobs[state]]);
    expect(of('queue_backlog_associations')).toBe(0);
    expect(of('useful_replicas')).toBe(0);
    // the worker has said what it works under: 100,000 calls, not the gateway's default of 100
    expect(of('quota_window_limit_calls')).toBe(100_000);
    expect(of('quota_day_used_calls')).toBe(stats.quota.usedToday);
    expect(of('quota_day_left_calls')).toBe(500_000 - stats.quota.usedToday);
    const reset = of('quota_day_reset_seconds') ?? 0;
    expect(reset > 0 && reset <= 86_400).toBe(true);
  }
});

test('every metric that an alert or a panel names is in a scrape', async () => {
  const scraped = new Set([
    ...(await scrape(await metricsUrl())).keys(),
    ...(await scrape(gateway.url)).keys(),
  ]);
  const named = [...metricsIn([alertRules(), ...panelQueries()].join('\n'))];
  expect(named.length).toBeGreaterThan(15);
  // prose of the alerts names metrics, too: they must exist as well
  expect(named.filter(name => !scraped.has(name))).toEqual([]);
});

testWithPromtool('the names of the metrics please promtool', async () => {
  for (const url of [await metricsUrl(), gateway.url]) {
    const text = await (await fetch(`${url}/metrics`)).text();
    // prom-client's own metrics of the process are not ours to name
    const ours = text
      .split('\n')
      .filter(line => /^(# (HELP|TYPE) )?association_/.test(line))
      .join('\n');
    expect(promtool(['check', 'metrics'], `${ours}\n`)).toEqual({ status: 0, output: '' });
  }
});

test('the gateway tells hold, backlog and age when no worker is alive', async () => {
  rig.simulator.setOptions({ accessToken: 'another' });
  await rig.enqueue(goodPairs(3_000, 300_000_001), 100);
  const url = gateway.url;
  await eventually(async () => expect(value(await scrape(url), 'association_held', 'auth')).toBe(1));
  expect(value(await scrape(await metricsUrl()), 'association_held', 'auth')).toBe(1);
  await worker.end('SIGKILL');
  const series = await scrape(url);
  expect(value(series, 'association_queue_backlog_associations')).toBe(3_000);
  expect(value(series, 'association_held', 'auth')).toBe(1);
  expect(value(series, 'association_useful_replicas')).toBe(1); // a worker must probe
  expect(series.has('association_worker_jobs')).toBe(false);
});

test('a scrape says that Redis is away, and leaves out what it cannot know', async () => {
  const { addQueueMetrics } = await import('../../src/shared/state/queue-metrics.js');
  const { Registry } = await import('prom-client');
  const { openRedis } = await import('../../src/shared/runtime/redis.js');
  const redis = openRedis(rig.redisUrl, 'patient');
  const config = parseConfig({ REDIS_URL: rig.redisUrl, QUEUE_PREFIX: rig.prefix });
  const registry = new Registry();
  addQueueMetrics(registry, redis, queueStateReader(rig.keys, limitsOf(config)));
  await redis.connect();
  expect(value(seriesOf(await registry.metrics()), 'association_redis_up')).toBe(1);
  redis.disconnect();
  const series = seriesOf(await registry.metrics());
  expect([...series.keys()]).toEqual(['association_redis_up']);
  expect(value(series, 'association_redis_up')).toBe(0);
});
