/**
 * The account's weather: tells an outage of HubSpot or of the network from a failure that an input causes. All replicas
 * share the figures of the last minute (weather.lua, docs/decisions/0017).
 */
import type { Redis } from 'ioredis';
import type { Keys } from '../shared/contract/keys.js';
import { loadScript } from '../shared/runtime/script.js';

/** What a failed call says about the weather. */
export type Sign = {
  /** The call carries inputs that never failed. Only such calls are counted: others may fail because of their inputs. */
  readonly firstTimers: boolean;
  /** The call's first record pair, which distinguishes it from other calls. Empty: its inputs are suspects. */
  readonly firstPair: string;
};

export type WeatherReading = {
  /** calls with first-timers in the last minute, this one included */
  readonly ok: number;
  readonly failed: number;
  /** different calls that failed since HubSpot's latest answer, this one included */
  readonly failing: number;
  /** milliseconds since HubSpot's latest answer; Infinity: no answer is known */
  readonly silentMs: number;
};

/** Fewer successes prove nothing. */
const LEAST_OK = 5;
/** Share of failed calls below which the weather is fine. */
const FINE = 0.05;
/** In an outage at least this many different calls fail without an answer in between. */
const FAILING_IN_AN_OUTAGE = 5;
/** Without an outage, a run of failed calls by chance is shorter than this. */
const SILENT_IN_AN_OUTAGE_MS = 2_000;

/** @returns true if other calls succeed, so that an input may have caused this failure. `failed` includes this call. */
export function isFine({ ok, failed }: WeatherReading): boolean {
  const others = Math.max(0, failed - 1);
  return ok >= LEAST_OK && others < FINE * (ok + others);
}

/** @returns true if no call succeeds, so that further calls would only spend quota and time */
export const isOutage = ({ failing, silentMs }: WeatherReading): boolean =>
  failing >= FAILING_IN_AN_OUTAGE && silentMs >= SILENT_IN_AN_OUTAGE_MS;

export class Weather {
  readonly #note = loadScript(new URL('./weather.lua', import.meta.url));

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
  ) {}

  /** Notes an answer of HubSpot. The worker does not wait for Redis here and ignores an error. */
  answered(firstTimers: boolean): void {
    this.#noted('ok', firstTimers, '').catch(() => {});
  }

  /** Notes a failed call. @returns the figures, and `at`: the time of the failure on Redis' clock (epoch ms) */
  async failed({ firstTimers, firstPair }: Sign): Promise<WeatherReading & { at: number }> {
    const [ok, failed, failing, silentMs, at] = await this.#noted('failed', firstTimers, firstPair);
    return { ok, failed, failing, silentMs: silentMs < 0 ? Number.POSITIVE_INFINITY : silentMs, at };
  }

  async #noted(what: 'ok' | 'failed', firstTimers: boolean, firstPair: string) {
    const reply = await this.#note(this.redis, [this.keys.weather], [what, firstTimers ? 1 : 0, firstPair]);
    return reply as [ok: number, failed: number, failing: number, silentMs: number, at: number];
  }
}
