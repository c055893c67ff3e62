/** Reads the configuration from the environment, once, into a frozen object. Reports all problems together. */

import { readFileSync } from 'node:fs';
import { didYouMean, isNear, meant } from '../contract/did-you-mean.js';
import { ConfigError, messageOf } from '../contract/errors.js';
import { LOOPBACK } from './host.js';
import type { RedisTarget } from './redis.js';
import { loginOf, nameOfSetting, targetFaults, unusedLogin } from './redis-settings.js';
import { type IntegerSetting, SETTINGS, type SecretSetting, type Setting, webUrlFault } from './settings.js';

type ValueOf<S extends Setting> = S extends IntegerSetting
  ? number
  : S extends SecretSetting
    ? string | undefined
    : string;
type Values = { -readonly [key in keyof typeof SETTINGS]: ValueOf<(typeof SETTINGS)[key]> };
export type Config = Readonly<
  Values & {
    hubspotAccessTokenFile: string | undefined;
    /** from REDIS_URL, QUEUE_PREFIX and the settings of the login */
    redis: RedisTarget;
    /** names that look like settings but are not, and values that are not meant for us: to be logged once */
    warnings: readonly string[];
  }
>;

/** Prefixes of names that may be meant for us. HubSpot's tools and other software use such names as well. */
const OUR_PREFIXES = [
  'HUBSPOT_',
  'RATE_LIMIT_',
  'BATCH_',
  'QUEUE_PREFIX',
  'RETRY_BACKOFF',
  'SHUTDOWN_TIMEOUT',
  'MAX_CONCURRENT',
  'ALERT_',
  'LABEL_CACHE',
  'GATEWAY_',
  'DASHBOARD_',
  'DAILY_CALL',
  'JOB_ATTEMPT',
  'JOB_LOCK',
  'JOB_BACKOFF',
  'MAX_QUEUED',
  'REQUEST_TIMEOUT',
  'REQUEST_RETENTION',
  'REQUEST_WEBHOOK',
  'UNAVAILABLE_PATIENCE',
  'METRICS_PORT',
  'METRICS_HOST',
  'REDIS_WAIT',
];
/** Variables that Kubernetes adds to every container for a service named `gateway` or `dashboard`. */
const KUBERNETES = /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP)(_|$)/;
/** The value of `<SERVICE>_PORT` in every container beside a Service of that name. */
const SERVICE_ADDRESS = /^(tcp|udp|sctp):\/\//;
const TOKEN_FILE = 'HUBSPOT_ACCESS_TOKEN_FILE';
/** Other software has similar names (REDIS_URI, LOGLEVEL, LOG_FORMATS), which do not count as misspelt. */
const COMMON_NAMES = ['REDIS_URL', 'LOG_LEVEL', 'LOG_FORMAT'];
/** Names like REDIS_URL that other software uses (KREDIS_URL is Rails'). Any other that is one slip away is misspelt. */
const OTHERS_REDIS_NAMES = /^(REDIS_UR[IL][S\d]?|REDISURL|[A-Z]REDIS_URL)$/;
/** Names that some commands read themselves; known here so that one environment serves all commands. */
const OTHER_KNOWN_NAMES: readonly string[] = [
  TOKEN_FILE,
  ...Object.values<Setting>(SETTINGS)
    .filter(setting => setting.kind === 'secret' && setting.file)
    .map(({ name }) => `${name}_FILE`),
];

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the environment. Empty values count as unset.
 * @throws ConfigError with every problem: one line each, naming the variable. Values of secrets are never repeated.
 */
export function parseConfig(
  env: Environment,
  needs: { token?: boolean; gateway?: boolean; dashboard?: boolean } = {},
): Config {
  const { problems, warnings } = unknownNames(env);
  const links = serviceLinks(env);
  if (links.length > 0)
    warnings.push(
      `${links.join(', ')} ${links.length === 1 ? 'holds' : 'hold'} the address of a Kubernetes Service of that name and ${links.length === 1 ? 'is' : 'are'} ignored: set enableServiceLinks: false in the pod`,
    );
  const values: Record<string, number | string | undefined> = {};
  for (const [key, setting] of Object.entries<Setting>(SETTINGS)) {
    const given = links.includes(setting.name) ? undefined : env[setting.name]?.trim() || undefined;
    const { value, problem } = readSetting(setting, given, env);
    values[key] = value;
    if (problem) problems.push(`${setting.name} ${problem}`);
  }
  const tokenFile = env[TOKEN_FILE]?.trim() || undefined;
  if (values.hubspotAccessToken && tokenFile)
    problems.push(`HUBSPOT_ACCESS_TOKEN and ${TOKEN_FILE} are both set; give one`);
  if (tokenFile && values.hubspotAccessToken === undefined) {
    try {
      values.hubspotAccessToken = readSecretFile(tokenFile);
    } catch (error) {
      problems.push(`${TOKEN_FILE} ${messageOf(error)}`);
    }
  }
  if (needs.token && !values.hubspotAccessToken && !tokenFile)
    problems.push(
      `HUBSPOT_ACCESS_TOKEN is not set (or ${TOKEN_FILE}): a service key (or the access token of an existing private app) with the scopes of both object types. In HubSpot: Development > Keys > Service keys`,
    );
  const redis = { url: String(values.redisUrl), prefix: String(values.queuePrefix), login: loginOf(env) };
  problems.push(...targetFaults(redis, nameOfSetting));
  warnings.push(...unusedLogin(redis));
  problems.push(...webhookFaults(values as Values));
  if (needs.gateway) problems.push(...gatewayFaults(values as Values));
  if (needs.dashboard) problems.push(...dashboardFaults(values as Values));
  problems.push(...crossFaults(values as Values));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze({ ...(values as Values), hubspotAccessTokenFile: tokenFile, redis, warnings });
}

/** @throws Error if the file cannot be read or is empty; the message never contains its content */
export function readSecretFile(file: string): string {
  const secret = readFileSync(file, 'utf8').trim();
  if (!secret) throw new Error(`"${file}" is empty`);
  return secret;
}

function readSetting(
  setting: Setting,
  given: string | undefined,
  env: Environment,
): { value: number | string | undefined; problem?: string } {
  switch (setting.kind) {
    case 'secret':
      return setting.file ? readSecret(setting, given, env) : { value: given };
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

function readSecret(
  { name }: SecretSetting,
  given: string | undefined,
  env: Environment,
): { value: string | undefined; problem?: string } {
  const file = env[`${name}_FILE`]?.trim();
  if (!file) return { value: given };
  if (given !== undefined) return { value: given, problem: `and ${name}_FILE are both set; give one` };
  try {
    return { value: readSecretFile(file) };
  } catch (error) {
    return { value: undefined, problem: `cannot be read from ${name}_FILE: ${messageOf(error)}` };
  }
}

/** @returns names of settings that have an address of a Service, such as GATEWAY_PORT=tcp://10.0.0.7:3000 */
const serviceLinks = (env: Environment): string[] =>
  Object.values<Setting>(SETTINGS)
    .map(({ name }) => name)
    .filter(name => name.endsWith('_PORT') && SERVICE_ADDRESS.test(env[name]?.trim() ?? ''));

/** A misspelt setting stops the command. Any other name with one of our prefixes belongs to other software. */
function unknownNames(env: Environment): { problems: string[]; warnings: string[] } {
  const known = [...Object.values<Setting>(SETTINGS).map(setting => setting.name), ...OTHER_KNOWN_NAMES];
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const name of Object.keys(env)) {
    if (known.includes(name) || KUBERNETES.test(name)) continue;
    const isLikeOurs = OUR_PREFIXES.some(prefix => name.startsWith(prefix));
    const own = known.filter(setting => !COMMON_NAMES.includes(setting));
    const misspelt = meant(name, own, { edits: editsOfSetting, as: asWritten }) ?? redisUrlMeant(name);
    const shortened = meant(
      name,
      known.filter(setting => isLikeOurs && isShortened(name, setting)),
      { edits: () => Number.POSITIVE_INFINITY, as: asWritten },
    );
    // if the setting itself is given, a shorter name belongs to other software
    const probable = misspelt ?? (shortened && env[shortened] ? undefined : shortened);
    if (probable) problems.push(`${name} is not a setting${didYouMean(probable)}`);
    else if (isLikeOurs) warnings.push(`${name} is not a setting and is ignored`);
  }
  return { problems, warnings };
}

/** One letter is added, left out, changed, or has changed places with the next one. */
function redisUrlMeant(name: string): 'REDIS_URL' | undefined {
  const url = SETTINGS.redisUrl.name;
  if (OTHERS_REDIS_NAMES.test(name)) return undefined;
  return isNear(name, url, 1) ? 'REDIS_URL' : undefined;
}

/** Short names are similar to many others, so that they need fewer edits. */
const editsOfSetting = (setting: string): number => (setting.length < 10 ? 1 : 2);
const asWritten = (name: string): string => name;

/** The end of the setting's name is missing (DASHBOARD_PASS), or some words are (HUBSPOT_TOKEN, DAILY_CALLS). */
function isShortened(name: string, setting: string): boolean {
  if (setting.startsWith(name)) return true;
  const words = setting.split('_');
  return name.split('_').every(word => {
    const at = words.findIndex(other => isNear(word, other, word.length > 3 ? 1 : 0));
    if (at >= 0) words.splice(0, at + 1);
    return at >= 0;
  });
}

/** The keys in GATEWAY_API_KEYS. */
export const apiKeys = (list: string | undefined): string[] =>
  (list ?? '')
    .split(',')
    .map(key => key.trim())
    .filter(key => key !== '');

function* webhookFaults(values: Values): Generator<string> {
  const { alertWebhookUrl: chat, requestWebhookUrl: url, requestWebhookSecret: secret } = values;
  const chatFault = chat && webUrlFault(chat);
  if (chatFault) yield `ALERT_WEBHOOK_URL ${chatFault}`;
  const fault = url && webUrlFault(url);
  if (fault) yield `REQUEST_WEBHOOK_URL ${fault}`;
  if (url && !secret)
    yield 'REQUEST_WEBHOOK_SECRET is not set: the receiver of REQUEST_WEBHOOK_URL needs it to know who posts';
}

function* gatewayFaults({ gatewayHost, gatewayApiKeys }: Values): Generator<string> {
  const keys = apiKeys(gatewayApiKeys);
  if (gatewayApiKeys !== undefined && keys.length === 0) yield 'GATEWAY_API_KEYS holds no key';
  if (keys.some(key => !/^[\x21-\x7e]+$/.test(key)))
    yield 'GATEWAY_API_KEYS has a key with a character that no header can carry';
  if (gatewayApiKeys === undefined && !LOOPBACK.test(gatewayHost))
    yield `GATEWAY_API_KEYS is not set: anybody who reaches ${gatewayHost} could enqueue; give keys, or listen on 127.0.0.1`;
}

function* dashboardFaults({ dashboardHost, dashboardUser, dashboardPassword }: Values): Generator<string> {
  const open = LOOPBACK.test(dashboardHost);
  const reason = `anybody who reaches ${dashboardHost} could look and steer; give user and password, or listen on 127.0.0.1`;
  if (dashboardUser === '' && (!open || dashboardPassword !== undefined))
    yield `DASHBOARD_USER is not set: ${open ? 'the password needs a user' : reason}`;
  if (dashboardPassword === undefined && (!open || dashboardUser !== ''))
    yield `DASHBOARD_PASSWORD is not set: ${open ? 'the user needs a password' : reason}`;
  if (dashboardUser.includes(':')) yield 'DASHBOARD_USER holds a colon, which no browser can send';
}

function* crossFaults(values: Values): Generator<string> {
  if (values.batchLingerMs >= values.shutdownTimeoutMs)
    yield `BATCH_LINGER_MS (${values.batchLingerMs}) must be shorter than SHUTDOWN_TIMEOUT_MS (${values.shutdownTimeoutMs})`;
}
