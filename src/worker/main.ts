/** Composition root of `association-queue worker`: one replica. Wiring only. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Quota } from '../hubspot/quota.js';
import { Turnstile } from '../hubspot/turnstile.js';
import { limitsOf } from '../shared/capacity.js';
import { type Config, readTokenFile } from '../shared/config.js';
import { messageOf } from '../shared/errors.js';
import { runUntilSignal, type Service } from '../shared/lifecycle.js';
import { createLogger, type Logger } from '../shared/logger.js';
import { MetricsServer } from '../shared/metrics.js';
import { accountKeys, queueName } from '../shared/queue.js';
import { addQueueMetrics } from '../shared/queue-metrics.js';
import { queueStateReader } from '../shared/queue-state.js';
import { openRedis, redisPlace } from '../shared/redis.js';
import { startTracing, type Tracing } from '../shared/tracing.js';
import { settlesWithin } from '../shared/wait.js';
import { AlertWatch } from './alerts/watch.js';
import { Caller } from './caller.js';
import { CapacityMeter } from './capacity.js';
import { Coalescer } from './coalescer.js';
import { Delivery } from './delivery.js';
import { Dispatcher } from './dispatcher.js';
import { Heartbeat, stateOf } from './heartbeat.js';
import { Ledger } from './ledger.js';
import { createWorkerMetrics } from './metrics.js';
import { Prefetch } from './prefetch.js';
import { Processor } from './processor.js';
import { WorkTracing } from './tracing.js';

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

/** Runs until SIGTERM or SIGINT. */
export async function runWorker(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel, 'worker');
  const tracing = await startTracing('worker', process.env);
  await runUntilSignal([...(tracing ? [tracing] : []), ...workerServices(config, logger, tracing)], logger);
}

function workerServices(config: Config, logger: Logger, tracing: Tracing | undefined): Service[] {
  const traces = tracing && new WorkTracing(tracing);
  const redis = openRedis(config.redisUrl, 'patient', error =>
    logger.warn(
      { event: 'redis', error: messageOf(error) },
      `no connection to ${redisPlace(config.redisUrl)}; waiting for it`,
    ),
  );
  const keys = accountKeys(config.queuePrefix);
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
  const ledger = new Ledger(redis, keys, logger);
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
  const prefetch = new Prefetch({
    associations: (config.maxConcurrentCalls + PREFETCHED_BATCHES) * config.batchMaxInputs,
    jobs: Math.max(4 * config.batchMaxInputs, 1_000),
    run: 1_000,
  });
  const coalescer: Coalescer = new Coalescer({
    maxInputs: config.batchMaxInputs,
    lingerMs: high => config.batchLingerMs * (processor.hasMore && !high ? BACKLOG_PATIENCE : 1),
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
  });
  const limits = limitsOf(config);
  addQueueMetrics(metrics.registry, redis, queueStateReader(keys, limits));
  const capacity = new CapacityMeter(redis, keys, limits);
  const turnstile: Turnstile = new Turnstile(quota, ms => metrics.quotaWait(ms));
  const delivery = new Delivery({
    create: (call, ...rest) => {
      const send = () => caller.create(call, ...rest);
      return traces ? traces.call(call, send) : send();
    },
    quota,
    turnstile,
    windowMs: config.rateLimitWindowMs,
    renewToken: token.renew,
    onCall: (status, ms) => {
      ledger.countCall(status);
      metrics.call(status, ms);
      capacity.call(ms);
    },
    logger,
  });
  const dispatcher: Dispatcher = new Dispatcher({
    coalescer,
    quota,
    turnstile,
    delivery: {
      deliver(batch, permit, signal) {
        const deliver = () => delivery.deliver(batch, permit, signal);
        return traces ? traces.batch(batch, deliver) : deliver();
      },
    },
    maxConcurrentCalls: config.maxConcurrentCalls,
    fetchHigh: () => processor.fetchHigh(),
    onBatch: (batch, report, ms) => {
      const { fromObjectType, toObjectType, inputs, trigger, waitedMs, high } = batch;
      const objectPair = `${fromObjectType}/${toObjectType}`;
      const { counts, answers } = report;
      ledger.countBatch({
        ...{ id: batch.id, objectPair, inputs: inputs.length, trigger, counts, answers },
        ms: Math.round(ms),
      });
      metrics.batch(batch, report);
      const times = { waitedMs: Math.round(waitedMs), ms: Math.round(ms) };
      logger.info({
        event: 'batch',
        batch: batch.id,
        objectPair,
        inputs: inputs.length,
        trigger,
        ...(high > 0 && { high }),
        ...report.counts,
        calls: report.calls,
        ...times,
      });
    },
    logger,
  });
  const processor: Processor = new Processor({
    redis,
    keys,
    queueName: queueName(),
    prefix: config.queuePrefix,
    maxAttempts: config.jobAttempts,
    backoffMs: config.retryBackoffMs,
    lockMs: config.jobLockMs,
    maxInputs: config.batchMaxInputs,
    prefetch,
    submit: submission => dispatcher.submit(traces ? traces.carry(submission) : submission),
    settle: async entry => {
      const ours = await ledger.settle(entry);
      if (ours) metrics.settled(entry);
      return ours;
    },
    onNoMore: () => dispatcher.wake(),
    telemetry: tracing?.telemetry,
    logger,
  });
  const health = new MetricsServer({
    port: config.metricsPort,
    registry: metrics.registry,
    notReady: () => [
      ...(redis.status === 'ready' ? [] : [`Redis: ${redis.status}`]),
      ...(processor.isRunning ? [] : ['the worker is not running']),
    ],
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
        running: processor.isRunning,
        stopping,
        held: turnstile.isHeld,
        inFlight: dispatcher.inFlight,
        associations: prefetch.associations,
      }),
      inFlight: dispatcher.inFlight,
      maxInFlight: config.maxConcurrentCalls,
      jobs: prefetch.jobs,
      associations: prefetch.associations,
    }),
    logger,
  );
  let stopping = false;
  const work: Service = {
    async start() {
      await caller.start();
      await quota.startAfresh();
      dispatcher.start();
      await processor.start();
      const replica = `${hostname()}:${process.pid}`;
      logger.info({
        event: 'started',
        replica,
        queue: queueName(),
        redis: redisPlace(config.redisUrl),
        hubspot: config.hubspotBaseUrl,
      });
    },
    /** stop fetching → flush open batches → wait for calls in flight → give the rest back */
    async stop() {
      stopping = true;
      const drained = processor.drain();
      dispatcher.flush();
      const graceMs = config.shutdownTimeoutMs * 0.8;
      const inTime = await settlesWithin(drained, graceMs);
      if (!inTime)
        logger.warn(
          { event: 'deadline', graceMs },
          'calls still in flight are given up, their associations go back',
        );
      // with Redis away neither can end
      await settlesWithin(Promise.all([dispatcher.abort(), drained]), config.shutdownTimeoutMs - graceMs);
      await caller.close();
      logger.info({ event: 'stopped' });
    },
  };
  const connection: Service = {
    start: () => redis.connect().catch(() => {}), // it says so itself, and goes on trying
    async stop() {
      redis.disconnect();
    },
  };
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
  return [connection, ...watched, heartbeat, ...alerts, work, capacity];
}

type TokenSource = { current: () => string; renew: (sentAt: number) => Promise<boolean> };

/** The token, and where a newer one may come from: the file that HUBSPOT_ACCESS_TOKEN_FILE names. */
function tokenSource(config: Config, logger: Logger): TokenSource {
  let token = config.hubspotAccessToken ?? '';
  let renewedAt = 0;
  return {
    current: () => token,
    async renew(sentAt) {
      // calls that were in flight together are refused together: the first one has renewed it for all
      if (renewedAt > sentAt) return true;
      const file = config.hubspotAccessTokenFile;
      if (!file) return false;
      try {
        const newest = readTokenFile(file);
        if (newest === token) return false;
        token = newest;
        renewedAt = performance.now();
        return true;
      } catch (error) {
        logger.error({ event: 'token', error: messageOf(error) }, 'HUBSPOT_ACCESS_TOKEN_FILE cannot be read');
        return false;
      }
    },
  };
}
