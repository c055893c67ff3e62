/**
 * Quota: the account's permission to call, shared by all replicas through Redis.
 *  1. reserves calls in HubSpot's rolling window, exactly, on Redis' clock (reserve.lua);
 *  2. counts the day and paces partial batches by what is left of it;
 *  3. holds the whole account (429, daily limit, 401, 477, an outage) and single object pairs (403, 423, nothing accepted).
 * It decides and records; waiting is the turnstile's business.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { readJson } from '../shared/contract/json.js';
import { HIGH_PRIORITY_BELOW, type Keys } from '../shared/contract/keys.js';
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
  /** until the call may go */
  readonly waitMs: number;
  /** when that is, on Redis' clock (epoch ms) */
  readonly at: number;
  /** the account was held: this call alone finds out whether it is over */
  readonly probe: boolean;
  /** the account was held for a fault: success must be reported */
  readonly trouble: boolean;
  /** the same time on this process's clock, and how late the call may be */
  readonly slot: Slot;
  /** the day it counts for */
  readonly day: string;
  /** jobs of high priority that waited in Redis when it was granted */
  readonly high: number;
};
export type Answer =
  | Permit
  | { readonly kind: 'held'; readonly forMs: number; readonly holdKind: string; readonly reason: string }
  /** a partial batch must wait: the day's calls have to last */
  | { readonly kind: 'paced'; readonly forMs: number };

/** @property probing a call is on its way that finds out whether it is over; `until` it should be known */
export type HeldPair = {
  readonly until: number;
  readonly reason: string;
  readonly strikes: number;
  readonly probing?: boolean;
};

export type QuotaOptions = AccountLimits & {
  /** longest time a probe may take before another one goes */
  readonly probeMs: number;
  /** first pause after an outage; it doubles with every probe that fails */
  readonly firstPauseMs: number;
};

/**
 * The way to HubSpot takes a varying time: calls a window apart when they are written arrive a little less than that
 * apart.
 */
const WAY_MS = 40;
/**
 * How late a call may be written at least. Together with the way it is the window's margin: 100 ms, 1 % of 10 s. Late
 * machines get more, as measured (give-back.lua).
 */
const LEAST_COVERED_MS = 60;
const MOST_COVERED_MS = 2_000;
/** After that long, a lateness that was measured counts half. */
const LATENESS_HALF_LIFE_MS = 60_000;
/** What a real 429 adds to the margin; it wears off by 1 ms with every call. */
const MARGIN_AFTER_429_MS = 40;
/** Idle time that partial batches may save up: some thousand calls at the usual daily limit. */
const PARTIAL_BURST_MS = 600_000;
/** A hold lasts this long at most, whatever HubSpot says; then one probe goes. */
const LONGEST_MIGRATION_MS = 86_400_000;
const LONGEST_RATE_LIMIT_WINDOWS = 6;
/** Batches that wait for the probe of an object pair ask again after this. */
const PROBE_AGAIN_MS = 1_000;

/** Held object pairs are forgotten a day after the last of them was held. */
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
  /** those that count: the smallest of all replicas */
  #limits: AccountLimits;
  /** as HubSpot's headers tightened it */
  #heardLimit = Number.POSITIVE_INFINITY;
  /** Time zones are slow to compute with: once a day is enough. Epoch ms. */
  #dayKnown = { day: '', from: 0, until: 0 };
  /** as of the last answer; `until` in this process's clock */
  #heldPairs = new Map<string, HeldPair>();

  constructor(redis: Redis, keys: Keys, options: QuotaOptions) {
    this.#redis = redis;
    this.#keys = keys;
    this.#options = options;
    this.#limits = options;
    this.#weather = new Weather(redis, keys);
  }

  /**
   * One round trip: reserves a call, or says what stands against it.
   * @param partial more inputs may come: it can be paced
   * @param spread such calls are spread over the window, so that there is room for another kind at any moment
   */
  async ask(partial: boolean, spread = false): Promise<Answer> {
    const { limit, windowMs, dailyLimit } = this.#limits;
    const { day, msUntilMidnight } = this.#today();
    const id = randomUUID();
    const askedAt = clock();
    const reply = (await this.#scripts.reserve(
      this.#redis,
      [this.#keys.window, this.#keys.hold, this.#keys.daily, this.#keys.heldPairs, this.#keys.prioritized],
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
      // Redis decided between the question and its answer: taken as soon as it was asked, the call is never later than
      // this says
      slot: { at: askedAt + ms, graceMs: Number(graceMs) },
      day,
      high: Number(high),
    };
  }

  #today(): { day: string; msUntilMidnight: number } {
    const now = Date.now();
    const known = this.#dayKnown;
    // earlier than it was known from: the clock was set back
    if (now >= known.from && now < known.until) return { day: known.day, msUntilMidnight: known.until - now };
    const today = dayIn(this.#limits.timeZone, now);
    this.#dayKnown = { day: today.day, from: now, until: now + today.msUntilMidnight };
    return today;
  }

  /** What has changed since the permit was granted? A permit that has waited must ask. */
  async lookAgain(permit: Permit): Promise<{ held: boolean; high: number }> {
    const [until, high] = await Promise.all([
      this.#redis.hget(this.#keys.hold, 'until'),
      this.#redis.zcount(this.#keys.prioritized, '-inf', `(${HIGH_PRIORITY_BELOW}`),
    ]);
    return { held: !permit.probe && Number(until) > permit.at, high };
  }

  /** At the start of a replica: whatever held the account or an object pair may be mended by now. */
  async startAfresh(): Promise<void> {
    await this.#scripts.afresh(this.#redis, [this.#keys.hold, this.#keys.heldPairs], []);
  }

  /**
   * Moves the permit to the time at which its call was written. The worker neither waits for that nor fails with it: a
   * Redis that is away grants no permits meanwhile.
   */
  async usedLate(permit: Permit, lateMs: number): Promise<void> {
    const { window } = this.#keys;
    await this.#redis
      .pipeline()
      .zadd(window, Math.round(permit.at + lateMs), permit.id)
      // a call that waited long for its connection may outlive the key, which must not be left without an end
      .pexpire(window, 2 * this.#limits.windowMs + MOST_COVERED_MS, 'NX')
      .exec()
      .catch(() => {});
  }

  /**
   * The call was not sent: it is not needed after all, or the permit expired first.
   * @param lateMs how late the call was by this machine's fault
   * @returns the lateness that permits cover from now on, ms
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

  /** HubSpot's headers may tighten the limit, never widen it: they often speak of another one. */
  tighten(limit: number): void {
    if (limit > 0) this.#heardLimit = Math.min(this.#heardLimit, limit);
  }

  /** The limits that count from now on, be they narrower or wider. */
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

  /** Holds the account with growing pauses and one probe after each, until an answer comes. */
  async holdGrowing(kind: 'auth' | 'account', reason: string, permit: Permit): Promise<number> {
    return this.#holdGrowing(kind, reason, permit);
  }

  /**
   * HubSpot or the way to it is in trouble: in an outage the account is held with growing pauses.
   * @returns fine: others succeed, so that it may be the fault of what was sent · at: when that was, on the one clock that
   * all replicas share; the patience with the weather is reckoned from it
   */
  async failed(reason: string, permit: Permit, sign: Sign): Promise<{ fine: boolean; at: string }> {
    const reading = await this.#weather.failed(sign);
    if (permit.probe || isOutage(reading)) await this.#holdGrowing('unavailable', reason, permit);
    return { fine: isFine(reading), at: new Date(reading.at).toISOString() };
  }

  /**
   * HubSpot has answered a call: whatever it said, it is there and knows the token.
   * @param firstTimers the call carried inputs that had never failed
   */
  async answered(permit: Permit, firstTimers = false): Promise<void> {
    this.#weather.answered(firstTimers);
    if (permit.trouble) await this.#scripts.recover(this.#redis, [this.#keys.hold], []);
  }

  get holdsPairs(): boolean {
    return this.#heldPairs.size > 0;
  }

  /** What holds the object pair, or the object pair with these types; undefined when nothing does. */
  heldPair(fromObjectType: string, toObjectType: string, typesText: string): HeldPair | undefined {
    if (this.#heldPairs.size === 0) return undefined;
    return this.heldOf([
      pairName(fromObjectType, toObjectType),
      pairName(fromObjectType, toObjectType, typesText),
    ]);
  }

  /** The first of these that is held at this moment. */
  heldOf(names: readonly string[]): HeldPair | undefined {
    const now = Date.now();
    for (const name of names) {
      const held = this.#heldPairs.get(name);
      if (held && held.until > now) return held;
    }
    return undefined;
  }

  /**
   * Holds one object pair (with these types) with growing pauses, on every replica.
   * @param how.isProbe the call was the probe of this hold
   */
  async holdPair(
    name: string,
    reason: string,
    { leastMs = 0, longestMs = MAX_BACKOFF_MS, isProbe = false } = {},
  ): Promise<HeldPair> {
    const reply = await this.#pairs('hold', [name], { reason, leastMs, longestMs, isProbe });
    const [forMs = 0, strikes = 1] = reply;
    const held = { until: Date.now() + forMs, reason, strikes };
    this.#heldPairs.set(name, held);
    return held;
  }

  /** Those of these names that are held, or whose probe is due. */
  recordsOf(names: readonly string[]): string[] {
    return names.filter(name => this.#heldPairs.has(name));
  }

  /** @returns whether this call may find out if they are free again: one at a time does, on all replicas together */
  async probePairs(names: readonly string[]): Promise<boolean> {
    const [granted] = await this.#pairs('probe', names);
    for (const name of names) this.#heldUntil(name, Date.now() + PROBE_AGAIN_MS);
    return granted === 1;
  }

  /** The probe has found out nothing: the next batch may probe. */
  async endProbe(names: readonly string[]): Promise<void> {
    const left = this.recordsOf(names);
    if (left.length > 0) await this.#pairs('end', left);
    for (const name of left) this.#heldUntil(name, 0);
  }

  /** As far as this replica knows; it learns more with its next call. */
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

  /** Something of this object pair was accepted: whatever held it is over. */
  async freePair(...names: string[]): Promise<void> {
    const known = names.filter(name => this.#heldPairs.delete(name));
    if (known.length > 0) await this.#redis.hdel(this.#keys.heldPairs, ...known);
  }

  #holdGrowing(kind: 'auth' | 'account' | 'unavailable', reason: string, { probe }: Permit): Promise<number> {
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
      // so far ahead nobody holds (another clock, another version): a probe is due
      const until = held.until > redisNow + longest ? 0 : held.until + skew;
      // what the probe brings is heard of by asking: not before its time is over, but soon
      const known = held.probing ? Math.min(until, Date.now() + PROBE_AGAIN_MS) : until;
      this.#heldPairs.set(flat[at] ?? '', { ...held, until: known });
    }
  }
}

/** Undefined: somebody else has written it. The scripts overlook such a record, too (hold-pair.lua). */
function readHeldPair(json = ''): HeldPair | undefined {
  const record = readJson(json) as Partial<HeldPair> | null | undefined;
  if (typeof record?.until !== 'number') return undefined;
  return { ...record, until: record.until, reason: String(record.reason), strikes: Number(record.strikes) };
}

/** `contacts/companies`, or `contacts/companies HUBSPOT_DEFINED:279` */
export const pairName = (fromObjectType: string, toObjectType: string, typesText?: string): string =>
  typesText === undefined
    ? `${fromObjectType}/${toObjectType}`
    : `${fromObjectType}/${toObjectType} ${typesText}`;
