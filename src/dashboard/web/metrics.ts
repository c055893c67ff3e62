/** The dashboard's metrics: the queue's, as every process of ours exports them, and who looks at the page. */
import type { Redis } from 'ioredis';
import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import { addGauge, metricName } from '../../shared/runtime/metrics-server.js';
import { addQueueMetrics } from '../../shared/state/queue-metrics.js';
import type { QueueStateReader } from '../../shared/state/queue-state.js';

export function createDashboardMetrics(redis: Redis, read: QueueStateReader, viewers: () => number) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addQueueMetrics(registry, redis, read);
  addGauge(registry, metricName('dashboard_viewers'), 'Pages that are open at the moment', viewers);
  const passwords = new Counter({
    name: metricName('dashboard_passwords_refused_total'),
    help: 'Passwords that were wrong, or not compared because there had been too many wrong ones',
    labelNames: ['why'],
    registers: [registry],
  });
  return { registry, passwordRefused: (why: 'wrong' | 'too_many') => passwords.inc({ why }) };
}
