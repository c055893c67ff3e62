/** What the library's caller says about HubSpot. Types only; open-labels.ts checks and uses them. */

/**
 * How to look up labels at HubSpot, for associations with a `label`, and for those with neither `types` nor `label` between
 * custom objects. Nothing else needs HubSpot: other associations are enqueued without these options.
 *
 * The calls count against the quota that the workers share, so the limits must equal the workers'. Each option has the
 * default of the setting of the same name (`rateLimitCalls`: `RATE_LIMIT_CALLS`). In the client package, lookups need the
 * package `axios` (`npm install axios`).
 *
 * Source: HubSpot, *Associations v4*, `GET /crm/v4/associations/{from}/{to}/labels`.
 *
 * @example
 * ```ts
 * import { createProducer, type HubSpotOptions } from 'hubspot-association-queue-client';
 *
 * const hubspot: HubSpotOptions = {
 *   accessToken: process.env.HUBSPOT_ACCESS_TOKEN ?? '',
 *   baseUrl: process.env.HUBSPOT_BASE_URL ?? 'https://api.hubapi.com',
 *   rateLimitCalls: 100,
 * };
 * await using producer = createProducer({ hubspot });
 * const link = { fromObjectType: 'contacts', toObjectType: 'companies', from: 101, to: 202 };
 * await producer.enqueue({ ...link, label: 'Decision maker' });
 * ```
 */
export type HubSpotOptions = {
  /**
   * access token: of a service key, or of an existing private app. A function is called before each request, so that a new
   * token is used at once. Default: none; labels are then resolved only if another process has looked them up
   */
  accessToken?: string | (() => string) | undefined;
  /** base URL of the API; default `https://api.hubapi.com` */
  baseUrl?: string | undefined;
  /** version of the API: `v4`, `2025-09`, `2026-03`, `2026-09`; default `v4` */
  apiVersion?: string | undefined;
  /** calls per window of all workers, gateways and producers together; default 100 */
  rateLimitCalls?: number | undefined;
  /** length of the rolling window, milliseconds; default 10,000 */
  rateLimitWindowMs?: number | undefined;
  /** calls per day of the account; 0 = no limit; default 500,000 */
  dailyCallLimit?: number | undefined;
  /** time zone of the account, in which its day begins: `UTC`, `Europe/Berlin`; default `UTC` */
  accountTimezone?: string | undefined;
  /** how long HubSpot may take to answer, milliseconds; default 30,000 */
  requestTimeoutMs?: number | undefined;
  /** how long labels are kept in Redis and in memory before HubSpot is asked again, seconds; default 3,600 */
  labelCacheSeconds?: number | undefined;
};
