/**
 * The settings: one declarative list of names, types, defaults, units and descriptions. scripts/generate-docs.mjs writes
 * docs/operations/settings.md and .env.example from it; config.ts reads the environment with it.
 */
import { API_VERSIONS } from '../contract/api-versions.js';
import { MAX_INPUTS_PER_CALL } from '../contract/association.js';
import { redisUrlFault } from './redis-url.js';

type Common = { name: string; doc: string };
export type IntegerSetting = Common & {
  kind: 'integer';
  default: number;
  min: number;
  max: number;
  unit: string;
};
type TextSetting = Common & { kind: 'text'; default: string; fault?: (value: string) => string | undefined };
/**
 * `optional`: most installations do not need it, so .env.example has it commented out
 * `file`: `<name>_FILE` may name a file with the value instead
 */
export type SecretSetting = Common & { kind: 'secret'; optional?: true; file?: true };
export type Setting = IntegerSetting | TextSetting | SecretSetting;

const HOUR_MS = 3_600_000;
const integer = (
  name: string,
  value: number,
  unit: string,
  doc: string,
  min = 1,
  max = 1e9,
): IntegerSetting => ({
  kind: 'integer',
  name,
  default: value,
  unit,
  doc,
  min,
  max,
});
const text = (
  name: string,
  value: string,
  doc: string,
  fault?: (value: string) => string | undefined,
): TextSetting => ({
  kind: 'text',
  name,
  default: value,
  doc,
  ...(fault && { fault }),
});

/** The value may contain a password, so the fault does not quote it. */
export const webUrlFault = (value: string): string | undefined => {
  if (!/^https?:\/\//.test(value) || !URL.canParse(value))
    return 'is not a URL that starts with https:// or http://';
  const { username, password } = new URL(value);
  return username || password ? 'contains a user or a password, which calls do not use' : undefined;
};
const timezoneFault = (value: string) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return undefined;
  } catch {
    return `"${value}" is not a time zone (such as UTC or Europe/Berlin)`;
  }
};
const oneOf = (values: readonly string[]) => (value: string) =>
  values.includes(value) ? undefined : `"${value}" is not one of ${values.join(', ')}`;

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const LOG_FORMATS = ['pretty', 'json'] as const;

export const SETTINGS = {
  redisUrl: text(
    'REDIS_URL',
    'redis://127.0.0.1:6379',
    'Redis or Valkey: `redis://user:password@host:port/database`, `unix:///path/of/socket`, with Sentinels `redis+sentinel://user:password@host:26379,host:26379/name-of-the-primary/database`, a Redis Cluster `redis+cluster://user:password@host:6379,host:6379`; `rediss` for TLS',
    redisUrlFault,
  ),
  queuePrefix: text(
    'QUEUE_PREFIX',
    'bull',
    "prefix of all keys in Redis, BullMQ's and ours; in a Redis Cluster with a hash tag, such as `{bull}`",
  ),
  redisUsername: text('REDIS_USERNAME', '', 'user name in Redis, if `REDIS_URL` has none'),
  redisPassword: {
    kind: 'secret',
    optional: true,
    file: true,
    name: 'REDIS_PASSWORD',
    doc: 'password in Redis, if `REDIS_URL` has none; or a file with it: `REDIS_PASSWORD_FILE`, which is read again whenever a connection is made, so that the password can be changed while the processes run',
  },
  redisSentinelUsername: text('REDIS_SENTINEL_USERNAME', '', 'user name at the Sentinels themselves'),
  redisSentinelPassword: {
    kind: 'secret',
    optional: true,
    file: true,
    name: 'REDIS_SENTINEL_PASSWORD',
    doc: 'password at the Sentinels themselves; or a file with it: `REDIS_SENTINEL_PASSWORD_FILE`',
  },
  redisCaFile: text(
    'REDIS_CA_FILE',
    '',
    "file with the certificates (PEM) of the authorities that sign Redis' certificate; without it the system's authorities",
  ),
  redisCertFile: text(
    'REDIS_CERT_FILE',
    '',
    'file with a client certificate (PEM), for a Redis that asks for one; with `REDIS_KEY_FILE`',
  ),
  redisKeyFile: text('REDIS_KEY_FILE', '', 'file with the key (PEM) of `REDIS_CERT_FILE`'),
  redisTlsServername: text(
    'REDIS_TLS_SERVERNAME',
    '',
    "name in Redis' certificate, if it is not the host in `REDIS_URL`",
  ),
  redisWaitReplicas: integer(
    'REDIS_WAIT_REPLICAS',
    0,
    'replicas',
    'replicas of Redis that must have what is enqueued, cancelled or paused before it is acknowledged; 0 = none. What it protects from, and which number: docs/operations/backup.md',
    0,
    10,
  ),
  hubspotAccessToken: {
    kind: 'secret',
    name: 'HUBSPOT_ACCESS_TOKEN',
    doc: 'a service key, or the access token of an existing private app. Instead, `HUBSPOT_ACCESS_TOKEN_FILE` may name a file with the token; the worker reads it again when HubSpot answers 401',
  },
  hubspotBaseUrl: text(
    'HUBSPOT_BASE_URL',
    'https://api.hubapi.com',
    'base URL of the API (EU accounts, proxies, the simulator)',
    webUrlFault,
  ),
  hubspotApiVersion: text(
    'HUBSPOT_API_VERSION',
    'v4',
    `version of the API: ${API_VERSIONS.join(', ')}`,
    oneOf(API_VERSIONS),
  ),
  rateLimitCalls: integer(
    'RATE_LIMIT_CALLS',
    100,
    'calls',
    "calls allowed per rolling window, all replicas together: HubSpot's limit for association endpoints is 100 (Free, Starter), 150 (Pro, Enterprise) or 200 (API add-on)",
  ),
  rateLimitWindowMs: integer(
    'RATE_LIMIT_WINDOW_MS',
    10_000,
    'ms',
    'length of the rolling window',
    100,
    HOUR_MS,
  ),
  dailyCallLimit: integer(
    'DAILY_CALL_LIMIT',
    500_000,
    'calls',
    'calls allowed per day of the account; 0 = none',
    0,
  ),
  accountTimezone: text(
    'ACCOUNT_TIMEZONE',
    'UTC',
    'time zone of the account: the daily count restarts at midnight there',
    timezoneFault,
  ),
  batchMaxInputs: integer(
    'BATCH_MAX_INPUTS',
    MAX_INPUTS_PER_CALL,
    'inputs',
    'most inputs of one call',
    1,
    MAX_INPUTS_PER_CALL,
  ),
  batchLingerMs: integer(
    'BATCH_LINGER_MS',
    250,
    'ms',
    'how long an association waits for others before a partial batch is sent',
    0,
    60_000,
  ),
  maxConcurrentCalls: integer(
    'MAX_CONCURRENT_CALLS',
    10,
    'calls',
    'calls in flight at once, per replica',
    1,
    100,
  ),
  requestTimeoutMs: integer(
    'REQUEST_TIMEOUT_MS',
    30_000,
    'ms',
    'how long HubSpot may take to answer',
    100,
    600_000,
  ),
  jobAttempts: integer(
    'JOB_ATTEMPTS',
    8,
    'attempts',
    'how often HubSpot may refuse an association with an error that is not final; then it is rejected with the last error. Calls while HubSpot is unavailable do not count',
    1,
    1_000,
  ),
  unavailablePatienceHours: integer(
    'UNAVAILABLE_PATIENCE_HOURS',
    24,
    'h',
    'how long an association is retried while HubSpot is unavailable (5xx, timeout, no connection); then it is rejected with that error. 0 = for ever',
    0,
    87_600,
  ),
  jobLockMs: integer(
    'JOB_LOCK_MS',
    30_000,
    'ms',
    'lock of a job, which its worker renews; the jobs of a killed worker are requeued after one to two of these periods',
    1_000,
    HOUR_MS,
  ),
  retryBackoffMs: integer(
    'RETRY_BACKOFF_MS',
    1_000,
    'ms',
    'largest pause before the first retry; it doubles with each retry, with full jitter, up to 10 min',
    1,
    600_000,
  ),
  shutdownTimeoutMs: integer(
    'SHUTDOWN_TIMEOUT_MS',
    25_000,
    'ms',
    'how long calls in flight may take to end after SIGTERM; all other jobs go back to the queue',
    100,
    HOUR_MS,
  ),
  compactHeap: text(
    'COMPACT_HEAP',
    'false',
    'true: the worker collects garbage sooner; under full load it takes about 210 MB instead of 270, and two fifths more CPU',
    oneOf(['true', 'false']),
  ),
  labelCacheSeconds: integer(
    'LABEL_CACHE_SECONDS',
    3_600,
    's',
    'how long labels are cached before HubSpot is asked again; an unknown label is looked up again at most once a minute',
    1,
    604_800,
  ),
  requestRetentionDays: integer(
    'REQUEST_RETENTION_DAYS',
    30,
    'days',
    'how long a request with a name or with more than one job can be followed after its end; others for a day',
    1,
    3_650,
  ),
  logLevel: text('LOG_LEVEL', 'info', `log lines on stdout: ${LOG_LEVELS.join(', ')}`, oneOf(LOG_LEVELS)),
  logFormat: text(
    'LOG_FORMAT',
    '',
    'pretty: lines for people; json: one object a line, for programs. Without it: pretty on a terminal, else json',
    oneOf(LOG_FORMATS),
  ),
  metricsPort: integer(
    'METRICS_PORT',
    9_464,
    'port',
    "port of the worker's /metrics, /healthz and /readyz; 0 = off. If the port is taken, the worker uses a free one and logs it",
    0,
    65_535,
  ),
  metricsHost: text(
    'METRICS_HOST',
    '127.0.0.1',
    'address of /metrics, /healthz and /readyz of the worker; they need no password, so use another address only in a private network',
  ),
  livenessSeconds: integer(
    'LIVENESS_SECONDS',
    300,
    's',
    'a worker that has made no progress for so long, although Redis answers a new connection, fails /healthz and is to be restarted; an outage of Redis restarts nobody',
    30,
    86_400,
  ),
  alertWebhookUrl: {
    kind: 'secret',
    optional: true,
    name: 'ALERT_WEBHOOK_URL',
    doc: 'a webhook that accepts `{"text": …}`, such as Slack\'s: told when the account is held, when it flows again, when too much is rejected, and when no worker is alive while work waits; once per incident, by a worker, the gateway or the dashboard',
  },
  alertRejectionRate: integer(
    'ALERT_REJECTION_RATE',
    5,
    'percent',
    'share of rejections in the last minutes, in percent, from which on `ALERT_WEBHOOK_URL` is told; 0 = never',
    0,
    100,
  ),
  requestWebhookUrl: {
    kind: 'secret',
    optional: true,
    name: 'REQUEST_WEBHOOK_URL',
    doc: 'a webhook of your own: told when a request has ended, and when no worker is alive while work waits; signed, and posted until it answers 2xx (docs/operations/webhooks.md)',
  },
  requestWebhookSecret: {
    kind: 'secret',
    optional: true,
    file: true,
    name: 'REQUEST_WEBHOOK_SECRET',
    doc: 'key of the signature of `REQUEST_WEBHOOK_URL`, which needs it; or a file with it: `REQUEST_WEBHOOK_SECRET_FILE`',
  },
  requestWebhookMin: integer(
    'REQUEST_WEBHOOK_MIN',
    1_000,
    'associations',
    '`REQUEST_WEBHOOK_URL` is told of requests with a name, and of others with more associations than this',
    500,
  ),
  gatewayPort: integer('GATEWAY_PORT', 3_000, 'port', 'port of the gateway; 0 = a free one', 0, 65_535),
  gatewayHost: text(
    'GATEWAY_HOST',
    '127.0.0.1',
    'address of the gateway; any but a loopback address needs `GATEWAY_API_KEYS`',
  ),
  gatewayApiKeys: {
    kind: 'secret',
    optional: true,
    name: 'GATEWAY_API_KEYS',
    doc: 'bearer keys that the gateway accepts, separated by commas',
  },
  gatewayMaxInputs: integer(
    'GATEWAY_MAX_INPUTS',
    50_000,
    'inputs',
    'most inputs of one request to the gateway; the largest body is 512 bytes for each, and at least 1 MB',
    1,
    200_000,
  ),
  maxQueuedAssociations: integer(
    'MAX_QUEUED_ASSOCIATIONS',
    5_000_000,
    'associations',
    'backlog from which on the gateway refuses requests (429); estimated from the sizes of some queued jobs',
  ),
  dashboardPort: integer('DASHBOARD_PORT', 3_001, 'port', 'port of the dashboard; 0 = a free one', 0, 65_535),
  dashboardHost: text(
    'DASHBOARD_HOST',
    '127.0.0.1',
    'address of the dashboard; any but a loopback address needs `DASHBOARD_USER` and `DASHBOARD_PASSWORD`',
  ),
  dashboardUser: text('DASHBOARD_USER', '', 'user name for the dashboard'),
  dashboardPassword: {
    kind: 'secret',
    optional: true,
    name: 'DASHBOARD_PASSWORD',
    doc: 'password for the dashboard',
  },
  dashboardReadOnly: text(
    'DASHBOARD_READ_ONLY',
    'false',
    'true: the dashboard only shows and changes nothing',
    oneOf(['true', 'false']),
  ),
} as const satisfies Record<string, Setting>;
