/** Composition root of `association-queue worker`: one replica. Wiring only. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { JobQueue } from '../bullmq/job-queue.js';
import { Quota } from '../hubspot/quota.js';
import { Turnstile } from '../hubspot/turnstile.js';
import { messageOf } from '../shared/contract/errors.js';
import { accountKeys, queueName } from '../shared/contract/keys.js';
import type { Config } from '../shared/runtime/config.js';
import { compactHeap } from '../shared/runtime/gc.js';
import { runUntilSignal, type Service } from '../shared/runtime/lifecycle.js';
import { createLogger, type Logger } from '../shared/runtime/logger.js';
import { MetricsServer } from '../shared/runtime/metrics-server.js';
import { redisPlace } from '../shared/runtime/redis-url.js';
import { RedisWatch } from '../shared/runtime/redis-watch.js';
import { startTracing, type Tracing } from '../shared/runtime/tracing.js';
import { limitsOf } from '../shared/state/capacity.js';
import { addQueueMetrics } from '../shared/state/queue-metrics.js';
import { queueStateReader } from '../shared/state/queue-state.js';
import { accountLimits } from '../shared/state/smallest-limits.js';
import { AlertWatch } from './alerts/watch.js';
import { Coalescer } from './batches/lanes.js';
import { Caller } from './calls/caller.js';
import { Delivery } from './calls/delivery.js';
import { Evidence } from './calls/evidence.js';
import { Gate } from './calls/gate.js';
import { lateWarning } from './calls/late-warning.js';
import { Searches } from './calls/searches.js';
import { tokenSource } from './calls/token.js';
import { Dispatcher } from './dispatcher.js';
import { Intake } from './jobs/intake.js';
import { Ledger } from './jobs/ledger.js';
import { Prefetch } from './jobs/prefetch.js';
import { Processor } from './jobs/processor.js';
import { CapacityMeter } from './report/capacity.js';
import { CommonLimits } from './report/common-limits.js';
import { Heartbeat, stateOf } from './report/heartbeat.js';
import { createWorkerMetrics } from './report/metrics.js';
import { WorkTracing } from './report/tracing.js';
import { Work } from './work.js';

/**
 * While there is a backlog, a batch that is not full yet waits this many lingers: jobs of one association arrive at some
 * thousand a second, and 250 ms of them do not fill a call. Bounded, so that a rare object pair is not starved by others.
 */
const BACKLOG_PATIENCE = 8;

/**
 * Batches in memory beyond those being sent: two that stand ready, and four whose jobs are on their way from Redis. With
 * two in all, the slots waited for jobs a twentieth of the time.
 */
const PREFETCHED_BATCHES = 6;

/** A job's data has about that for each of its pairs: what is fetched of high priority for one call. */
const BYTES_PER_PAIR = 32;

/** Runs until SIGTERM or SIGINT. */
export async function runWorker(config: Config): Promise<void> {
  if (config.compactHeap === 'true') compactHeap();
  const logger = createLogger(config.logLevel, 'worker');
  for (const warning of config.warnings) logger.warn({ event: 'settings' }, warning);
  const tracing = await startTracing('worker', process.env);
  await runUntilSignal([...(tracing ? [tracing] : []), ...workerServices(config, logger, tracing)], logger);
}

function workerServices(config: Config, log: Logger, tracing: Tracing | undefined): Service[] {
  const traces = tracing && new WorkTracing(tracing);
  const keys = accountKeys(config.queuePrefix);
  const watch = new RedisWatch({
    ...{ url: config.redisUrl, keys, logger: log },
    consequence: 'waiting for it, nothing is lost',
  });
  const redis = watch.open('commands', 'patient');
  const logger = watch.quiet(log);
  const id = randomBytes(4).toString('hex');
  let batches = 0;
  const quota = new Quota(redis, keys, {
    limit: config.rateLimitCalls,
    windowMs: config.rateLimitWindowMs,
    dailyLimit: config.dailyCallLimit,
    timeZone: config.accountTimezone,
    probeMs: config.requestTimeoutMs + 5_000,
    firstPauseMs: config.retryBackoffMs,
  });
  const ledger = new Ledger(redis, keys, logger, {
    onSettled: entry => metrics.settled(entry),
    onCreated: associations => metrics.created(associations),
  });
  const token = tokenSource(config, logger);
  const caller = new Caller(
    {
      baseUrl: config.hubspotBaseUrl,
      apiVersion: config.hubspotApiVersion,
      timeoutMs: config.requestTimeoutMs,
      maxSockets: config.maxConcurrentCalls,
      windowMs: config.rateLimitWindowMs,
    },
    { token: token.current, onRateLimitHeader: calls => quota.tighten(calls) },
  );
  const batchesInMemory = config.maxConcurrentCalls + PREFETCHED_BATCHES;
  const associationsInMemory = batchesInMemory * config.batchMaxInputs;
  const searches = new Searches(batchesInMemory, () => intake.lookForRoom());
  const prefetch = new Prefetch(
    { associations: associationsInMemory, jobs: Math.max(12 * config.batchMaxInputs, 1_000) },
    () => searches.inputs + coalescer.suspects,
  );
  const coalescer: Coalescer = new Coalescer({
    maxInputs: config.batchMaxInputs,
    lingerMs: high => config.batchLingerMs * (intake.hasMore && !high ? BACKLOG_PATIENCE : 1),
    now: () => performance.now(),
    onChange: () => dispatcher.wake(),
    batchId: () => {
      batches += 1;
      return `${id}-${batches}`;
    },
  });
  const metrics = createWorkerMetrics({
    jobs: () => prefetch.jobs,
    associations: () => prefetch.associations,
    waiting: () => coalescer.size,
    search: () => searches.report(coalescer.suspects),
  });
  const limits = limitsOf(config);
  addQueueMetrics(metrics.registry, redis, queueStateReader(keys, limits));
  const common = new CommonLimits(limits, smallest => quota.adopt(smallest), logger);
  const capacity = new CapacityMeter(redis, keys, () => common.effective);
  const turnstile: Turnstile = new Turnstile(quota, ms => metrics.quotaWait(ms));
  const gate = new Gate({
    ...{ quota, turnstile, maxConcurrentCalls: config.maxConcurrentCalls },
    onTurn: line => searches.called(line),
  });
  const delivery = new Delivery({
    create: (call, ...rest) => {
      const send = () => caller.create(call, ...rest);
      return traces ? traces.call(call, send) : send();
    },
    ...{ quota, gate, searches },
    evidence: new Evidence(() => performance.now()),
    onHigh: () =>
      void intake
        .fetchHigh()
        .catch(error => logger.warn({ event: 'redis', error: messageOf(error) }, 'no jobs of high priority')),
    windowMs: config.rateLimitWindowMs,
    renewToken: token.renew,
    onCall: (status, ms) => {
      ledger.countCall(status);
      metrics.call(status, ms);
      capacity.call(ms);
    },
    onExpired: lateWarning(logger, config.rateLimitWindowMs),
    logger,
  });
  const dispatcher: Dispatcher = new Dispatcher({
    ...{ coalescer, quota, gate },
    delivery: {
      deliver(batch, turn, signal) {
        const deliver = () => delivery.deliver(batch, turn, signal);
        return traces ? traces.batch(batch, deliver) : deliver();
      },
    },
    mostSuspects: associationsInMemory,
    handOn: () => intake.handOn(),
    onNoneFull: () => intake.widen(),
    fetchHigh: () => intake.fetchHigh(),
    onBatch: (batch, report, ms) => {
      const { fromObjectType, toObjectType, inputs, trigger, waitedMs, high } = batch;
      const objectPair = `${fromObjectType}/${toObjectType}`;
      const { counts, answers } = report;
      ledger.countBatch({
        ...{ id: batch.id, objectPair, inputs: inputs.size, trigger, counts, answers },
        ms: Math.round(ms),
      });
      metrics.batch(batch, report);
      if (trigger === 'full') prefetch.narrow();
      const times = { waitedMs: Math.round(waitedMs), ms: Math.round(ms) };
      logger.info({
        event: 'batch',
        batch: batch.id,
        objectPair,
        inputs: inputs.size,
        trigger,
        ...(high > 0 && { high }),
        ...report.counts,
        calls: report.calls,
        ...times,
      });
    },
    logger,
  });
  const queue = new JobQueue({
    ...{
      redis,
      keys,
      logger,
      id,
      queueName: queueName(),
      prefix: config.queuePrefix,
      lockMs: config.jobLockMs,
    },
    telemetry: tracing?.telemetry,
  });
  const processor = new Processor({
    queue,
    policy: {
      maxAttempts: config.jobAttempts,
      patienceHours: config.unavailablePatienceHours,
      backoffMs: config.retryBackoffMs,
    },
    ledger,
    onEnd: job => intake.ended(job),
    beginSpan: traces && (job => traces.job(job, { queue: queueName(), replica: id })),
    logger,
  });
  const intake: Intake = new Intake({
    queue,
    prefetch,
    process: job => {
      for (const submission of processor.open(job)) dispatcher.submit(submission);
    },
    onChange: () => dispatcher.wake(),
    portion: Math.ceil(config.batchMaxInputs / 2),
    high: { jobs: config.batchMaxInputs, bytes: config.batchMaxInputs * BYTES_PER_PAIR },
    lockMs: config.jobLockMs,
    logger,
  });
  const health = new MetricsServer({
    port: config.metricsPort,
    host: config.metricsHost,
    registry: metrics.registry,
    notReady: () => [...watch.reasons, ...(intake.isRunning ? [] : ['the worker is not running'])],
    notAlive: () => watch.deadly,
    logger,
  });
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const startedAt = Date.now();
  const heartbeat = new Heartbeat(
    redis,
    keys,
    () => ({
      ...{ id, version, host: hostname(), pid: process.pid, startedAt },
      rssBytes: process.memoryUsage.rss(),
      state: stateOf({
        running: intake.isRunning,
        stopping: work.isStopping,
        held: turnstile.isHeld,
        inFlight: gate.inFlight,
        associations: prefetch.associations,
      }),
      inFlight: gate.inFlight,
      maxInFlight: config.maxConcurrentCalls,
      jobs: prefetch.jobs,
      associations: prefetch.associations,
      limits: accountLimits(limits),
      search: searches.report(coalescer.suspects),
    }),
    alive => common.learn(alive),
    logger,
  );
  const work: Work = new Work({
    ...{ caller, quota, dispatcher, intake, logger },
    limitsKnown: () => heartbeat.first,
    shutdownTimeoutMs: config.shutdownTimeoutMs,
    about: { queue: queueName(), redis: redisPlace(config.redisUrl), hubspot: config.hubspotBaseUrl },
  });
  const webhookUrl = config.alertWebhookUrl;
  const alerts =
    webhookUrl === undefined
      ? []
      : [
          new AlertWatch({
            redis,
            keys,
            queue: queueName(),
            webhookUrl,
            rejectionRate: config.alertRejectionRate,
            logger,
          }),
        ];
  const watched = config.metricsPort === 0 ? [] : [health];
  return [watch, ...watched, heartbeat, ...alerts, work, capacity];
}
