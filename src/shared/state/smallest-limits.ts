/** Chooses the limits in force when the replicas of one account are configured differently: the smallest. Pure. */
import type { Limits } from './capacity.js';

/** The limits of a replica that concern the account. */
export type AccountLimits = Pick<Limits, 'limit' | 'windowMs' | 'dailyLimit' | 'timeZone'>;
/** A replica with the limits that it is configured with. */
export type Limited = { readonly name: string; readonly limits: AccountLimits };

export const accountLimits = ({ limit, windowMs, dailyLimit, timeZone }: Limits): AccountLimits => ({
  limit,
  windowMs,
  dailyLimit,
  timeZone,
});

/**
 * @returns the lowest rate, the lowest daily limit, and the time zone of the oldest replica. Every replica computes the
 * same result.
 * @param others oldest first
 */
export function smallestLimits(own: AccountLimits, others: readonly AccountLimits[]): AccountLimits {
  const all = others.length > 0 ? others : [own];
  const { limit, windowMs } = [own, ...all].reduce((least, each) => (isSlower(each, least) ? each : least));
  const daily = [own, ...all].map(({ dailyLimit }) => dailyLimit).filter(calls => calls > 0);
  return {
    limit,
    windowMs,
    dailyLimit: daily.length === 0 ? 0 : Math.min(...daily),
    timeZone: (all[0] ?? own).timeZone,
  };
}

/** At the same rate a shorter window allows fewer calls at once. */
function isSlower(one: AccountLimits, other: AccountLimits): boolean {
  const [rate, otherRate] = [one.limit / one.windowMs, other.limit / other.windowMs];
  return rate < otherRate || (rate === otherRate && one.windowMs < other.windowMs);
}

/** Most values of one setting in a message. */
const MOST_VALUES = 4;
const SETTINGS = [
  ['RATE_LIMIT_CALLS', 'limit'],
  ['RATE_LIMIT_WINDOW_MS', 'windowMs'],
  ['DAILY_CALL_LIMIT', 'dailyLimit'],
  ['ACCOUNT_TIMEZONE', 'timeZone'],
] as const;

/**
 * @returns a message with the differences, the limits in force and the remedy; '' if all replicas agree
 * @param replicas oldest first
 */
export function limitsDiffer(replicas: readonly Limited[], counts: AccountLimits): string {
  const faults = SETTINGS.flatMap(([setting, field]) => {
    const who = new Map<string | number, string>();
    for (const { name, limits } of replicas)
      if (!who.has(limits[field])) who.set(limits[field], `${limits[field]} (${name})`);
    if (who.size < 2) return [];
    const values = [...who.values()];
    const more = values.length > MOST_VALUES ? `, and ${values.length - MOST_VALUES} other values` : '';
    return [`${setting} is ${values.slice(0, MOST_VALUES).join(', ')}${more}`];
  });
  if (faults.length === 0) return '';
  const day = counts.dailyLimit === 0 ? 'no daily limit' : `${counts.dailyLimit} calls a day`;
  const smallest = `${counts.limit} calls per ${counts.windowMs} ms, ${day}, days of ${counts.timeZone}`;
  return `replicas are configured differently: ${faults.join('; ')}. The smallest counts (${smallest}); set the same on all of them`;
}
