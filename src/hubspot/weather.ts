/**
 * The account's weather: is it HubSpot, or the way to it, that fails, or what was sent? All replicas share what they know
 * of the last minute (weather.lua, docs/decisions/0017).
 */
import type { Redis } from 'ioredis';
import type { Keys } from '../shared/contract/keys.js';
import { loadScript } from '../shared/runtime/script.js';

/** What a call says of the weather. */
export type Sign = {
  /** It carries inputs that have never failed. Others fail by their own fault, maybe, and would tell of themselves. */
  readonly firstTimers: boolean;
  /** A failed call's first record pair, which tells it from others; empty: its inputs are suspected. */
  readonly firstPair: string;
};

export type Reading = {
  /** calls with first-timers in the last minute, this one included */
  readonly ok: number;
  readonly failed: number;
  /** different calls that have failed since HubSpot has last answered one, this one included */
  readonly failing: number;
  /** milliseconds since then; Infinity: it has not, as far as is known */
  readonly silentMs: number;
};

/** Fewer successes tell nothing. */
const LEAST_OK = 5;
const FINE = 0.05;
/** Different calls that fail one after another. */
const FAILING_IN_AN_OUTAGE = 5;
/** A run of failures by chance, where some of the calls fail, is shorter. */
const SILENT_IN_AN_OUTAGE_MS = 2_000;

/** Others succeed, so that a failure may be the fault of what was sent. One of the failed calls is that very one. */
export function isFine({ ok, failed }: Reading): boolean {
  const others = Math.max(0, failed - 1);
  return ok >= LEAST_OK && others < FINE * (ok + others);
}

/** Nothing succeeds: to go on would spend calls, and everybody's time. */
export const isOutage = ({ failing, silentMs }: Reading): boolean =>
  failing >= FAILING_IN_AN_OUTAGE && silentMs >= SILENT_IN_AN_OUTAGE_MS;

export class Weather {
  readonly #note = loadScript(new URL('./weather.lua', import.meta.url));

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
  ) {}

  /** HubSpot has answered. The work does not wait for Redis to know, and does not fail for it. */
  answered(firstTimers: boolean): void {
    this.#noted('ok', firstTimers, '').catch(() => {});
  }

  /** @returns with `at`, when that was on Redis' clock (epoch ms) */
  async failed({ firstTimers, firstPair }: Sign): Promise<Reading & { at: number }> {
    const [ok, failed, failing, silentMs, at] = await this.#noted('failed', firstTimers, firstPair);
    return { ok, failed, failing, silentMs: silentMs < 0 ? Number.POSITIVE_INFINITY : silentMs, at };
  }

  async #noted(what: 'ok' | 'failed', firstTimers: boolean, firstPair: string) {
    const reply = await this.#note(this.redis, [this.keys.weather], [what, firstTimers ? 1 : 0, firstPair]);
    return reply as [ok: number, failed: number, failing: number, silentMs: number, at: number];
  }
}
