/**
 * The dashboard's own metrics: the account's totals as they stand in Redis, which survive the workers that counted them.
 * (A worker's /metrics counts what that process did since its start.)
 */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { addGauge, metricName } from '../../shared/metrics.js';
import type { Reading } from '../overview.js';

/** @param last the latest reading; the server makes one before each scrape */
export function createDashboardMetrics(last: () => Reading | undefined, viewers: () => number): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: metricName('account_associations'),
    help: 'Associations of the account since the queue was created, all replicas: created, rejected, retried; discarded ones are among the rejected',
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      const figures = last()?.figures;
      if (!figures) return;
      for (const [outcome, n] of Object.entries(figures.stats.associations)) this.set({ outcome }, n);
      this.set({ outcome: 'discarded' }, figures.discarded);
    },
  });
  const gauge = (name: string, help: string, read: (reading: Reading) => number) =>
    addGauge(registry, metricName(name), help, () => {
      const reading = last();
      return reading ? read(reading) : 0;
    });
  gauge(
    'account_calls',
    'Calls to HubSpot since the queue was created, all replicas',
    ({ figures }) => figures.stats.calls.total,
  );
  gauge(
    'account_backlog',
    'Associations still to be decided, estimated from the sizes of some jobs',
    ({ figures }) => figures.state.backlog,
  );
  gauge(
    'account_workers',
    'Workers that have given a sign of life within ten seconds',
    ({ workers }) => workers.alive.length,
  );
  addGauge(registry, metricName('dashboard_viewers'), 'Pages that are open at the moment', viewers);
  return registry;
}
