/** Judges RATE_LIMIT_CALLS and DAILY_CALL_LIMIT against the association limits of the account's tier. Pure. */
import { type GeneralLimits, tierOf } from '../../hubspot/tiers.js';
import { type Finding, fault, ok, warning } from '../finding.js';

export type OwnLimits = {
  readonly rateLimitCalls: number;
  readonly rateLimitWindowMs: number;
  /** 0 = none */
  readonly dailyCallLimit: number;
};

const WINDOW_MS = 10_000;

/** @param told what HubSpot tells about the account's general limits */
export function judgeLimits(told: GeneralLimits, own: OwnLimits): Finding[] {
  const { rateLimitCalls: calls, rateLimitWindowMs: windowMs } = own;
  const set = `RATE_LIMIT_CALLS is ${calls} per ${windowMs / 1_000} s`;
  const tier = tierOf(told);
  // 100 per 10 s is allowed in every tier
  const most = tier?.associations.perTenSeconds ?? 100;
  const perTen = (calls * WINDOW_MS) / windowMs;
  const allowed = tier
    ? `HubSpot allows ${most} association calls per 10 s in this tier (${tier.name})`
    : `HubSpot does not tell the account's tier; every tier allows ${most} association calls per 10 s`;
  const fitting = Math.floor((most * windowMs) / WINDOW_MS);
  const found: Finding[] = [];
  if (perTen > most)
    found.push(
      tier
        ? fault(`${set}, but ${allowed}: calls above it get a 429`, `set RATE_LIMIT_CALLS=${fitting}`)
        : warning(
            `${set}, and ${allowed}`,
            `make sure that the account has a tier that allows it, or set RATE_LIMIT_CALLS=${fitting}`,
          ),
    );
  // a window that is not HubSpot's allows bursts that HubSpot's window does not
  else if (windowMs > WINDOW_MS && calls > most)
    found.push(
      warning(
        `${set}: up to ${calls} calls may go at once, but ${allowed}`,
        'set RATE_LIMIT_WINDOW_MS=10000 and RATE_LIMIT_CALLS for it',
      ),
    );
  else found.push(ok(`${set}; ${allowed}`));
  const perDay = tier?.associations.perDay;
  if (perDay !== undefined && (own.dailyCallLimit === 0 || own.dailyCallLimit > perDay))
    found.push(
      warning(
        `DAILY_CALL_LIMIT is ${own.dailyCallLimit === 0 ? 'off' : own.dailyCallLimit}, but HubSpot allows ${perDay} association calls a day in this tier`,
        `set DAILY_CALL_LIMIT=${perDay} or lower`,
      ),
    );
  return found;
}
