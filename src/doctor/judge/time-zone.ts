/** Judges whether the day of our count begins when HubSpot's does. Pure. */
import type { AccountDetails, Told } from '../../hubspot/account.js';
import { type Finding, ok, warning } from '../finding.js';

const HALF_YEAR_MS = 183 * 86_400_000;

/** @param ours ACCOUNT_TIMEZONE, valid @param now epoch ms */
export function judgeTimeZone(details: Told<AccountDetails>, ours: string, now: number): Finding {
  const theirs = details.kind === 'told' ? details.facts.timeZone : undefined;
  if (theirs === undefined)
    return ok(`HubSpot does not tell the account's time zone; ACCOUNT_TIMEZONE is ${ours}`);
  const same = sameZone(theirs, ours, now);
  if (same === undefined)
    return warning(
      `the account's time zone is ${theirs}, a name that is unknown here`,
      'set ACCOUNT_TIMEZONE to the same zone under another name',
    );
  return same
    ? ok(`ACCOUNT_TIMEZONE (${ours}) has the account's midnight (${theirs})`)
    : warning(
        `ACCOUNT_TIMEZONE is ${ours}, but the account's time zone is ${theirs}: the count of the day starts again at the wrong time`,
        `set ACCOUNT_TIMEZONE=${theirs} on every worker and gateway`,
      );
}

/** @returns true if the clocks agree now and in half a year; undefined if a name is unknown */
function sameZone(one: string, other: string, now: number): boolean | undefined {
  try {
    return [now, now + HALF_YEAR_MS].every(at => clockIn(one, at) === clockIn(other, at));
  } catch {
    return undefined;
  }
}

const clockIn = (timeZone: string, at: number): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(at);
