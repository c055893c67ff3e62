/**
 * Quota of the account, which all replicas share through Redis.
 *  1. It reserves calls in HubSpot's rolling window, exactly, on Redis' clock (reserve.lua).
 *  2. It counts the calls of the day and paces partial batches by the calls that are left.
 *  3. It holds the whole account (429, daily limit, 401, 477, an outage) and single object pairs (403, 423, nothing
 *     accepted).
 * It decides and records. The turnstile waits.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { bullmqKeys, HIGH_PRIORITY_BELOW } from '../bullmq/layout.js';
import { readJson } from '../shared/contract/json.js';
import type { Keys } from '../shared/contract/keys.js';
import { pairName } from '../shared/contract/object-types.js';
import { MAX_BACKOFF_MS } from '../shared/runtime/backoff.js';
import { clock } from '../shared/runtime/clock.js';
import { loadScript } from '../shared/runtime/script.js';
import { dayIn } from '../shared/state/day.js';
import type { AccountLimits } from '../shared/state/smallest-limits.js';
import type { Slot } from './departure.js';
import { isFine, isOutage, type Sign, Weather } from './weather.js';

export type Permit = {
  readonly kind: 'granted';
  readonly id: string;
  /** milliseconds until the call may go */
  readonly waitMs: number;
  /** when the call may go, on Redis' clock (epoch ms) */
  readonly at: number;
  /** the account is held, and this call alone finds out whether the fault is mended */
  readonly probe: boolean;
  /** a fault held the account: the worker must report a success */
  readonly trouble: boolean;
  /** when the call may go on this process's clock, and how late it may be */
  readonly slot: Slot;
  /** the day that the call counts for */
  readonly day: string;
  /** jobs of high priority that waited in Redis when the permit was granted */
  readonly high: number;
};
export type QuotaReply =
  | Permit
  | { readonly kind: 'held'; readonly forMs: number; readonly holdKind: string; readonly reason: string }
  /** a partial batch must wait, so that the day's calls last */
  | { readonly kind: 'paced'; readonly forMs: number };

/** @property probing a probe is in flight; its result should be known by `until` */
export type PairHold = {
  readonly until: number;
  readonly reason: string;
  readonly strikes: number;
  readonly probing?: boolean;
};

export type QuotaOptions = AccountLimits & {
  /** longest time that a probe may take before the next probe goes */
  readonly probeMs: number;
  /** first pause after an outage; it doubles with every failed probe */
  readonly firstPauseMs: number;
};

/** A process that dies does not report the result of its probe: the next probe goes after the duration of a call plus this. */
const PROBE_GRACE_MS = 5_000;

export const quotaOptions = (settings: {
  readonly rateLimitCalls: number;
  readonly rateLimitWindowMs: number;
  readonly dailyCallLimit: number;
  readonly accountTimezone: string;
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
}): QuotaOptions => ({
  limit: settings.rateLimitCalls,
  windowMs: settings.rateLimitWindowMs,
  dailyLimit: settings.dailyCallLimit,
  timeZone: settings.accountTimezone,
  probeMs: settings.requestTimeoutMs + PROBE_GRACE_MS,
  firstPauseMs: settings.retryBackoffMs,
});

/** The network's delay varies: calls that are written exactly a window apart may arrive this much closer together. */
const WAY_MS = 40;
/**
 * Lateness that the margin always covers. Together with the network's part the margin is 100 ms, 1 % of 10 s. On machines
 * that are late more often the covered lateness grows as measured (give-back.lua).
 */
const LEAST_COVERED_MS = 60;
const MOST_COVERED_MS = 2_000;
/** A measured lateness counts half after this time. */
const LATENESS_HALF_LIFE_MS = 60_000;
/** What a real 429 adds to the margin. It shrinks by 1 ms with every call. */
const MARGIN_AFTER_429_MS = 40;
/** Idle time that partial batches may save up: a few thousand calls at the usual daily limit. */
const PARTIAL_BURST_MS = 600_000;
/** A hold lasts this long at most, whatever HubSpot says. */
const LONGEST_MIGRATION_MS = 86_400_000;
const LONGEST_RATE_LIMIT_WINDOWS = 6;
/** Batches that wait for the probe of an object pair ask again after this time. */
const PROBE_AGAIN_MS = 1_000;

/** The key of the held object pairs expires a day after the last hold. */
const HELD_PAIRS_SECONDS = 86_400;

const scripts = () => ({
  reserve: loadScript(new URL('./reserve.lua', import.meta.url)),
  giveBack: loadScript(new URL('./give-back.lua', import.meta.url)),
  hold: loadScript(new URL('./hold.lua', import.meta.url)),
  recover: loadScript(new URL('./recover.lua', import.meta.url)),
  holdPair: loadScript(new URL('./hold-pair.lua', import.meta.url)),
  afresh: loadScript(new URL('./afresh.lua', import.meta.url)),
});

export class Quota {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #options: QuotaOptions;
  readonly #scripts = scripts();
  readonly #weather: Weather;
  #faults = 0;
  /** the limits in force: the smallest of all replicas */
  #limits: AccountLimits;
  /** the smallest limit that HubSpot's headers stated */
  #heardLimit = Number.POSITIVE_INFINITY;
  /** Computing with time zones is slow, so the day is computed once. Epoch ms. */
  #dayKnown = { day: '', from: 0, until: 0 };
  /** as of the last reply; `until` on this process's clock */
  #heldPairs = new Map<string, PairHold>();

  constructor(redis: Redis, keys: Keys, options: QuotaOptions) {
    this.#redis = redis;
    this.#keys = keys;
    this.#options = options;
    this.#limits = options;
    this.#weather = new Weather(redis, keys);
  }

  /**
   * Reserves a call, or returns why no call may go. One round trip.
   * @param partial more inputs may still join the batch, so that it can be paced
   * @param spread spreads such calls over the window, so that there is room for other calls at any moment
   */
  async ask(partial: boolean, spread = false): Promise<QuotaReply> {
    const { limit, windowMs, dailyLimit } = this.#limits;
    const { day, msUntilMidnight } = this.#today();
    const id = randomUUID();
    const askedAt = clock();
    const reply = (await this.#scripts.reserve(
      this.#redis,
      [
        this.#keys.window,
        this.#keys.hold,
        this.#keys.daily,
        this.#keys.heldPairs,
        bullmqKeys(this.#keys).prioritized,
      ],
      [
        id,
        Math.min(limit, this.#heardLimit),
        windowMs,
        WAY_MS,
        partial ? 1 : 0,
        day,
        dailyLimit,
        msUntilMidnight,
        this.#options.probeMs,
        PARTIAL_BURST_MS,
        HIGH_PRIORITY_BELOW,
        LEAST_COVERED_MS,
        LATENESS_HALF_LIFE_MS,
        spread ? 1 : 0,
      ],
    )) as [string, number, ...(string | number)[]];
    const [kind, ms, third, fourth, now, high, graceMs] = reply;
    if (kind === 'paced') return { kind, forMs: ms };
    this.#learnHeldPairs(reply.slice(7).map(String), Number(now));
    if (kind === 'held') return { kind, forMs: ms, holdKind: String(third), reason: String(fourth) };
    return {
      kind: 'granted',
      id,
      waitMs: ms,
      at: Number(now) + ms,
      probe: third === 1,
      trouble: fourth === 1,
      // Redis decided between the request and its reply. Counted from the request, the slot is never later than the permit's
      // time, so that the call's lateness is never underestimated.
      slot: { at: askedAt + ms, graceMs: Number(graceMs) },
      day,
      high: Number(high),
    };
  }

  #today(): { day: string; msUntilMidnight: number } {
    const now = Date.now();
    const known = this.#dayKnown;
    // a time before `from` means that the clock was set back
    if (now >= known.from && now < known.until) return { day: known.day, msUntilMidnight: known.until - now };
    const today = dayIn(this.#limits.timeZone, now);
    this.#dayKnown = { day: today.day, from: now, until: now + today.msUntilMidnight };
    return today;
  }

  /** Reads what changed since the permit was granted. The holder of a permit that waited must ask. */
  async lookAgain(permit: Permit): Promise<{ held: boolean; high: number }> {
    const [until, high] = await Promise.all([
      this.#redis.hget(this.#keys.hold, 'until'),
      this.#redis.zcount(bullmqKeys(this.#keys).prioritized, '-inf', `(${HIGH_PRIORITY_BELOW}`),
    ]);
    return { held: !permit.probe && Number(until) > permit.at, high };
  }

  /** Runs when a replica starts: allows one probe for each hold, because the operator may have mended its cause. */
  async startAfresh(): Promise<void> {
    await this.#scripts.afresh(this.#redis, [this.#keys.hold, this.#keys.heldPairs], []);
  }

  /**
   * Moves the permit to the time at which its call was written. The worker does not wait for Redis here and ignores an
   * error: an unreachable Redis grants no permits either.
   */
  async usedLate(permit: Permit, lateMs: number): Promise<void> {
    const { window } = this.#keys;
    await this.#redis
      .pipeline()
      .zadd(window, Math.round(permit.at + lateMs), permit.id)
      // a call that waited long for its connection may outlive the key; the new key needs a time to live as well
      .pexpire(window, 2 * this.#limits.windowMs + MOST_COVERED_MS, 'NX')
      .exec()
      .catch(() => {});
  }

  /**
   * Gives a permit back whose call was not sent, because it is not needed or because the permit expired.
   * @param lateMs by how much this machine was late for the permit
   * @returns the lateness that the margin covers from now on, ms
   */
  async release(permit: Permit, lateMs = 0): Promise<number> {
    const most = Math.max(LEAST_COVERED_MS, Math.min(MOST_COVERED_MS, this.#limits.windowMs / 4));
    return Number(
      await this.#scripts.giveBack(
        this.#redis,
        [this.#keys.window, this.#keys.hold, this.#keys.daily],
        [
          permit.id,
          permit.day,
          permit.probe ? 1 : 0,
          Math.max(0, Math.round(lateMs)),
          LEAST_COVERED_MS,
          most,
          LATENESS_HALF_LIFE_MS,
        ],
      ),
    );
  }

  /** Takes over a limit from HubSpot's headers if it is smaller. A larger one often belongs to another endpoint. */
  tighten(limit: number): void {
    if (limit > 0) this.#heardLimit = Math.min(this.#heardLimit, limit);
  }

  /** Replaces the limits, whether they are smaller or larger. */
  adopt(limits: AccountLimits): void {
    if (limits.timeZone !== this.#limits.timeZone) this.#dayKnown = { day: '', from: 0, until: 0 };
    this.#limits = limits;
  }

  /** Holds the account for a fixed time. */
  async hold(
    kind: 'rate-limit' | 'daily' | 'migration',
    reason: string,
    forMs: number | 'until-reset',
  ): Promise<number> {
    const { msUntilMidnight } = this.#today();
    const longest = {
      'rate-limit': LONGEST_RATE_LIMIT_WINDOWS * this.#limits.windowMs,
      daily: msUntilMidnight,
      migration: LONGEST_MIGRATION_MS,
    };
    const ms = Math.min(forMs === 'until-reset' ? msUntilMidnight : forMs, longest[kind]);
    const margin = kind === 'rate-limit' ? MARGIN_AFTER_429_MS : 0;
    return this.#hold([kind, reason, Math.ceil(ms), 0, 0, margin]);
  }

  /** How often this replica has held the account because its calls failed, whatever they carried. */
  get faults(): number {
    return this.#faults;
  }

  /** Holds the account with growing pauses and one probe after each pause, until HubSpot answers a probe. */
  async holdGrowing(kind: 'auth' | 'account', reason: string, permit: Permit): Promise<number> {
    return this.#holdGrowing(kind, reason, permit);
  }

  /**
   * Notes that HubSpot or the network failed. In an outage it holds the account with growing pauses.
   * @returns fine: other calls succeed, so that an input may be the cause · at: the time of the failure on Redis' clock,
   * which all replicas share; patience with an unavailable HubSpot counts from it
   */
  async failed(reason: string, permit: Permit, sign: Sign): Promise<{ fine: boolean; at: string }> {
    const reading = await this.#weather.failed(sign);
    if (permit.probe || isOutage(reading)) await this.#holdGrowing('unavailable', reason, permit);
    return { fine: isFine(reading), at: new Date(reading.at).toISOString() };
  }

  /**
   * Notes that HubSpot answered a call: whatever it said, it is reachable and accepts the token.
   * @param firstTimers the call carried inputs that never failed before
   */
  async answered(permit: Permit, firstTimers = false): Promise<void> {
    this.#weather.answered(firstTimers);
    if (permit.trouble) await this.#scripts.recover(this.#redis, [this.#keys.hold], []);
  }

  get holdsPairs(): boolean {
    return this.#heldPairs.size > 0;
  }

  /** @returns the hold of the object pair, or of the object pair with these types; undefined if neither is held */
  heldPair(fromObjectType: string, toObjectType: string, typesText: string): PairHold | undefined {
    if (this.#heldPairs.size === 0) return undefined;
    return this.heldOf([
      pairName(fromObjectType, toObjectType),
      pairName(fromObjectType, toObjectType, typesText),
    ]);
  }

  /** @returns the first hold that is in force for one of these names */
  heldOf(names: readonly string[]): PairHold | undefined {
    const now = Date.now();
    for (const name of names) {
      const held = this.#heldPairs.get(name);
      if (held && held.until > now) return held;
    }
    return undefined;
  }

  /**
   * Holds one object pair (with these types) with growing pauses, on every replica.
   * @param how.isProbe the refused call was the probe of this hold
   */
  async holdPair(
    name: string,
    reason: string,
    { leastMs = 0, longestMs = MAX_BACKOFF_MS, isProbe = false } = {},
  ): Promise<PairHold> {
    const reply = await this.#pairs('hold', [name], { reason, leastMs, longestMs, isProbe });
    const [forMs = 0, strikes = 1] = reply;
    const held = { until: Date.now() + forMs, reason, strikes };
    this.#heldPairs.set(name, held);
    return held;
  }

  /** @returns the names that are held or whose probe is due */
  recordsOf(names: readonly string[]): string[] {
    return names.filter(name => this.#heldPairs.has(name));
  }

  /** @returns true if this call is the probe of these object pairs. All replicas together send one probe at a time. */
  async probePairs(names: readonly string[]): Promise<boolean> {
    const [granted] = await this.#pairs('probe', names);
    for (const name of names) this.#heldUntil(name, Date.now() + PROBE_AGAIN_MS);
    return granted === 1;
  }

  /** Ends a probe without a result, so that the next batch may probe. */
  async endProbe(names: readonly string[]): Promise<void> {
    const left = this.recordsOf(names);
    if (left.length > 0) await this.#pairs('end', left);
    for (const name of left) this.#heldUntil(name, 0);
  }

  /** Changes only what this replica knows. The reply to its next reservation brings the state in Redis. */
  #heldUntil(name: string, until: number): void {
    const held = this.#heldPairs.get(name);
    if (held) this.#heldPairs.set(name, { ...held, until });
  }

  async #pairs(
    what: 'hold' | 'probe' | 'end',
    names: readonly string[],
    { reason = '', leastMs = 0, longestMs = MAX_BACKOFF_MS, isProbe = false } = {},
  ): Promise<number[]> {
    const { firstPauseMs, probeMs } = this.#options;
    return (await this.#scripts.holdPair(
      this.#redis,
      [this.#keys.heldPairs],
      [
        ...[what, firstPauseMs, longestMs, Math.ceil(leastMs), isProbe ? 1 : 0, reason, probeMs],
        ...[Math.max(MAX_BACKOFF_MS, probeMs), HELD_PAIRS_SECONDS],
        ...names,
      ],
    )) as number[];
  }

  /** Ends the holds of an object pair, because HubSpot accepted something of it. */
  async freePair(...names: string[]): Promise<void> {
    const known = names.filter(name => this.#heldPairs.delete(name));
    if (known.length > 0) await this.#redis.hdel(this.#keys.heldPairs, ...known);
  }

  #holdGrowing(kind: 'auth' | 'account' | 'unavailable', reason: string, { probe }: Permit): Promise<number> {
    this.#faults += 1;
    return this.#hold([kind, reason, this.#options.firstPauseMs, MAX_BACKOFF_MS, probe ? 1 : 0, 0]);
  }

  async #hold(args: (string | number)[]): Promise<number> {
    return Number(await this.#scripts.hold(this.#redis, [this.#keys.hold], args));
  }

  #learnHeldPairs(flat: readonly string[], redisNow: number): void {
    if (flat.length === 0 && this.#heldPairs.size === 0) return;
    const skew = Date.now() - redisNow;
    this.#heldPairs = new Map();
    for (let at = 0; at + 1 < flat.length; at += 2) {
      const held = readHeldPair(flat[at + 1]);
      if (!held) continue;
      const longest = Math.max(MAX_BACKOFF_MS, this.#options.probeMs);
      // no replica holds for so long (another clock or another version wrote this): a probe is due
      const until = held.until > redisNow + longest ? 0 : held.until + skew;
      // this replica learns the probe's result only by asking, so it asks again soon and not at the end of the hold
      const known = held.probing ? Math.min(until, Date.now() + PROBE_AGAIN_MS) : until;
      this.#heldPairs.set(flat[at] ?? '', { ...held, until: known });
    }
  }
}

/** @returns undefined if the record is not ours. The scripts ignore such a record as well (hold-pair.lua). */
function readHeldPair(json = ''): PairHold | undefined {
  const record = readJson(json) as Partial<PairHold> | null | undefined;
  if (typeof record?.until !== 'number') return undefined;
  return { ...record, until: record.until, reason: String(record.reason), strikes: Number(record.strikes) };
}
