/**
 * Metrics of the queue as a whole, read from Redis in one round trip at the moment of a scrape. All processes export them,
 * so that they exist when all workers are dead. Aggregate them with max(), not with sum(). While Redis is unreachable they
 * are absent, not stale.
 */
import type { Redis } from 'ioredis';
import { Counter, Gauge, type Registry } from 'prom-client';
import { metricName } from '../runtime/metrics-server.js';
import { settlesWithin } from '../runtime/wait.js';
import { HOLD_KINDS, type QueueState, type QueueStateReader } from './queue-state.js';
import { usefulReplicas } from './useful-replicas.js';

export const QUEUE_WIDE = ' (queue-wide, the same from every process: aggregate with max)';
/** Longest time that a scrape waits for Redis. */
const READ_MS = 1_500;

type Values = readonly (readonly [value: number, label?: string])[];
type Family = {
  readonly type: 'gauge' | 'counter';
  readonly name: string;
  readonly help: string;
  readonly label?: string;
  readonly values: (state: QueueState) => Values;
};

const gauge = (name: string, help: string, value: (state: QueueState) => number): Family => ({
  type: 'gauge',
  name,
  help,
  values: state => [[value(state)]],
});
const counter = (name: string, help: string, value: (state: QueueState) => number): Family => ({
  ...gauge(name, help, value),
  type: 'counter',
});

const FAMILIES: readonly Family[] = [
  {
    ...gauge('queue_jobs', 'Jobs by state; completed: since the queue was created', () => 0),
    label: 'state',
    values: ({ jobs }) => Object.entries(jobs).map(([state, count]) => [count, state]),
  },
  gauge(
    'queue_backlog_associations',
    'Associations waiting, in work and delayed, estimated from the sizes of some jobs',
    state => state.backlogAssociations,
  ),
  gauge(
    'queue_oldest_waiting_seconds',
    'Age of the oldest waiting job, its time in earlier attempts included; 0 when none waits',
    state => state.oldestWaitingSeconds ?? 0,
  ),
  {
    ...gauge(
      'queue_outcomes',
      'Associations since the queue was created, by outcome; rejected falls when rejections are retried, discarded ones stay among the rejected',
      () => 0,
    ),
    label: 'outcome',
    values: ({ totals }) => [
      [totals.created, 'created'],
      [totals.rejected, 'rejected'],
      [totals.cancelled, 'cancelled'],
      [totals.retried, 'retry'],
      [totals.discarded, 'discarded'],
    ],
  },
  {
    ...counter('queue_calls_total', 'Calls to HubSpot since the queue was created, by result', () => 0),
    label: 'result',
    values: ({ totals: { calls, callsRateLimited, callsFailed } }) => [
      [Math.max(0, calls - callsRateLimited - callsFailed), 'accepted'],
      [callsRateLimited, 'rate_limited'],
      [callsFailed, 'failed'],
    ],
  },
  counter('queue_batches_total', 'Batches since the queue was created', ({ totals }) => totals.batches),
  counter(
    'queue_batch_inputs_total',
    'Inputs of all batches since the queue was created',
    s => s.totals.inputs,
  ),
  gauge('quota_window_limit_calls', 'Calls allowed per rolling window', ({ quota }) => quota.limit),
  gauge('quota_window_seconds', 'Length of the rolling window', ({ quota }) => quota.windowMs / 1_000),
  gauge('quota_window_used_calls', 'Calls in the window that ends now', ({ quota }) => quota.usedInWindow),
  gauge('quota_window_left_calls', 'Calls that the window that ends now had room for', ({ quota }) =>
    Math.max(0, quota.limit - quota.usedInWindow),
  ),
  gauge(
    'quota_day_limit_calls',
    "Calls allowed per account's day; +Inf where there is no limit",
    ({ quota }) => (quota.dailyLimit === 0 ? Number.POSITIVE_INFINITY : quota.dailyLimit),
  ),
  gauge('quota_day_used_calls', "Calls of the account's day so far", ({ quota }) => quota.usedToday),
  gauge(
    'quota_day_left_calls',
    "Calls left of the account's day; +Inf where there is no limit",
    ({ quota }) => quota.leftToday,
  ),
  gauge(
    'quota_day_reset_seconds',
    "Seconds until midnight of the account, when the day's count starts again",
    ({ quota }) => quota.msUntilReset / 1_000,
  ),
  {
    ...gauge('held', '1 while the account is held, by cause', () => 0),
    label: 'kind',
    values: ({ hold }) => HOLD_KINDS.map(kind => [Number(hold?.kind === kind), kind]),
  },
  gauge('held_object_pairs', 'Object pairs (with types) that are held', state => state.heldPairs.length),
  gauge('queue_paused', '1 while the queue is paused by an operator', state => (state.paused ? 1 : 0)),
  gauge('queue_workers', 'Workers that reported within 10 s', state => state.workers.alive.length),
  gauge(
    'useful_replicas',
    'How many workers would still raise throughput under the quota: the signal to scale on',
    usefulReplicas,
  ),
];

/** Adds the metrics to a process's registry. @param redis a connection of any role; it need not be ready */
export function addQueueMetrics(registry: Registry, redis: Redis, read: QueueStateReader): void {
  const scrape = sharedReading(redis, read);
  new Gauge({
    name: metricName('redis_up'),
    help: '1 when this process could read the queue from Redis for this scrape',
    registers: [registry],
    async collect() {
      this.set(Number((await scrape()) !== undefined));
    },
  });
  for (const family of FAMILIES) addFamily(registry, family, scrape);
}

function addFamily(registry: Registry, family: Family, scrape: () => Promise<QueueState | undefined>): void {
  const { type, name, help, label, values } = family;
  const labels = (text?: string) => (label === undefined || text === undefined ? {} : { [label]: text });
  const Metric = type === 'gauge' ? Gauge : Counter;
  const metric = new Metric({
    name: metricName(name),
    help: help + QUEUE_WIDE,
    labelNames: label === undefined ? [] : [label],
    registers: [registry],
    async collect() {
      const state = await scrape();
      metric.reset();
      if (!state) {
        if (label === undefined) metric.remove(); // reset would leave a 0
        return;
      }
      for (const [value, text] of values(state)) metric.inc(labels(text), value);
    },
  });
}

/** All metrics of a scrape share one reading, because prom-client collects them in the same turn of the event loop. */
function sharedReading(redis: Redis, read: QueueStateReader): () => Promise<QueueState | undefined> {
  let reading: Promise<QueueState | undefined> | undefined;
  const once = async () => {
    // a patient connection would hold the command, and with it the scrape, until Redis is back
    if (redis.status !== 'ready') return undefined;
    const state = read(redis);
    return (await settlesWithin(state, READ_MS)) ? state.catch(() => undefined) : undefined;
  };
  return () => {
    reading ??= once().finally(() => {
      reading = undefined;
    });
    return reading;
  };
}
