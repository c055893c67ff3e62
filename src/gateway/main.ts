/** Composition root of `association-queue gateway`. Wiring only. */
import { readFileSync } from 'node:fs';
import { hubspotOptions, openLabels } from '../labels/open-labels.js';
import { TypeWarner } from '../labels/type-warnings.js';
import { accountKeys } from '../shared/contract/keys.js';
import { logApiVersion } from '../shared/runtime/calendar-log.js';
import { apiKeys, type Config } from '../shared/runtime/config.js';
import { runUntilSignal, type Service } from '../shared/runtime/lifecycle.js';
import { listening } from '../shared/runtime/listen-error.js';
import { createLogger, type Logger } from '../shared/runtime/logger.js';
import { redisPlace } from '../shared/runtime/redis-url.js';
import { RedisWatch } from '../shared/runtime/redis-watch.js';
import { ReplicaWait } from '../shared/runtime/replicas.js';
import { startTracing } from '../shared/runtime/start-tracing.js';
import type { Tracing } from '../shared/runtime/tracing.js';
import { settlesWithin } from '../shared/runtime/wait.js';
import { cancelRequest } from '../shared/state/cancel-request.js';
import { limitsOf } from '../shared/state/capacity.js';
import { Outcomes } from '../shared/state/outcomes.js';
import { addQueueMetrics } from '../shared/state/queue-metrics.js';
import { queueStateReader } from '../shared/state/queue-state.js';
import { addRedisMetrics } from '../shared/state/redis-metrics.js';
import { announcersOf } from '../shared/webhooks/announcer.js';
import { Backlog } from './backlog.js';
import { createGatewayMetrics } from './gateway-metrics.js';
import { traceRequests, untraced } from './request-tracing.js';
import { Cancels } from './requests/cancel.js';
import { Requests } from './requests/note.js';
import { SharedJobs } from './requests/shared.js';
import { createServer } from './server.js';

const DAY_SECONDS = 86_400;
/** Longest wait for replicas: a command may come behind one such wait, and must be answered within its own deadline. */
const REPLICAS_MS = 400;

/** Runs until SIGTERM or SIGINT. */
export async function runGateway(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel, 'gateway', { format: config.logFormat });
  for (const warning of config.warnings) logger.warn({ event: 'settings' }, warning);
  logApiVersion(logger, config.hubspotApiVersion);
  const tracing = await startTracing('gateway', process.env);
  await runUntilSignal([...(tracing ? [tracing] : []), createGateway(config, logger, tracing)], logger);
}

function createGateway(config: Config, log: Logger, tracing: Tracing | undefined): Service {
  const keys = accountKeys(config.queuePrefix);
  const watch = new RedisWatch({
    ...{ address: config.redis, keys, logger: log },
    consequence: 'requests are refused until it can',
  });
  const commands = watch.open('commands', 'hasty');
  const subscriber = watch.open('outcomes', 'hasty');
  const logger = watch.quiet(log);
  const readState = queueStateReader(keys, limitsOf(config));
  const backlog = new Backlog(() => readState(commands), config.maxQueuedAssociations);
  const outcomes = new Outcomes(subscriber, keys);
  const replicas = new ReplicaWait(commands, keys, {
    replicas: config.redisWaitReplicas,
    timeoutMs: REPLICAS_MS,
  });
  const requests = new Requests({
    ...{ redis: commands, keys, prefix: config.queuePrefix, replicas, tracing },
    keepSeconds: config.requestRetentionDays * DAY_SECONDS,
  });
  const metrics = createGatewayMetrics({ waiting: () => outcomes.size });
  addQueueMetrics(metrics.registry, commands, readState);
  addRedisMetrics(metrics.registry, commands, () => watch.facts);
  const labels = openLabels(hubspotOptions(config), {
    redis: commands,
    connected: async () => {
      if (commands.status !== 'ready') throw new Error('Redis is away');
    },
    keys,
  });
  const warner = new TypeWarner(warning => logger.warn({ event: 'type' }, warning));
  const announcers = announcersOf(config, { redis: commands, keys, logger });
  const stopping = new AbortController();
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const app = createServer({
    requests,
    cancels: new Cancels(
      (id, by, options) => cancelRequest({ redis: commands, keys, replicas }, id, by, options),
      stopping.signal,
    ),
    shared: new SharedJobs(requests, tracing),
    outcomes,
    backlog,
    metrics,
    maxInputs: config.gatewayMaxInputs,
    typesOf: wish => labels.resolver.typesOf(wish),
    onWarning: warning => warner.tell(warning),
    onAccepted: metrics.accepted,
    apiKeys: apiKeys(config.gatewayApiKeys),
    version: manifest.version,
    stopping: stopping.signal,
    trace: tracing ? traceRequests(tracing) : untraced,
    logger,
  });
  return {
    fatal: watch.fatal,
    async start() {
      await watch.start();
      const place = { port: config.gatewayPort, host: config.gatewayHost };
      const url = await listening(() => app.listen(place), {
        ...place,
        portSetting: 'GATEWAY_PORT',
        hostSetting: 'GATEWAY_HOST',
      });
      logger.info(
        { event: 'started', url, docs: `${url}/docs`, redis: redisPlace(config.redis) },
        `gateway: ${url}, page /docs`,
      );
      for (const announcer of announcers) await announcer.start();
    },
    /** refuse what is new → answer what was accepted → close Redis */
    async stop() {
      const wasListening = app.server.listening; // otherwise there is an error to read, and nothing that stopped
      stopping.abort();
      const closed = app.close();
      if (!(await settlesWithin(closed, config.shutdownTimeoutMs)))
        logger.warn({ event: 'deadline' }, 'requests whose bodies have not arrived are aborted');
      app.server.closeAllConnections();
      for (const announcer of announcers) await announcer.stop();
      await requests.close();
      outcomes.close();
      labels.close();
      await watch.stop();
      if (wasListening) logger.info({ event: 'stopped' });
    },
  };
}
