/** The gateway's own metrics for Prometheus. shared/state/queue-metrics.ts has those of the queue. */
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { addGauge, metricName } from '../shared/runtime/metrics-server.js';

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;

/** @param now functions that are called at the moment of a scrape */
export function createGatewayMetrics(now: { waiting: () => number }) {
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
    help: 'Time until a request was answered, including Prefer: wait',
    labelNames: ['route'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    registers,
  });
  const accepted = new Counter({
    name: name('accepted_associations_total'),
    help: 'Associations that this gateway has enqueued',
    registers,
  });
  addGauge(
    registry,
    name('waiting_requests'),
    'Requests that wait for their outcome (Prefer: wait)',
    now.waiting,
  );
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
