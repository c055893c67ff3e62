/** What the gateway counts for Prometheus. Names carry their units, label values are bounded. */
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { addGauge, metricName } from '../shared/metrics.js';

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;

/** @param now what is read at the moment of a scrape */
export function createGatewayMetrics(now: { backlog: () => number; waiting: () => number }) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const name = (text: string) => metricName(`gateway_${text}`);
  const requests = new Counter({
    name: name('requests_total'),
    help: 'Requests by route and HTTP status',
    labelNames: ['route', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: name('request_duration_seconds'),
    help: 'How long a request took to be answered, Prefer: wait included',
    labelNames: ['route'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    registers,
  });
  const accepted = new Counter({
    name: name('associations_accepted_total'),
    help: 'Associations that this gateway has enqueued',
    registers,
  });
  const gauge = (text: string, help: string, read: () => number) =>
    addGauge(registry, name(text), help, read);
  gauge('backlog_associations', 'Associations in the queue, by the last estimate', now.backlog);
  gauge('requests_waiting', 'Requests that are waited for (Prefer: wait)', now.waiting);
  return {
    registry,
    request(route: string, status: number, ms: number) {
      requests.inc({ route, status: String(status) });
      seconds.observe({ route }, ms / 1_000);
    },
    accepted(associations: number) {
      accepted.inc(associations);
    },
  };
}
