/**
 * The worker's own metrics for Prometheus, counted since its start. shared/state/queue-metrics.ts has those of the queue.
 * Names have their units, label values are bounded.
 */
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { addGauge, metricName } from '../../shared/runtime/metrics-server.js';
import type { SearchReport } from '../../shared/state/worker-reports.js';
import type { Batch } from '../batches/batch.js';
import type { DeliveryReport } from '../calls/delivery.js';
import { errorsOf, type Settled, statusLabel } from './metric-labels.js';
import type { PipelineState } from './pipeline-state.js';

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

export function createWorkerMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const outcomes = new Counter({
    name: metricName('outcomes_total'),
    help: 'Associations by outcome: created, rejected, retry (comes back with its error), as settled in Redis; held (nothing spent)',
    labelNames: ['outcome'],
    registers,
  });
  const errors = new Counter({
    name: metricName('errors_total'),
    help: "Associations rejected or to be retried, by HubSpot's error category",
    labelNames: ['outcome', 'category'],
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
    help: 'Inputs of a batch when it was sealed, by why it was closed: full, linger, flush',
    labelNames: ['trigger'],
    buckets: [1, 10, 100, 500, 1_000, 1_500, 1_900, 1_999, 2_000],
    registers,
  });
  const quotaWaitSeconds = new Histogram({
    name: metricName('permit_wait_seconds'),
    help: 'How long a call waited for its permit',
    buckets: [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 60],
    registers,
  });
  // a rate needs a first value, so unused counters are 0 and not absent
  for (const outcome of ['created', 'rejected', 'retry', 'held']) outcomes.inc({ outcome }, 0);
  calls.inc({ status: '201' }, 0);
  errors.inc({ outcome: 'rejected', category: 'VALIDATION_ERROR' }, 0);

  return {
    registry,
    call(status: string, ms: number) {
      calls.inc({ status: statusLabel(status) });
      callSeconds.observe(ms / 1_000);
    },
    batch(batch: Batch, report: DeliveryReport) {
      batchInputs.observe({ trigger: batch.trigger }, batch.inputs.size);
      outcomes.inc({ outcome: 'held' }, report.counts.held);
    },
    /** Counts associations that were created and settled in Redis. */
    created(associations: number) {
      outcomes.inc({ outcome: 'created' }, associations);
    },
    /** Counts a settlement that Redis has. */
    settled(entry: Settled) {
      if (entry.created > 0) outcomes.inc({ outcome: 'created' }, entry.created);
      if (entry.rejected > 0) outcomes.inc({ outcome: 'rejected' }, entry.rejected);
      if (entry.retried > 0) outcomes.inc({ outcome: 'retry' }, entry.retried);
      if (!entry.data) return; // all pairs were created
      const counted = errorsOf(entry);
      for (const [category, pairs] of counted.rejected) errors.inc({ outcome: 'rejected', category }, pairs);
      for (const [category, pairs] of counted.retried) errors.inc({ outcome: 'retry', category }, pairs);
    },
    quotaWait(ms: number) {
      quotaWaitSeconds.observe(ms / 1_000);
    },
  };
}

/** The content of the pipeline, read at the moment of a scrape. */
/** @param now what is read at the moment of a scrape. @param bullmqNote what JobQueue has to say of BullMQ's release */
export function addPipelineMetrics(
  registry: Registry,
  now: () => PipelineState,
  bullmqNote: string | undefined,
): void {
  const gauge = (text: string, help: string, read: () => number) =>
    addGauge(registry, metricName(`worker_${text}`), help, read);
  gauge('standby', 'Whether this worker stands by, because other workers fetch the jobs', () =>
    now().isStandby ? 1 : 0,
  );
  gauge('jobs', 'Jobs this worker has fetched and not settled', () => now().jobs);
  gauge(
    'associations',
    'Associations of the jobs this worker has fetched and not settled',
    () => now().associations,
  );
  gauge('unbatched_associations', 'Associations that wait in this worker for a batch', () => now().unbatched);
  gauge(
    'suspect_inputs',
    'Inputs among which this worker looks for invalid ones that HubSpot did not name',
    () => now().search.inputs,
  );
  gauge('suspect_calls_ratio', 'Share of the latest 100 calls of this worker that look for them', () =>
    suspectShare(now().search),
  );
  gauge(
    'bullmq_known',
    'Whether this worker knows the scripts of the installed BullMQ: 0 means that it moves jobs one by one, which is slower',
    () => (bullmqNote === undefined ? 1 : 0),
  );
}

/** Share of calls for suspects; 0 without a search, although the latest calls are remembered longer. */
const suspectShare = ({ inputs, calls, suspectCalls }: SearchReport): number =>
  inputs === 0 || calls === 0 ? 0 : suspectCalls / calls;
