/** The dashboard's metrics: those of the queue, which every process exports, and its own. */
import type { Redis } from 'ioredis';
import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import { addGauge, metricName } from '../../shared/runtime/metrics-server.js';
import { addQueueMetrics } from '../../shared/state/queue-metrics.js';
import type { QueueStateReader } from '../../shared/state/queue-state.js';

export function createDashboardMetrics(redis: Redis, read: QueueStateReader, viewers: () => number) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addQueueMetrics(registry, redis, read);
  addGauge(registry, metricName('dashboard_viewers'), 'Open pages', viewers);
  const passwords = new Counter({
    name: metricName('dashboard_passwords_refused_total'),
    help: 'Passwords that were wrong, or not compared because too many wrong ones came before',
    labelNames: ['why'],
    registers: [registry],
  });
  return { registry, passwordRefused: (why: 'wrong' | 'too_many') => passwords.inc({ why }) };
}
