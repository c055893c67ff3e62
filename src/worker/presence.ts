/** What a replica tells the others of itself and learns of them: its heartbeat, its place beside them, and its health. Wiring only. */
import type { Redis } from 'ioredis';
import type { Quota } from '../hubspot/quota.js';
import type { Keys } from '../shared/contract/keys.js';
import type { Config } from '../shared/runtime/config.js';
import { answersAfresh } from '../shared/runtime/fresh-connection.js';
import type { Logger } from '../shared/runtime/logger.js';
import { Notifier } from '../shared/runtime/wait.js';
import { limitsOf } from '../shared/state/capacity.js';
import type { QueueStateReader } from '../shared/state/queue-state.js';
import type { Pipeline } from './pipeline.js';
import { Place } from './place.js';
import type { CommonLimits } from './report/common-limits.js';
import { Health } from './report/health.js';
import { Heartbeat } from './report/heartbeat.js';
import { replicaReport } from './report/replica-report.js';

export type PresenceParts = {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly replica: string;
  readonly read: QueueStateReader;
  readonly quota: Pick<Quota, 'faults'>;
  readonly common: CommonLimits;
  readonly pipeline: Pick<Pipeline, 'state' | 'shared'>;
  /** `quiet`: without what the watch of the connections reports */
  readonly log: Logger;
  readonly quiet: Logger;
};

export type Presence = { readonly health: Health; readonly place: Place; readonly heartbeat: Heartbeat };

export function presenceOf(config: Config, parts: PresenceParts): Presence {
  const { redis, keys, replica, read, quota, common, pipeline, log, quiet: logger } = parts;
  const { state } = pipeline;
  const beat = new Notifier();
  const health = new Health({
    ...{ state, livenessMs: config.livenessSeconds * 1_000, logger: log },
    answersAfresh: () => answersAfresh(config.redis, keys),
  });
  const place = new Place({
    ...{ redis, keys, replica, read, beat, logger, state },
    fetchTrouble: () => health.fetchTrouble,
    faults: () => quota.faults,
    apply: now => pipeline.shared({ ...common.effective, ...now }),
  });
  const heartbeat = new Heartbeat({
    ...{ redis, keys, place, beat, logger, onBeat: health.beat },
    report: replicaReport(replica, limitsOf(config), config.hubspotApiVersion, state),
    onReports: alive => common.learn(alive),
  });
  return { health, place, heartbeat };
}
