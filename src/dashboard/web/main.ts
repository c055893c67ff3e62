/** Composition root of `association-queue dashboard`. Wiring only. */
import { readFileSync } from 'node:fs';
import { Queue } from 'bullmq';
import { accountKeys, DEFAULT_ACCOUNT, queueName } from '../../shared/contract/keys.js';
import type { Config } from '../../shared/runtime/config.js';
import { runUntilSignal, type Service } from '../../shared/runtime/lifecycle.js';
import { listening } from '../../shared/runtime/listen-error.js';
import { createLogger, type Logger } from '../../shared/runtime/logger.js';
import { redisPlace } from '../../shared/runtime/redis-url.js';
import { RedisWatch } from '../../shared/runtime/redis-watch.js';
import { settlesWithin, sleep } from '../../shared/runtime/wait.js';
import { writeRefusal } from '../../shared/runtime/write-probe.js';
import { limitsOf } from '../../shared/state/capacity.js';
import { queueStateReader } from '../../shared/state/queue-state.js';
import { addRedisMetrics } from '../../shared/state/redis-metrics.js';
import { announcersOf } from '../../shared/webhooks/announcer.js';
import { type QueueAccess, replicasOf } from '../connection.js';
import { Overview } from '../overview/overview.js';
import { loadAssets } from './assets.js';
import { createDashboardMetrics } from './dashboard-metrics.js';
import { PasswordDoor } from './password-door.js';
import { Poller } from './poller.js';
import { createServer } from './server.js';

/** While no worker is alive, the dashboard takes the samples of the backlog. */
const SAMPLE_MS = 30_000;
const STOP_MS = 2_000;

/** Runs until SIGTERM or SIGINT. */
export async function runDashboard(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel, 'dashboard', { format: config.logFormat });
  for (const warning of config.warnings) logger.warn({ event: 'settings' }, warning);
  await runUntilSignal([createDashboard(config, logger)], logger);
}

function createDashboard(config: Config, log: Logger): Service {
  const account = DEFAULT_ACCOUNT;
  const keys = accountKeys(config.queuePrefix, account);
  const watch = new RedisWatch({
    ...{ address: config.redis, keys, logger: log },
    readsOnly: true,
    consequence: 'the page shows this until Redis can be used',
  });
  const redis = watch.open('commands', 'hasty');
  const logger = watch.quiet(log);
  // sends the commands of one reading together
  redis.options.enableAutoPipelining = true;
  const queue = new Queue(queueName(account), {
    connection: redis,
    prefix: config.queuePrefix,
    skipMetasUpdate: true, // reading a queue must not create it
    // otherwise BullMQ waits for a connection once, at the start, and keeps a failure for ever
    skipVersionCheck: true,
    skipWaitingForReady: true,
  });
  queue.on('error', () => {}); // the caller gets the error as a rejection
  const access: QueueAccess = { account, redis, queue, keys, replicas: replicasOf(config, redis, keys) };
  const overview = new Overview(access, config);
  const poller = new Poller(overview);
  const { dashboardUser: user, dashboardPassword: password } = config;
  const { registry, passwordRefused } = createDashboardMetrics(
    redis,
    queueStateReader(access.keys, limitsOf(config)),
    () => poller.viewers,
  );
  addRedisMetrics(registry, redis, () => watch.facts);
  const app = createServer({
    access,
    overview,
    poller,
    assets: loadAssets(),
    setup: {
      account,
      version: readVersion(),
      readOnly: config.dashboardReadOnly === 'true',
    },
    passwordDoor:
      password === undefined ? undefined : new PasswordDoor({ user, password }, passwordRefused, logger),
    registry,
    notReady: () => watch.reasons,
    logger,
  });
  // on a replica a refused write would end the connection; a login for readers may not write at all
  const canWrite = async () => !/READONLY|NOPERM/.test(await writeRefusal(redis, keys));
  const announcers = announcersOf(config, { redis, keys, logger, canWrite });
  const stopping = new AbortController();
  const upkeep = async () => {
    let compared = false;
    while (!stopping.signal.aborted) {
      try {
        if (await canWrite()) {
          if (!compared) await overview.sweep.round(); // rejections of an earlier version, or of other clients
          compared = true;
          await overview.sample();
        }
      } catch {
        // the watch reports the error
      }
      await sleep(compared ? SAMPLE_MS : 1_000, stopping.signal);
    }
  };
  return {
    fatal: watch.fatal,
    async start() {
      await watch.start();
      const place = { port: config.dashboardPort, host: config.dashboardHost };
      const url = await listening(() => app.listen(place), {
        ...place,
        portSetting: 'DASHBOARD_PORT',
        hostSetting: 'DASHBOARD_HOST',
      });
      void upkeep();
      for (const announcer of announcers) await announcer.start();
      const readOnly = config.dashboardReadOnly === 'true';
      logger.info({ event: 'started', url, readOnly, redis: redisPlace(config.redis) }, `dashboard: ${url}`);
    },
    async stop() {
      const wasListening = app.server.listening; // otherwise there is an error to read, and nothing that stopped
      stopping.abort();
      poller.stop();
      for (const announcer of announcers) await announcer.stop();
      const closed = app.close();
      app.server.closeAllConnections();
      await settlesWithin(closed, STOP_MS);
      await queue.close().catch(() => {});
      await watch.stop();
      if (wasListening) logger.info({ event: 'stopped' });
    },
  };
}

function readVersion(): string {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
