/** The account's day: HubSpot's daily count starts again at midnight in the account's time zone. Pure. */

const DAY_MS = 86_400_000;

/**
 * @param now epoch milliseconds
 * @returns the date in that time zone (YYYY-MM-DD) and the milliseconds until the next midnight there
 */
export function dayIn(timeZone: string, now: number): { day: string; msUntilMidnight: number } {
  const { day, sinceMidnight } = clockIn(timeZone, now);
  const guess = now + DAY_MS - sinceMidnight;
  // on days with 23 or 25 hours the guess is an hour off
  const there = clockIn(timeZone, guess);
  const correction = there.day === day ? DAY_MS - there.sinceMidnight : -there.sinceMidnight;
  // where clocks skip midnight itself, the day ends at that moment
  const end = clockIn(timeZone, guess + correction);
  const skipped = end.day === day ? DAY_MS - end.sinceMidnight : 0;
  return { day, msUntilMidnight: guess + correction + skipped - now };
}

const formats = new Map<string, Intl.DateTimeFormat>();

function clockIn(timeZone: string, now: number): { day: string; sinceMidnight: number } {
  let format = formats.get(timeZone);
  if (!format) {
    // sv-SE writes 2026-11-23 14:05:09
    format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
    formats.set(timeZone, format);
  }
  const [day = '', time = ''] = format.format(now).split(' ');
  const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number);
  return { day, sinceMidnight: ((hours * 60 + minutes) * 60 + seconds) * 1_000 + (now % 1_000) };
}
