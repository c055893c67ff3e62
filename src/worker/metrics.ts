/** What the worker counts for Prometheus. Names carry their units, label values are bounded. */
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { addGauge, metricName } from '../shared/metrics.js';
import type { Batch } from './coalescer.js';
import type { DeliveryReport } from './delivery.js';

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

/** @param now what is read at the moment of a scrape */
export function createWorkerMetrics(now: {
  jobs: () => number;
  associations: () => number;
  waiting: () => number;
  isHeld: () => boolean;
}) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const associations = new Counter({
    name: metricName('associations_total'),
    help: 'Associations by the outcome of their call: created, rejected, retry (attempt spent), held (no attempt spent)',
    labelNames: ['outcome'],
    registers,
  });
  const calls = new Counter({
    name: metricName('calls_total'),
    help: 'Calls to HubSpot by HTTP status, or TIMEOUT, CONNECTION_ERROR',
    labelNames: ['status'],
    registers,
  });
  const callSeconds = new Histogram({
    name: metricName('call_duration_seconds'),
    help: 'How long HubSpot took to answer',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const batchInputs = new Histogram({
    name: metricName('batch_inputs'),
    help: 'Inputs of a batch when it was sealed, by why it was closed',
    labelNames: ['trigger'],
    buckets: [1, 10, 100, 500, 1_000, 1_500, 1_900, 1_999, 2_000],
    registers,
  });
  const quotaWaitSeconds = new Histogram({
    name: metricName('quota_wait_seconds'),
    help: 'How long a call waited for its permit',
    buckets: [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 60],
    registers,
  });
  const gauge = (text: string, help: string, read: () => number) =>
    addGauge(registry, metricName(text), help, read);
  gauge('held', '1 while the account is held (429, daily limit, 401, 477, outage)', () =>
    Number(now.isHeld()),
  );
  gauge('jobs_in_memory', 'Jobs this worker has fetched and not settled', now.jobs);
  gauge(
    'associations_in_memory',
    'Associations of the jobs this worker has fetched and not settled',
    now.associations,
  );
  gauge('associations_waiting', 'Associations that wait in this worker for a batch', now.waiting);
  for (const outcome of ['created', 'rejected', 'retry', 'held']) associations.inc({ outcome }, 0);

  return {
    registry,
    call(status: string, ms: number) {
      calls.inc({ status });
      callSeconds.observe(ms / 1_000);
    },
    batch(batch: Batch, report: DeliveryReport) {
      batchInputs.observe({ trigger: batch.trigger }, batch.inputs.length);
      for (const [outcome, count] of Object.entries(report.counts)) associations.inc({ outcome }, count);
    },
    quotaWait(ms: number) {
      quotaWaitSeconds.observe(ms / 1_000);
    },
  };
}
