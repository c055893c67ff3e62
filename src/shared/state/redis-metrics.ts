/**
 * What kind of Redis it is, as metrics, from what the watch has found out. All processes export them. They are absent where
 * Redis does not tell, and while it is away.
 */
import type { Redis } from 'ioredis';
import { Gauge, type Registry } from 'prom-client';
import { metricName } from '../runtime/metrics-server.js';
import { PERSISTENCE_KINDS, type ServerFacts } from '../runtime/redis-facts.js';
import { QUEUE_WIDE } from './queue-metrics.js';

/** @param redis a connection of any role; it need not be ready */
export function addRedisMetrics(
  registry: Registry,
  redis: Redis,
  facts: () => ServerFacts | undefined,
): void {
  const known = () => (redis.status === 'ready' ? facts() : undefined);
  new Gauge({
    name: metricName('redis_evicts'),
    help: `1 where a full Redis deletes keys (maxmemory-policy is not noeviction)${QUEUE_WIDE}`,
    registers: [registry],
    collect() {
      const evicts = known()?.evicts ?? null;
      if (evicts === null) this.remove();
      else this.set(Number(evicts));
    },
  });
  new Gauge({
    name: metricName('redis_persistence'),
    help: `What Redis writes to disk: aof (every change), rdb (snapshots only), none, unknown; 1 for the kind in use${QUEUE_WIDE}`,
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      this.reset();
      const persistence = known()?.persistence;
      if (persistence === undefined) return;
      for (const kind of PERSISTENCE_KINDS) this.set({ kind }, Number(kind === persistence));
    },
  });
}
