/**
 * Builds the label lookup of one process. Wiring only.
 * A producer may do without it: given types and HubSpot's unlabelled types need no token.
 */
import type { Redis } from 'ioredis';
import type { HubSpotHttp } from '../hubspot/http.js';
import { Quota, quotaOptions } from '../hubspot/quota.js';
import { Turnstile } from '../hubspot/turnstile.js';
import { optionFaults } from '../shared/contract/did-you-mean.js';
import { ConfigError, messageOf } from '../shared/contract/errors.js';
import type { Keys } from '../shared/contract/keys.js';
import { type Config, parseConfig, readSecretFile } from '../shared/runtime/config.js';
import type { HubSpotOptions } from './hubspot-options.js';
import { LabelBook } from './label-book.js';
import { LabelShare } from './label-share.js';
import { LabelsClient, LONGEST_HOLD_MS } from './labels-client.js';
import { TypeResolver } from './type-resolver.js';

const SETTING_NAMES = {
  baseUrl: 'HUBSPOT_BASE_URL',
  apiVersion: 'HUBSPOT_API_VERSION',
  rateLimitCalls: 'RATE_LIMIT_CALLS',
  rateLimitWindowMs: 'RATE_LIMIT_WINDOW_MS',
  dailyCallLimit: 'DAILY_CALL_LIMIT',
  accountTimezone: 'ACCOUNT_TIMEZONE',
  requestTimeoutMs: 'REQUEST_TIMEOUT_MS',
  labelCacheSeconds: 'LABEL_CACHE_SECONDS',
} as const satisfies { [name in Exclude<keyof HubSpotOptions, 'accessToken'>]-?: string };

/** @returns the options as a command's environment sets them */
export function hubspotOptions(config: Config): HubSpotOptions {
  const { hubspotAccessToken: token, hubspotAccessTokenFile: file } = config;
  return {
    ...(file !== undefined && { accessToken: () => readSecretFile(file) }),
    ...(file === undefined && token !== undefined && { accessToken: token }),
    baseUrl: config.hubspotBaseUrl,
    apiVersion: config.hubspotApiVersion,
    rateLimitCalls: config.rateLimitCalls,
    rateLimitWindowMs: config.rateLimitWindowMs,
    dailyCallLimit: config.dailyCallLimit,
    accountTimezone: config.accountTimezone,
    requestTimeoutMs: config.requestTimeoutMs,
    labelCacheSeconds: config.labelCacheSeconds,
  };
}

/** @returns a problem for every invalid or unknown option. The token is never quoted. */
export function hubspotProblems(options: HubSpotOptions): string[] {
  const problems = optionFaults(options, { accessToken: true, ...SETTING_NAMES }, 'hubspot.');
  if (typeof options !== 'object' || options === null) return problems;
  if (!['undefined', 'string', 'function'].includes(typeof options.accessToken))
    problems.push('hubspot.accessToken is neither a text nor a function');
  try {
    settingsOf(options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems.map(underOwnName));
  }
  return problems;
}

/** `RATE_LIMIT_CALLS "x" is not …` → `hubspot.rateLimitCalls "x" is not …` */
function underOwnName(problem: string): string {
  const found = Object.entries(SETTING_NAMES).find(([, name]) => problem.startsWith(`${name} `));
  if (!found) return `hubspot: ${problem}`;
  const [option, name] = found;
  return `hubspot.${option}${problem.slice(name.length)}`;
}

function settingsOf(options: HubSpotOptions): Config {
  const given = Object.entries(SETTING_NAMES).map(([option, name]) => {
    const value = options[option as keyof typeof SETTING_NAMES];
    return [name, value === undefined ? undefined : String(value)];
  });
  return parseConfig(Object.fromEntries(given));
}

export type LabelsPlace = {
  readonly redis: Redis;
  /** resolves when Redis answers */
  readonly connected: () => Promise<void>;
  readonly keys: Keys;
  /** what sets the token; default: the setting of the commands */
  readonly tokenName?: string | undefined;
};
export type Labels = { readonly resolver: TypeResolver; close(): void };

/** A list of this age may lack a new label. */
const REFRESH_MS = 60_000;
/** Concurrent lookups of one process. */
const MAX_SOCKETS = 4;

export function openLabels(
  options: HubSpotOptions,
  { redis, connected, keys, tokenName = 'HUBSPOT_ACCESS_TOKEN' }: LabelsPlace,
  refreshMs = REFRESH_MS,
): Labels {
  const settings = settingsOf(options);
  const { accessToken = '' } = options;
  const token = () => (typeof accessToken === 'function' ? accessToken() : accessToken);
  const quota = new Quota(redis, keys, quotaOptions(settings));
  const turnstile = new Turnstile(quota, () => {}, LONGEST_HOLD_MS);
  const windowMs = settings.rateLimitWindowMs;
  const share = new LabelShare(redis, keys.labelCalls, settings.rateLimitCalls, windowMs);
  let opened: Promise<HubSpotHttp> | undefined;
  const http = () => {
    opened ??= openHttp(settings, token, calls => quota.tighten(calls));
    return opened;
  };
  const client = new LabelsClient({ http, quota, turnstile, share, token, tokenName, windowMs });
  const lifetimeMs = settings.labelCacheSeconds * 1_000;
  const book = new LabelBook({ redis, connected, prefix: keys.labels, client, lifetimeMs, refreshMs });
  const close = () =>
    void opened?.then(
      open => open.close(),
      () => {}, // it was never open
    );
  return { resolver: new TypeResolver(book), close };
}

/**
 * Loads axios, which most producers never need: types and HubSpot's unlabelled types are known without a call.
 * @throws Error that names the remedy if axios is not installed, as it may be beside the client package
 */
async function openHttp(
  settings: Config,
  token: () => string,
  onRateLimitHeader: (calls: number) => void,
): Promise<HubSpotHttp> {
  const { HubSpotHttp, httpOptions } = await import('../hubspot/http.js').catch((cause: unknown) => {
    if (!/Cannot find (package|module) 'axios'/.test(messageOf(cause))) throw cause;
    throw new Error('calls to HubSpot need the package axios, which is not installed: npm install axios', {
      cause,
    });
  });
  return new HubSpotHttp({ ...httpOptions(settings), token, maxSockets: MAX_SOCKETS, onRateLimitHeader });
}
