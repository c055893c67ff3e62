/** Judges the calls of the day: how many are used, and whether DAILY_CALL_LIMIT leaves the rest to others. Pure. */
import type { DailyUsage, Told } from '../../hubspot/account.js';
import { type Finding, fault, ok, warning } from '../finding.js';

/** Share of the day's calls from which on it is a warning. */
const NEARLY_USED = 0.9;

export type OwnDay = {
  /** DAILY_CALL_LIMIT; 0 = none */
  readonly limit: number;
  /** calls that the workers counted today; undefined: Redis cannot be read */
  readonly used: number | undefined;
};

export function judgeDailyCalls(usage: Told<DailyUsage>, { limit, used }: OwnDay): Finding {
  const own = `${used === undefined ? '' : `the workers counted ${count(used)} calls today; `}DAILY_CALL_LIMIT is ${limit === 0 ? 'off' : count(limit)}`;
  const { usageLimit, currentUsage, resetsAt } = usage.kind === 'told' ? usage.facts : {};
  if (usageLimit === undefined || currentUsage === undefined)
    return limit === 0
      ? warning(
          `${own}, and HubSpot does not tell the day's limit`,
          'set DAILY_CALL_LIMIT, so that other apps of the account get calls',
        )
      : ok(
          `${own}; HubSpot does not tell the day's calls${usage.kind === 'told' ? '' : ` (${usage.words})`}`,
        );
  const day = `${count(currentUsage)} of ${count(usageLimit)} calls of all private apps are used today${resetsAt ? ` (until ${resetsAt})` : ''}`;
  if (currentUsage >= usageLimit)
    return fault(
      `${day}: HubSpot refuses further calls until then`,
      'wait, or buy the API limit increase; other apps share these calls',
    );
  if (currentUsage >= NEARLY_USED * usageLimit)
    return warning(`${day}; ${own}`, 'look which app uses them (HubSpot: Development → Monitoring)');
  if (limit === 0 || limit > usageLimit)
    return warning(
      `${day}; ${own}: the workers may use all of them`,
      `set DAILY_CALL_LIMIT below ${count(usageLimit)}, so that other apps of the account get calls`,
    );
  return ok(`${day}; ${own}`);
}

const count = (value: number): string => value.toLocaleString('en-US');
