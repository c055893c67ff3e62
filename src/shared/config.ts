/**
 * The configuration: one declarative list, parsed once from the environment, frozen. All problems are reported at once.
 * The README's table is generated from this list (scripts/generate-docs.mjs).
 */
import { readFileSync } from 'node:fs';
import leven from 'leven';
import { MAX_INPUTS_PER_CALL } from './association.js';
import { ConfigError, messageOf } from './errors.js';

type Common = { name: string; doc: string };
type IntegerSetting = Common & { kind: 'integer'; default: number; min: number; max: number; unit: string };
type TextSetting = Common & { kind: 'text'; default: string; fault?: (value: string) => string | undefined };
type SecretSetting = Common & { kind: 'secret' };
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

const urlFault = (protocols: readonly string[]) => (value: string) => {
  try {
    if (protocols.includes(new URL(value).protocol)) return undefined;
  } catch {
    // said below; the value may hold a password and is not repeated
  }
  return `is not a URL that starts with ${protocols.map(protocol => `${protocol}//`).join(' or ')}`;
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

export const API_VERSIONS = ['v4', '2025-09', '2026-03', '2026-09'] as const;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export const SETTINGS = {
  redisUrl: text(
    'REDIS_URL',
    'redis://127.0.0.1:6379',
    'Redis or Valkey; `rediss://` for TLS',
    urlFault(['redis:', 'rediss:']),
  ),
  queuePrefix: text('QUEUE_PREFIX', 'bull', "prefix of all keys in Redis, BullMQ's and ours"),
  hubspotAccessToken: {
    kind: 'secret',
    name: 'HUBSPOT_ACCESS_TOKEN',
    doc: 'access token of a private app; or put it into the file that `HUBSPOT_ACCESS_TOKEN_FILE` names, which is read again when HubSpot answers 401',
  },
  hubspotBaseUrl: text(
    'HUBSPOT_BASE_URL',
    'https://api.hubapi.com',
    'where the API is (EU accounts, proxies, the simulator)',
    urlFault(['http:', 'https:']),
  ),
  hubspotApiVersion: text(
    'HUBSPOT_API_VERSION',
    'v4',
    `version of the call: ${API_VERSIONS.join(', ')}`,
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
    "the account's time zone: the daily count starts again at its midnight",
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
    'how long an association waits for company before a partial batch goes',
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
    'attempts of an association before it is rejected with the last error',
    1,
    1_000,
  ),
  jobLockMs: integer(
    'JOB_LOCK_MS',
    30_000,
    'ms',
    'lock of a job, renewed while its worker lives; the jobs of a killed worker come back after one to two of these',
    1_000,
    HOUR_MS,
  ),
  retryBackoffMs: integer(
    'RETRY_BACKOFF_MS',
    1_000,
    'ms',
    'first retry within this time, doubling with full jitter, at most 10 min',
    1,
    600_000,
  ),
  shutdownTimeoutMs: integer(
    'SHUTDOWN_TIMEOUT_MS',
    25_000,
    'ms',
    'SIGTERM: calls in flight may end within this time, the rest goes back to the queue',
    100,
    HOUR_MS,
  ),
  logLevel: text('LOG_LEVEL', 'info', `log lines on stdout: ${LOG_LEVELS.join(', ')}`, oneOf(LOG_LEVELS)),
  metricsPort: integer(
    'METRICS_PORT',
    9_464,
    'port',
    "the worker's /metrics, /healthz and /readyz; 0 = off; where it is taken, a free one is used and a warning says which",
    0,
    65_535,
  ),
} as const satisfies Record<string, Setting>;

type ValueOf<S extends Setting> = S extends IntegerSetting
  ? number
  : S extends SecretSetting
    ? string | undefined
    : string;
type Values = { -readonly [key in keyof typeof SETTINGS]: ValueOf<(typeof SETTINGS)[key]> };
export type Config = Readonly<Values & { hubspotAccessTokenFile: string | undefined }>;

/** Names with these beginnings are ours: one that we do not know is a mistake, not somebody else's variable. */
const OUR_PREFIXES = [
  'HUBSPOT_',
  'RATE_LIMIT_',
  'BATCH_',
  'QUEUE_PREFIX',
  'RETRY_BACKOFF',
  'SHUTDOWN_TIMEOUT',
  'MAX_CONCURRENT',
];
const TOKEN_FILE = 'HUBSPOT_ACCESS_TOKEN_FILE';
/** Others have variables with names much like these (REDIS_URI, LOGLEVEL), which are not misspelt. */
const COMMON_NAMES = ['REDIS_URL', 'LOG_LEVEL'];
/** Settings of commands that read their own names; known here so that one environment serves all commands. */
const OTHER_KNOWN_NAMES = [TOKEN_FILE] as const;

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the environment. Empty values count as unset.
 * @throws ConfigError with every problem: one line each, naming the variable. Values of secrets are never repeated.
 */
export function parseConfig(env: Environment, needs: { token?: boolean } = {}): Config {
  const problems: string[] = [...unknownNames(env)];
  const values: Record<string, number | string | undefined> = {};
  for (const [key, setting] of Object.entries<Setting>(SETTINGS)) {
    const given = env[setting.name]?.trim() || undefined;
    const { value, problem } = readSetting(setting, given);
    values[key] = value;
    if (problem) problems.push(`${setting.name} ${problem}`);
  }
  const tokenFile = env[TOKEN_FILE]?.trim() || undefined;
  if (values.hubspotAccessToken && tokenFile)
    problems.push(`HUBSPOT_ACCESS_TOKEN and ${TOKEN_FILE} are both set; give one`);
  if (tokenFile && values.hubspotAccessToken === undefined) {
    try {
      values.hubspotAccessToken = readTokenFile(tokenFile);
    } catch (error) {
      problems.push(`${TOKEN_FILE} ${messageOf(error)}`);
    }
  }
  if (needs.token && !values.hubspotAccessToken && !tokenFile)
    problems.push(
      `HUBSPOT_ACCESS_TOKEN is not set (or ${TOKEN_FILE}): the access token of a private app with the scopes of both object types`,
    );
  if (problems.length === 0) problems.push(...crossFaults(values as Values));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze({ ...(values as Values), hubspotAccessTokenFile: tokenFile });
}

/** @throws Error when the file cannot be read or is empty; the message never holds its content. */
export function readTokenFile(file: string): string {
  const token = readFileSync(file, 'utf8').trim();
  if (!token) throw new Error(`"${file}" is empty`);
  return token;
}

function readSetting(
  setting: Setting,
  given: string | undefined,
): { value: number | string | undefined; problem?: string } {
  switch (setting.kind) {
    case 'secret':
      return { value: given };
    case 'text': {
      const problem = given === undefined ? undefined : setting.fault?.(given);
      return { value: given ?? setting.default, ...(problem && { problem }) };
    }
    case 'integer': {
      if (given === undefined) return { value: setting.default };
      const value = Number(given);
      const good = /^\d+$/.test(given) && value >= setting.min && value <= setting.max;
      return good
        ? { value }
        : {
            value,
            problem: `"${given}" is not an integer from ${setting.min} to ${setting.max} (${setting.unit})`,
          };
    }
  }
}

function* unknownNames(env: Environment): Generator<string> {
  const known = [...Object.values<Setting>(SETTINGS).map(setting => setting.name), ...OTHER_KNOWN_NAMES];
  for (const name of Object.keys(env)) {
    if (known.includes(name)) continue;
    const [nearest] = known.toSorted((a, b) => unlikeness(name, a) - unlikeness(name, b));
    const near = nearest !== undefined && !COMMON_NAMES.includes(nearest) && leven(name, nearest) <= 2;
    if (near) yield `${name} is not a setting: did you mean ${nearest}?`;
    else if (OUR_PREFIXES.some(prefix => name.startsWith(prefix)))
      yield `${name} is not a setting: did you mean ${nearest}?`;
  }
}

/** Edits between two names; words in common count for the likeness, or HUBSPOT_TOKEN_FILE would be nearest to HUBSPOT_BASE_URL. */
function unlikeness(name: string, known: string): number {
  const words = new Set(known.split('_'));
  return leven(name, known) - 2 * name.split('_').filter(word => words.has(word)).length;
}

function* crossFaults(values: Values): Generator<string> {
  if (values.batchLingerMs >= values.shutdownTimeoutMs)
    yield `BATCH_LINGER_MS (${values.batchLingerMs}) must be shorter than SHUTDOWN_TIMEOUT_MS (${values.shutdownTimeoutMs})`;
}
