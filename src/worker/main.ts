/** Composition root of `association-queue worker`: one replica. Wiring only. */
import { randomBytes } from 'node:crypto';
import { JobQueue } from '../bullmq/job-queue.js';
import { httpOptions } from '../hubspot/http.js';
import { Quota, quotaOptions } from '../hubspot/quota.js';
import { accountKeys, queueName } from '../shared/contract/keys.js';
import { logApiVersion } from '../shared/runtime/calendar-log.js';
import type { Config } from '../shared/runtime/config.js';
import { compactHeap } from '../shared/runtime/gc.js';
import { runUntilSignal, type Service } from '../shared/runtime/lifecycle.js';
import { createLogger, type Logger } from '../shared/runtime/logger.js';
import { redisPlace } from '../shared/runtime/redis-url.js';
import { RedisWatch } from '../shared/runtime/redis-watch.js';
import { startTracing } from '../shared/runtime/start-tracing.js';
import type { Tracing } from '../shared/runtime/tracing.js';
import { limitsOf } from '../shared/state/capacity.js';
import { addQueueMetrics } from '../shared/state/queue-metrics.js';
import { queueStateReader } from '../shared/state/queue-state.js';
import { addRedisMetrics } from '../shared/state/redis-metrics.js';
import { announcersOf } from '../shared/webhooks/announcer.js';
import { Caller } from './calls/caller.js';
import { tokenSource } from './calls/token.js';
import { endpoints } from './endpoints.js';
import { Ledger } from './jobs/ledger.js';
import { OperatorWatch } from './operators.js';
import { createPipeline } from './pipeline.js';
import { presenceOf } from './presence.js';
import { CapacityMeter } from './report/capacity-meter.js';
import { CommonLimits } from './report/common-limits.js';
import { WorkReport } from './report/work-report.js';
import { WorkTracing } from './report/work-tracing.js';
import { addPipelineMetrics, createWorkerMetrics } from './report/worker-metrics.js';
import { Work } from './work.js';

/** Runs until SIGTERM or SIGINT. */
export async function runWorker(config: Config): Promise<void> {
  if (config.compactHeap === 'true') compactHeap();
  const logger = createLogger(config.logLevel, 'worker', { format: config.logFormat });
  for (const warning of config.warnings) logger.warn({ event: 'settings' }, warning);
  logApiVersion(logger, config.hubspotApiVersion);
  const tracing = await startTracing('worker', process.env);
  await runUntilSignal([...(tracing ? [tracing] : []), ...workerServices(config, logger, tracing)], logger);
}

/** The parts of one replica in the order of their start. (bench/replicas.ts runs several in one process.) */
export function workerServices(config: Config, log: Logger, tracing: Tracing | undefined): Service[] {
  const { queuePrefix: prefix, redis: address, rateLimitWindowMs: windowMs } = config;
  const [keys, queue, id] = [accountKeys(prefix), queueName(), randomBytes(4).toString('hex')];
  const limits = limitsOf(config);
  const consequence = 'waiting for it, nothing is lost';
  const watch = new RedisWatch({ address, keys, logger: log, consequence });
  const [redis, logger] = [watch.open('commands', 'patient'), watch.quiet(log)];

  const quota = new Quota(redis, keys, quotaOptions(config));
  const metrics = createWorkerMetrics();
  const ledger = new Ledger(redis, keys, logger, metrics);
  const common = new CommonLimits(limits, smallest => quota.adopt(smallest), logger);
  const capacity = new CapacityMeter(redis, keys, () => common.effective);
  const token = tokenSource(config, logger);
  const caller = new Caller(
    { ...httpOptions(config), maxSockets: config.maxConcurrentCalls },
    { token: token.current, onRateLimitHeader: calls => quota.tighten(calls) },
  );
  const { telemetry } = tracing ?? {};
  const jobs = new JobQueue({
    ...{ redis, keys, prefix, id, telemetry, logger },
    queueName: queue,
    lockMs: config.jobLockMs,
  });
  const cancelled = new Set<string>();
  const pipeline = createPipeline({
    ...{ settings: config, cancelled, replica: id, ledger, quota, caller, token, logger },
    queue: jobs,
    report: new WorkReport({ ledger, metrics, capacity, windowMs, logger }),
    traces: tracing && new WorkTracing(tracing, { queue, replica: id }),
  });
  const operators = new OperatorWatch({
    ...{ redis, keys, cancelled, onCancelled: pipeline.giveBackCancelled, logger },
  });
  addPipelineMetrics(metrics.registry, pipeline.state, jobs.note);
  const read = queueStateReader(keys, limits);
  addQueueMetrics(metrics.registry, redis, read);
  addRedisMetrics(metrics.registry, redis, () => watch.facts);

  const { health, place, heartbeat } = presenceOf(config, {
    ...{ redis, keys, replica: id, read, quota, common, pipeline, log, quiet: logger },
  });
  const work = new Work({
    ...{ caller, quota, pipeline, heartbeat, logger },
    shutdownTimeoutMs: config.shutdownTimeoutMs,
    about: { queue, redis: redisPlace(address), hubspot: config.hubspotBaseUrl },
  });
  const { registry } = metrics;
  const served = endpoints(config, { watch, health, jobs, operators, place, registry, logger });
  const announcers = announcersOf(config, { redis, keys, logger });
  return [watch, ...served, health, heartbeat, place, operators, ...announcers, work, capacity];
}
