/**
 * The calls that tell about the account: its details, the calls of the day, and what a token is. The bodies are those of
 * HubSpot's reference. Not known, and so an option: whether HubSpot tells what a service key is (`tokenInfo`). These calls
 * count for the day, and not for the limit of the association endpoints.
 */
import { forbidden, type Reply, refusal, refusalOfJson } from './replies.js';
import type { SimulatorState } from './state.js';

const CALLS = {
  'GET details': 'details',
  'GET api-usage/daily/private-apps': 'usage',
} as const;
const PATH = /^\/account-info\/(?:v3|2026-03|2026-09)\/(.+)$/;
const TOKEN_INFO = '/oauth/v2/private-apps/get/access-token-info';
/** Without it HubSpot tells nothing about the account. */
const SCOPE = 'oauth';
/** HubSpot's number for an account of tier Professional, if the simulator has no daily limit of its own. */
const USUAL_DAY = 625_000;

export type AccountCall = 'details' | 'usage' | 'token';

export function accountCallOf(method: string, path: string): AccountCall | undefined {
  if (method === 'POST' && path === TOKEN_INFO) return 'token';
  const [, rest] = PATH.exec(path) ?? [];
  return CALLS[`${method} ${rest}` as keyof typeof CALLS];
}

/** @param now epoch ms */
export function tellAccount(state: SimulatorState, call: AccountCall, body: string, now: number): Reply {
  if (call === 'token') return tokenInfo(state, body);
  if (!state.options.scopes.includes(SCOPE)) return forbidden([SCOPE]);
  return call === 'details' ? details(state, now) : usage(state, now);
}

function details({ options }: SimulatorState, now: number): Reply {
  const { portalId, accountType, timezone: timeZone } = options;
  const offset = offsetMs(timeZone, now);
  const body = {
    portalId,
    accountType,
    timeZone,
    companyCurrency: 'USD',
    additionalCurrencies: [],
    utcOffset: utcOffset(offset),
    utcOffsetMilliseconds: offset,
    uiDomain: 'app.hubspot.com',
    dataHostingLocation: 'na1',
  };
  return { status: 200, body };
}

function usage({ options, limits }: SimulatorState, now: number): Reply {
  const { usedToday, msUntilReset } = limits.day(now, options.timezone);
  const result = {
    name: 'private-apps-api-calls-daily',
    usageLimit: options.dailyCallLimit || USUAL_DAY,
    currentUsage: usedToday,
    collectedAt: new Date(now).toISOString(),
    fetchStatus: 'SUCCESS',
    resetsAt: new Date(now + msUntilReset).toISOString(),
  };
  return { status: 200, body: { results: [result] } };
}

function tokenInfo({ options }: SimulatorState, body: string): Reply {
  let token: unknown;
  try {
    token = (JSON.parse(body) as { tokenKey?: unknown } | null)?.tokenKey;
  } catch {
    return refusalOfJson();
  }
  const isKnown = options.accessToken === '' ? typeof token === 'string' : token === options.accessToken;
  if (!isKnown || !options.tokenInfo) return refusal('The access token is not one of a private app');
  const { portalId, scopes } = options;
  return { status: 200, body: { userId: 1, hubId: portalId, appId: 4711, scopes } };
}

/** The clock there minus UTC, ms. */
function offsetMs(timeZone: string, now: number): number {
  // sv-SE writes 2026-11-23 14:05:09
  const there = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(now);
  return Date.parse(`${there.replace(' ', 'T')}Z`) - Math.floor(now / 1_000) * 1_000;
}

/** `-05:00` */
function utcOffset(ms: number): string {
  const minutes = Math.abs(Math.round(ms / 60_000));
  const digits = (value: number) => String(value).padStart(2, '0');
  return `${ms < 0 ? '-' : '+'}${digits(Math.floor(minutes / 60))}:${digits(minutes % 60)}`;
}
