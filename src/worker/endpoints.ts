/** The endpoints of a worker for machines (METRICS_PORT; 0 = none): what each of its parts has to say there. */
import type { Registry } from 'prom-client';
import type { JobQueue } from '../bullmq/job-queue.js';
import type { Config } from '../shared/runtime/config.js';
import type { Service } from '../shared/runtime/lifecycle.js';
import type { Logger } from '../shared/runtime/logger.js';
import { MetricsServer } from '../shared/runtime/metrics-server.js';
import type { RedisWatch } from '../shared/runtime/redis-watch.js';
import type { OperatorWatch } from './operators.js';
import type { Place } from './place.js';
import type { Health } from './report/health.js';

export type EndpointParts = {
  readonly watch: Pick<RedisWatch, 'reasons'>;
  readonly health: Pick<Health, 'notReady' | 'notAlive'>;
  readonly jobs: Pick<JobQueue, 'note'>;
  readonly operators: Pick<OperatorWatch, 'notes'>;
  readonly place: Pick<Place, 'notes'>;
  readonly registry: Registry;
  readonly logger: Logger;
};

export function endpoints({ metricsPort: port, metricsHost: host }: Config, parts: EndpointParts): Service[] {
  const { watch, health, jobs, operators, place, registry, logger } = parts;
  if (port === 0) return [];
  return [
    new MetricsServer({
      ...{ port, host, registry, logger },
      notReady: () => [...watch.reasons, ...health.notReady],
      notAlive: () => health.notAlive,
      notes: () => [...(jobs.note === undefined ? [] : [jobs.note]), ...operators.notes, ...place.notes],
    }),
  ];
}
