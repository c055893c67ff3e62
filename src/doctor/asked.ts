/**
 * Asks Redis, HubSpot and the receivers, everything side by side and each at most once: several checks judge the same
 * answer. An answer that fails rejects its promise; the check that awaits it reports the failure.
 */
import { installedRelease, isKnown, KNOWN } from '../bullmq/fingerprint.js';
import {
  AccountClient,
  type AccountDetails,
  type DailyUsage,
  type TokenInfo,
  type Told,
} from '../hubspot/account.js';
import { HubSpotHttp, httpOptions } from '../hubspot/http.js';
import { accountKeys } from '../shared/contract/keys.js';
import type { Config, Environment } from '../shared/runtime/config.js';
import { openRedis, tryOnce } from '../shared/runtime/redis.js';
import { webUrlFault } from '../shared/runtime/settings.js';
import { wantsTraces } from '../shared/runtime/start-tracing.js';
import { limitsOf } from '../shared/state/capacity.js';
import { type QueueState, queueStateReader } from '../shared/state/queue-state.js';
import { tryConnection } from './ask/connection.js';
import { sampleJobs } from './ask/job-sample.js';
import { askRedis } from './ask/redis-facts.js';
import type { RedisFacts, SampledJob } from './facts.js';
import type { BullmqFacts } from './judge/bullmq.js';
import type { Receiver } from './judge/receivers.js';

/** Longest time of one call to HubSpot, and of one connection. */
const CALL_MS = 10_000;
const CONNECT_MS = 5_000;
/** HubSpot's general limit is per 10 s, whatever window the workers use. */
const HEADER_WINDOW_MS = 10_000;

export type Asked = {
  readonly redis: Promise<RedisFacts>;
  readonly queue: Promise<QueueState>;
  readonly jobs: Promise<readonly SampledJob[]>;
  /** undefined: there is no token to ask with */
  readonly hubspot: Promise<HubSpotFacts> | undefined;
  readonly receivers: Promise<readonly Receiver[]>;
  readonly bullmq: BullmqFacts;
  readonly close: () => void;
};
export type HubSpotFacts = {
  readonly details: Told<AccountDetails>;
  readonly usage: Told<DailyUsage>;
  readonly info: Told<TokenInfo>;
  /** the general limit in the headers of these answers, calls per 10 s; undefined: they have none */
  readonly perTenSeconds: number | undefined;
};

export function askEverything(config: Config, env: Environment): Asked {
  const redis = askingRedis(config);
  const release = installedRelease();
  const { hubspotAccessToken: token } = config;
  const hubspot = token === undefined ? undefined : askHubSpot(config, token);
  hubspot?.catch(() => {}); // the checks that await it report it
  return {
    redis: redis.facts,
    queue: redis.queue,
    jobs: redis.jobs,
    hubspot,
    receivers: askReceivers(config, env),
    bullmq: { version: release.version, isKnown: isKnown(release), known: Object.values(KNOWN) },
    close: redis.close,
  };
}

/** One connection, one attempt. If it fails, everything that is asked of Redis fails with its reason. */
function askingRedis(config: Config) {
  let lastError: unknown;
  const redis = openRedis(config.redis, 'hasty', error => {
    lastError = error;
  });
  tryOnce(redis);
  const keys = accountKeys(config.queuePrefix);
  const connected = redis.connect().catch((error: unknown) => {
    throw lastError ?? error; // ioredis rejects with "Connection is closed."; an event had the reason
  });
  const ask = <T>(work: () => Promise<T>): Promise<T> => {
    const asked = connected.then(work);
    asked.catch(() => {}); // the check that awaits it reports it
    return asked;
  };
  return {
    facts: ask(() => askRedis(redis, keys)),
    queue: ask(() => queueStateReader(keys, limitsOf(config))(redis)),
    jobs: ask(() => sampleJobs(redis, keys)),
    // after a disconnect() of a connection that was never established, ioredis stays alive for 2 s
    close: () => redis.status !== 'end' && redis.disconnect(),
  };
}

async function askHubSpot(config: Config, token: string): Promise<HubSpotFacts> {
  let perTenSeconds: number | undefined;
  const http = new HubSpotHttp({
    ...httpOptions(config),
    timeoutMs: Math.min(config.requestTimeoutMs, CALL_MS),
    windowMs: HEADER_WINDOW_MS,
    token: () => token,
    maxSockets: 3,
    onRateLimitHeader: calls => {
      perTenSeconds = calls;
    },
  });
  const account = new AccountClient(http, config.hubspotApiVersion);
  const { signal } = new AbortController();
  try {
    const [details, usage, info] = await Promise.all([
      account.details(signal),
      account.dailyUsage(signal),
      account.tokenInfo(token, signal),
    ]);
    return { details, usage, info, perTenSeconds };
  } finally {
    http.close();
  }
}

function askReceivers(config: Config, env: Environment): Promise<readonly Receiver[]> {
  const otlp = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'].find(name => env[name]);
  const urls: readonly (readonly [setting: string, url: string | undefined])[] = [
    ['ALERT_WEBHOOK_URL', config.alertWebhookUrl],
    ['REQUEST_WEBHOOK_URL', config.requestWebhookUrl],
    ...(otlp !== undefined && wantsTraces(env) ? [[otlp, env[otlp]] as const] : []),
  ];
  return Promise.all(
    urls.flatMap(([setting, url]) => {
      if (url === undefined) return [];
      // the standard allows a user and a password in the collector's URL; they are not shown
      const valid =
        webUrlFault(url) === undefined || (setting === otlp && /^https?:\/\//.test(url) && URL.canParse(url));
      return valid
        ? tryConnection(url, CONNECT_MS).then(connection => ({ setting, connection }))
        : { setting, connection: undefined };
    }),
  );
}
