/**
 * HubSpot's limits. Like HubSpot it counts a call when it arrives.
 *
 *   1. Rolling: it admits at most `rateLimitCalls` calls in any period of one window.
 *   2. Daily: it admits at most `dailyCallLimit` calls since midnight in the account's time zone. Calls about the account
 *      count here only, because the rolling limit is that of the association endpoints.
 *
 * These calls do not count: a call that is refused here, a call without valid credentials (it never gets here), and a
 * call whose scripted answer is a 401 or 429 (it is given back). Every other call counts, however it ends.
 * Arrival is when the event loop handles the call; under load that is later than on the wire.
 */
import type { SimulatorOptions } from './options.js';

type LimitOptions = Pick<
  SimulatorOptions,
  'rateLimitCalls' | 'rateLimitWindowMs' | 'dailyCallLimit' | 'timezone'
>;

export type Admission =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly policy: 'TEN_SECONDLY_ROLLING'; readonly waitMs: number }
  | { readonly admitted: false; readonly policy: 'DAILY' };

export class Limits {
  /** arrivals of the admitted calls, oldest first; entries before #gone have left the window */
  #arrivals: number[] = [];
  #gone = 0;
  #day = '';
  #today = 0;
  #secondOfDay = -1;

  /** @param now epoch ms with fractions */
  admit(now: number, options: LimitOptions): Admission {
    this.#turnDay(now, options.timezone);
    if (options.dailyCallLimit > 0 && this.#today >= options.dailyCallLimit)
      return { admitted: false, policy: 'DAILY' };
    this.#forget(now - options.rateLimitWindowMs);
    if (options.rateLimitCalls > 0 && this.#inWindow >= options.rateLimitCalls) {
      // the next call is admitted when all but `limit - 1` of the calls in the window have left it
      const leaver = this.#arrivals[this.#arrivals.length - options.rateLimitCalls] ?? now;
      const waitMs = leaver + options.rateLimitWindowMs - now;
      return { admitted: false, policy: 'TEN_SECONDLY_ROLLING', waitMs };
    }
    this.#arrivals.push(now);
    this.#today += 1;
    return { admitted: true };
  }

  /** Admits a call that is none of the association endpoints: only the daily limit concerns it. */
  admitOther(now: number, options: LimitOptions): Admission {
    this.#turnDay(now, options.timezone);
    if (options.dailyCallLimit > 0 && this.#today >= options.dailyCallLimit)
      return { admitted: false, policy: 'DAILY' };
    this.#today += 1;
    return { admitted: true };
  }

  /** @returns the calls of the day that count, and the time until the next day */
  day(now: number, timeZone: string): { usedToday: number; msUntilReset: number } {
    this.#turnDay(now, timeZone);
    return { usedToday: this.#today, msUntilReset: msUntilMidnight(timeZone, now) };
  }

  /** Uncounts the call with this arrival. */
  giveBack(arrival: number): void {
    const at = this.#arrivals.lastIndexOf(arrival);
    if (at >= this.#gone) this.#arrivals.splice(at, 1);
    this.#today = Math.max(0, this.#today - 1);
  }

  /** @returns HubSpot's headers about the remaining calls */
  headers(options: LimitOptions): Record<string, string> {
    return {
      'X-HubSpot-RateLimit-Max': String(options.rateLimitCalls),
      'X-HubSpot-RateLimit-Remaining': String(Math.max(0, options.rateLimitCalls - this.#inWindow)),
      'X-HubSpot-RateLimit-Interval-Milliseconds': String(options.rateLimitWindowMs),
      ...(options.dailyCallLimit > 0 && {
        'X-HubSpot-RateLimit-Daily': String(options.dailyCallLimit),
        'X-HubSpot-RateLimit-Daily-Remaining': String(Math.max(0, options.dailyCallLimit - this.#today)),
      }),
    };
  }

  reset(): void {
    this.#arrivals = [];
    this.#gone = 0;
    this.#today = 0;
  }

  get #inWindow(): number {
    return this.#arrivals.length - this.#gone;
  }

  #forget(until: number): void {
    while (this.#gone < this.#arrivals.length && (this.#arrivals[this.#gone] ?? 0) <= until) this.#gone += 1;
    if (this.#gone > 1024) {
      this.#arrivals = this.#arrivals.slice(this.#gone);
      this.#gone = 0;
    }
  }

  #turnDay(now: number, timeZone: string): void {
    const second = Math.floor(now / 1000);
    if (second === this.#secondOfDay) return;
    this.#secondOfDay = second;
    const day = new Intl.DateTimeFormat('en-CA', { timeZone }).format(now);
    if (day !== this.#day) this.#today = 0;
    this.#day = day;
  }
}

/** The simulator knows nothing of the queue's own calendar (shared/state/day.ts). To the second, as HubSpot's answers. */
function msUntilMidnight(timeZone: string, now: number): number {
  // en-GB writes 14:05:09
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'medium' }).format(now);
  const [hours = 0, minutes = 0, seconds = 0] = clock.split(':').map(Number);
  return 86_400_000 - ((hours * 60 + minutes) * 60 + seconds) * 1_000;
}
