// Makes the table of metrics in docs/reference/metrics.md from the registries of the processes.
import { Registry } from 'prom-client';
import { createDashboardMetrics } from '../dist/dashboard/web/dashboard-metrics.js';
import { createGatewayMetrics } from '../dist/gateway/gateway-metrics.js';
import { addQueueMetrics } from '../dist/shared/state/queue-metrics.js';
import { addRedisMetrics } from '../dist/shared/state/redis-metrics.js';
import { addPipelineMetrics, createWorkerMetrics } from '../dist/worker/report/worker-metrics.js';

const none = () => 0;

/** Markdown, without a newline at the end. */
export function metricsTable() {
  const queue = new Registry();
  const away = [{ status: 'end' }, async () => undefined];
  addQueueMetrics(queue, ...away);
  addRedisMetrics(queue, away[0], () => undefined);
  const worker = createWorkerMetrics().registry;
  addPipelineMetrics(worker, none, undefined);
  const groups = [
    ['all', queue],
    ['worker', worker],
    ['gateway', createGatewayMetrics({ waiting: none }).registry],
    ['dashboard', createDashboardMetrics(...away, none).registry],
  ];
  const common = new Set(queue.getMetricsAsArray().map(({ name }) => name));
  const rows = groups.flatMap(([process, registry]) =>
    registry
      .getMetricsAsArray()
      .filter(({ name }) => name.startsWith('association_') && (process === 'all' || !common.has(name)))
      .map(({ name, type, labelNames, help }) => {
        const labels = labelNames.length > 0 ? `{${labelNames.join(', ')}}` : '';
        return `| \`${name}${labels}\` | ${type} | ${process} | ${help.replace(/ \(queue-wide.*\)$/, '')} |`;
      }),
  );
  return ['| metric | type | exported by | meaning |', '|---|---|---|---|', ...rows].join('\n');
}
