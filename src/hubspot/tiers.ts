/**
 * HubSpot's limits for each tier of an account. The association endpoints have their own limits, which are the ones that
 * RATE_LIMIT_CALLS and DAILY_CALL_LIMIT must keep; the general limits of a private app tell which tier an account has.
 * Pure. Source: HubSpot's usage guidelines (general limits) and its guide to the associations API (association limits).
 */

export type Tier = {
  readonly name: string;
  /** calls of all association endpoints together */
  readonly associations: {
    readonly perTenSeconds: number;
    /** undefined: HubSpot names none */
    readonly perDay?: number;
  };
};

const TIERS = {
  free: { name: 'Free or Starter', associations: { perTenSeconds: 100 } },
  professional: {
    name: 'Professional or Enterprise',
    associations: { perTenSeconds: 150, perDay: 500_000 },
  },
  increased: {
    name: 'with the API limit increase',
    associations: { perTenSeconds: 200, perDay: 1_000_000 },
  },
} as const satisfies Record<string, Tier>;

/** What HubSpot tells about an account's general limits. */
export type GeneralLimits = {
  /** calls per 10 s of this app, from the headers of an answer */
  readonly perTenSeconds?: number | undefined;
  /** calls per day of all private apps together */
  readonly perDay?: number | undefined;
};

/**
 * General limits: 100 per 10 s and 250,000 a day (Free, Starter), 190 and 625,000 (Professional) or 1,000,000 (Enterprise),
 * 250 and a million more with each API limit increase. Older texts have 500,000 and 650,000 for Professional.
 * @returns undefined if they fit no tier: an OAuth app's 110 per 10 s is the same in every tier
 */
export function tierOf({ perTenSeconds, perDay }: GeneralLimits): Tier | undefined {
  if (perTenSeconds !== undefined) {
    if (perTenSeconds === 100) return TIERS.free;
    if (perTenSeconds >= 250) return TIERS.increased;
    if (perTenSeconds >= 150) return TIERS.professional;
  }
  if (perDay === undefined) return undefined;
  if (perDay > 1_000_000) return TIERS.increased;
  return perDay >= 500_000 ? TIERS.professional : TIERS.free;
}
