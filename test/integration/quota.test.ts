/** The quota on a real Redis: the rolling window, the day, holds of the account and of object pairs. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { type Permit, Quota, type QuotaOptions, type QuotaReply } from '../../src/hubspot/quota.js';
import type { Sign } from '../../src/hubspot/weather.js';
import { accountKeys, type Keys } from '../../src/shared/contract/keys.js';
import { pairName } from '../../src/shared/contract/object-types.js';
import { openRedis } from '../../src/shared/runtime/redis.js';
import { eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis.js';
import { RedisServer } from '../support/redis-server.js';

const test = useRedis(import.meta.url);
/** a zone in which it is about noon: no test meets a midnight */
const NOON = `Etc/GMT${new Date().getUTCHours() >= 12 ? '+' : '-'}${Math.abs(new Date().getUTCHours() - 12)}`;
const OPTIONS: QuotaOptions = {
  limit: 100,
  windowMs: 300,
  dailyLimit: 0,
  timeZone: NOON,
  probeMs: 60_000,
  firstPauseMs: 30,
};

let keys: Keys;
const connections: Redis[] = [];
beforeEach(() => {
  keys = accountKeys(test.newPrefix());
});
afterEach(() => {
  for (const connection of connections.splice(0)) connection.disconnect();
});

const quota = (options: Partial<QuotaOptions> = {}, redis = test.redis) =>
  new Quota(redis, keys, { ...OPTIONS, ...options });
/** Replicas with separate connections. */
const replicas = (count: number, options: Partial<QuotaOptions> = {}) =>
  Array.from({ length: count }, () => {
    const redis = openRedis(test.url, 'patient');
    connections.push(redis);
    return quota(options, redis);
  });

function granted(answer: QuotaReply): Permit {
  if (answer.kind !== 'granted') throw new Error(`not granted: ${JSON.stringify(answer)}`);
  return answer;
}
const permit = async (from: Quota, partial = false) => granted(await from.ask(partial));
/** The permit that is granted as soon as the account is not held any more. */
const permitAfterHold = (from: Quota) => eventually(() => permit(from), 5_000);
const held = (answer: QuotaReply) => {
  if (answer.kind !== 'held') throw new Error(`not held: ${JSON.stringify(answer)}`);
  return answer;
};

/** Its answer before the hold is over, however long this machine takes to ask. */
async function answerWhileHeld(asked: Quota) {
  await test.redis.hincrby(keys.hold, 'until', 60_000);
  const answer = held(await asked.ask(false));
  await test.redis.hincrby(keys.hold, 'until', -60_000);
  return answer;
}

/** When the calls go, on Redis' clock, in order. */
async function times(): Promise<number[]> {
  const flat = await test.redis.zrange(keys.window, '0', '-1', 'WITHSCORES');
  return flat.filter((_, index) => index % 2 === 1).map(Number);
}
/** The most calls within any stretch of this length. */
function mostWithin(windowMs: number, sorted: readonly number[]): number {
  let most = 0;
  let first = 0;
  sorted.forEach((at, index) => {
    while (at - (sorted[first] as number) >= windowMs) first += 1;
    most = Math.max(most, index - first + 1);
  });
  return most;
}

describe('the rolling window', () => {
  it.each([
    [1, 200],
    [3, 250],
    [20, 300],
    [100, 500],
  ])(
    'never holds more than its limit: %d in %d ms, eight replicas asking at once',
    async (limit, windowMs) => {
      const all = replicas(8, { limit, windowMs });
      const asked = limit * 4 + 3;
      const since = performance.now();
      const permits = await Promise.all(
        Array.from({ length: asked }, (_, index) => permit(all[index % all.length] as Quota)),
      );
      const askingMs = performance.now() - since;
      // as they were granted: on a busy machine the first have left the window before the last are asked for
      const at = permits.map(one => one.at).sort((one, other) => one - other);
      expect(mostWithin(windowMs, at)).toBeLessThanOrEqual(limit);
      expect(new Set(permits.map(({ id }) => id)).size).toBe(asked);
      // and the limit is used: no window's worth takes much longer than a window, but for the time of asking
      const span = (at.at(-1) ?? 0) - (at[0] ?? 0);
      expect(span).toBeLessThanOrEqual(Math.ceil(asked / limit) * (windowMs + 65) + askingMs);
    },
  );

  it('counts a permit that is used late from when it was used', async () => {
    const limit = 20;
    const all = replicas(6, { limit });
    let seed = 7;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    // each replica asks, uses its permit up to half a window late, asks again; whose call goes first is first
    const pending: { replica: Quota; one: Permit; lateMs: number; at: number }[] = [];
    const ask = async (replica: Quota) => {
      const one = await permit(replica);
      const lateMs = Math.round(random() * 150);
      pending.push({
        replica,
        one,
        lateMs,
        at: Number(await test.redis.zscore(keys.window, one.id)) + lateMs,
      });
    };
    for (const replica of all) await ask(replica);
    const used: number[] = [];
    for (let call = 0; call < 240; call++) {
      pending.sort((one, other) => one.at - other.at);
      const next = pending.shift();
      if (!next) throw new Error('nobody is left');
      await next.replica.usedLate(next.one, next.lateMs);
      used.push(Number(await test.redis.zscore(keys.window, next.one.id)));
      await ask(next.replica);
    }
    used.sort((one, other) => one - other);
    expect(mostWithin(OPTIONS.windowMs, used)).toBeLessThanOrEqual(limit);
  });

  it('serves replicas in the order in which they ask', async () => {
    const all = replicas(4, { limit: 4 });
    const at: number[] = [];
    for (let round = 0; round < 5; round++) for (const replica of all) at.push((await permit(replica)).at);
    expect(at).toEqual([...at].sort((one, other) => one - other));
  });

  it('lets the first half of an idle window go faster than the rest, and nothing in bursts', async () => {
    const one = quota({ limit: 10, windowMs: 1_000 });
    for (let call = 0; call < 10; call++) await permit(one);
    const at = await times();
    const gaps = at.slice(1).map((time, index) => time - (at[index] as number));
    expect(Math.max(...gaps.slice(0, 4))).toBeLessThan(60);
    expect(Math.min(...gaps.slice(5))).toBeGreaterThanOrEqual(89);
  });

  it('spreads calls that may wait over the whole window, an idle one too', async () => {
    const one = quota({ limit: 50, windowMs: 5_000 });
    for (let call = 0; call < 50; call++) granted(await one.ask(false, true));
    const all = await times();
    const gaps = all.slice(1).map((at, index) => at - (all[index] as number));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(99.9);
  });

  it('takes back a permit that is released', async () => {
    const one = quota({ limit: 1, windowMs: 60_000, dailyLimit: 10 });
    const first = await permit(one);
    await one.release(first);
    const second = await permit(one);
    expect(second.waitMs).toBe(0);
    expect(Object.values(await test.redis.hgetall(keys.daily))).toEqual(['1']);
    expect((await permit(one)).waitMs).toBeGreaterThan(50_000);
  });

  it('is tightened by headers, never widened', async () => {
    const one = quota({ limit: 3, windowMs: 60_000 });
    one.tighten(5);
    one.tighten(0);
    for (let call = 0; call < 3; call++) expect((await permit(one)).waitMs).toBeLessThan(60_000);
    expect((await permit(one)).waitMs).toBeGreaterThanOrEqual(55_000);
    const tight = quota({ limit: 3, windowMs: 60_000 });
    tight.tighten(2);
    await tight.release(await permit(tight));
    expect((await permit(tight)).waitMs).toBeGreaterThan(60_000);
  });

  it('covers more lateness by half at most with every permit that expires, and less with time', async () => {
    const one = quota({ limit: 1, windowMs: 8_000 });
    const grace = async () => {
      const next = await permit(one);
      await one.release(next);
      return next.slot.graceMs;
    };
    // wears off until the next permits of a window are reserved: the margin of those covers it still
    const least = await grace();
    expect(least).toBe(60);
    expect(await one.release(await permit(one), 30)).toBe(60);
    expect(await one.release(await permit(one), 10_000)).toBe(90);
    expect(await grace()).toBeGreaterThan(75);
    expect(await grace()).toBeLessThan(90);
    const after: number[] = [];
    for (let expired = 0; expired < 10; expired++) after.push(await one.release(await permit(one), 10_000));
    expect(after[1]).toBeGreaterThan(190);
    expect(after.at(-1)).toBe(2_000); // a quarter of the window
    await test.redis.hincrby(keys.hold, 'lateAt', -60_000);
    expect(await one.release(await permit(one))).toBeLessThanOrEqual(1_001);
    await test.redis.hincrby(keys.hold, 'lateAt', -86_400_000);
    expect(await grace()).toBe(60);
  });

  it('lets a call be later where few permits wait for their time', async () => {
    const one = quota({ limit: 20, windowMs: 8_000 });
    for (let call = 0; call < 3; call++) expect((await permit(one)).slot.graceMs).toBe(1_000);
    for (let call = 0; call < 16; call++) await permit(one);
    expect((await permit(one)).slot.graceMs).toBe(60);
  });

  it('counts a permit once that is asked for again because its answer was lost, a probe among them', async () => {
    const [one] = replicas(1, { dailyLimit: 10, windowMs: 60_000 }) as [Quota];
    // as the connection does it: the same command again, and its second answer is the one that is heard
    const twice = new Proxy(test.redis, {
      get: (redis, name) =>
        name === 'evalsha'
          ? async (...args: Parameters<Redis['evalsha']>) => {
              await redis.evalsha(...args);
              return redis.evalsha(...args);
            }
          : Reflect.get(redis, name, redis),
    });
    await permit(one); // the script is known
    const first = await permit(quota({ dailyLimit: 10, windowMs: 60_000 }, twice));
    expect(first).toMatchObject({ probe: false });
    expect(await test.redis.zcard(keys.window)).toBe(2);
    expect(Object.values(await test.redis.hgetall(keys.daily))).toEqual(['2']);
    await one.holdGrowing('auth', 'bad token', first);
    await eventually(async () => {
      const probe = granted(await quota({ windowMs: 60_000 }, twice).ask(false));
      expect(probe).toMatchObject({ probe: true });
    });
  });

  it('comes back after Redis has forgotten the scripts', async () => {
    const server = await RedisServer.start();
    const redis = openRedis(server.url, 'patient');
    try {
      await redis.connect();
      const one = quota({}, redis);
      await permit(one);
      await redis.script('FLUSH');
      await permit(one);
      await redis.script('FLUSH');
      expect(await one.hold('migration', 'moving', 20)).toBeGreaterThan(0);
      expect(await redis.zcard(keys.window)).toBe(2);
    } finally {
      redis.disconnect();
      await server.stop();
    }
  });

  it('leaves no key for ever when a call is written after its window', async () => {
    const one = quota();
    const late = await permit(one);
    await test.redis.del(keys.window); // as time does
    await one.usedLate(late, 5_000);
    expect(await test.redis.pttl(keys.window)).toBeGreaterThan(0);
  });

  it('leaves no key for ever when no call is made', async () => {
    await permit(quota());
    expect(await test.redis.pttl(keys.window)).toBeGreaterThan(OPTIONS.windowMs);
    expect(await test.redis.pttl(keys.window)).toBeLessThan(10 * OPTIONS.windowMs);
  });
});

describe('the day', () => {
  it('holds every replica until the reset when its calls are used up', async () => {
    const [one, other] = replicas(2, { dailyLimit: 5 }) as [Quota, Quota];
    for (let call = 0; call < 5; call++) await permit(call % 2 === 0 ? one : other);
    for (const replica of [one, other]) {
      const answer = held(await replica.ask(false));
      expect(answer).toMatchObject({ holdKind: 'daily', reason: 'the daily limit of 5 calls is used up' });
      expect(answer.forMs).toBeGreaterThan(10 * 3_600_000);
      expect(answer.forMs).toBeLessThan(14 * 3_600_000);
    }
  });

  it('forgets yesterday’s count', async () => {
    await test.redis.hset(keys.daily, '2020-01-01', '5');
    await permit(quota({ dailyLimit: 5 }));
    expect(Object.values(await test.redis.hgetall(keys.daily))).toEqual(['1']);
    expect(await test.redis.hexists(keys.daily, '2020-01-01')).toBe(0);
  });

  it('paces partial batches by what is left of it, and full ones not', async () => {
    const one = quota({ dailyLimit: 1_000, limit: 10_000 });
    let partials = 0;
    let paced: QuotaReply = await one.ask(true);
    for (; paced.kind === 'granted'; paced = await one.ask(true)) partials += 1;
    // half a day for 1,000 calls is one every 43 s; ten idle minutes save up 14 of them
    expect(partials).toBeGreaterThanOrEqual(12);
    expect(partials).toBeLessThanOrEqual(17);
    if (paced.kind !== 'paced') throw new Error('not paced');
    expect(paced.forMs).toBeGreaterThan(0);
    expect(paced.forMs).toBeLessThan(60_000);
    await permit(one);
    await permit(one);
    expect((await one.ask(true)).kind).toBe('paced');
    expect(await test.redis.hvals(keys.daily)).toEqual([String(partials + 2)]);
  });

  it('paces nothing when it has no limit', async () => {
    const one = quota({ limit: 10_000 });
    for (let call = 0; call < 50; call++) await permit(one, true);
  });
});

/** A call of first-timers. */
const call = (firstPair: string): Sign => ({ firstTimers: true, firstPair });
const fails = async (from: Quota, firstPair: string, reason = '503') =>
  from.failed(reason, await permit(from), call(firstPair));

describe('the end of a hold', () => {
  const YEARS_MS = 1_000_000_000_000;

  it.each([
    ['rate-limit', 6 * OPTIONS.windowMs],
    ['migration', 86_400_000],
  ] as const)('%s: HubSpot is believed for so long, whatever it says', async (kind, longestMs) => {
    expect(await quota().hold(kind, 'for ever', YEARS_MS)).toBe(longestMs);
  });

  it('daily: at midnight of the account', async () => {
    const ms = await quota().hold('daily', 'for ever', YEARS_MS);
    expect(ms).toBeLessThanOrEqual(86_400_000);
    expect(Math.abs(ms - (await quota().hold('daily', 'again', 'until-reset')))).toBeLessThan(5_000);
  });

  it.each([
    ['rate-limit', 6 * OPTIONS.windowMs],
    ['migration', 86_400_000],
    ['auth', 600_000],
    ['unavailable', 600_000],
  ] as const)(
    '%s: what another version or another clock wrote is believed no longer',
    async (kind, longestMs) => {
      await test.redis.hset(keys.hold, { until: Date.now() + YEARS_MS, kind, reason: 'old', strikes: 0 });
      expect(held(await quota().ask(false)).forMs).toBeLessThanOrEqual(longestMs);
    },
  );

  it('is a probe for an object pair whose record is too far ahead', async () => {
    const record = JSON.stringify({ until: Date.now() + YEARS_MS, reason: 'old', strikes: 3 });
    await test.redis.hset(keys.heldPairs, 'contacts/companies', record);
    const one = quota();
    await permit(one);
    expect(one.heldPair('contacts', 'companies', 'x')).toBeUndefined();
    expect(await one.probePairs(one.recordsOf(['contacts/companies']))).toBe(true);
  });

  it.each(['rate-limit', 'migration', 'daily'] as const)(
    '%s: a restart looks again, with one probe',
    async kind => {
      const one = quota();
      await one.hold(kind, 'wait', 60_000);
      await quota().startAfresh();
      const first = granted(await one.ask(false));
      expect(first.probe).toBe(true);
      expect((await quota().ask(false)).kind).toBe('held');
    },
  );
});

describe('a held object pair', () => {
  const name = pairName('contacts', 'companies');

  it('lets one probe go after its pause, on all replicas together, and doubles the pause when it fails', async () => {
    const [one, other] = replicas(2, { firstPauseMs: 40 }) as [Quota, Quota];
    await one.holdPair(name, 'refused');
    const probes = await eventually(async () => {
      const both = await Promise.all([one.probePairs([name]), other.probePairs([name])]);
      expect(both).toContain(true);
      return both;
    });
    expect(probes.filter(Boolean)).toHaveLength(1);
    // whoever stands behind it asks again soon, on all replicas: nobody else tells them what it has brought
    await permit(other);
    for (const replica of [one, other]) {
      const { until = 0 } = replica.heldPair('contacts', 'companies', 'x') ?? {};
      expect(until - Date.now()).toBeLessThanOrEqual(1_000);
    }
    const again = await one.holdPair(name, 'refused', { isProbe: true });
    expect(again.strikes).toBe(2);
    expect(again.until - Date.now()).toBeGreaterThan(40);
  });

  it('lets the next one probe when a probe has found out nothing, and at a restart', async () => {
    const one = quota({ firstPauseMs: 60_000 });
    await one.holdPair(name, 'refused');
    expect(await one.probePairs([name])).toBe(false);
    await quota().startAfresh();
    expect(await one.probePairs([name])).toBe(true);
    expect(await one.probePairs([name])).toBe(false);
    await one.endProbe([name]);
    expect(one.heldPair('contacts', 'companies', 'x')).toBeUndefined();
    expect(await one.probePairs([name])).toBe(true);
  });
});

describe('holds of the account', () => {
  it('last for the time of a 429 on every replica, and a longer hold stays', async () => {
    const [one, other] = replicas(2) as [Quota, Quota];
    expect(await one.hold('rate-limit', 'slow down', 1_800)).toBe(1_800);
    expect(await other.hold('rate-limit', 'again', 300)).toBeGreaterThan(900);
    for (const replica of [one, other])
      expect(held(await replica.ask(false))).toMatchObject({ holdKind: 'rate-limit', reason: 'slow down' });
    expect(await one.hold('migration', 'moving', 9_000)).toBe(9_000);
    expect(held(await other.ask(false)).holdKind).toBe('migration');
  });

  it('keep a margin that grows with every 429 and wears off with calls', async () => {
    const one = quota();
    await one.hold('rate-limit', 'slow down', 1);
    await one.hold('rate-limit', 'slow down', 1);
    expect(await test.redis.hget(keys.hold, 'margin')).toBe('80');
    expect((await permitAfterHold(one)).probe).toBe(false);
    expect(await test.redis.hget(keys.hold, 'margin')).toBe('79');
  });

  it("last until the reset when the day's calls are used up", async () => {
    expect(await quota().hold('daily', 'DAILY', 'until-reset')).toBeGreaterThan(10 * 3_600_000);
  });

  it('count 401s of calls in flight together as one strike, and let one probe go alone', async () => {
    const [one, other] = replicas(2) as [Quota, Quota];
    const inFlight = [await permit(one), await permit(other), await permit(one)];
    const pauses = await Promise.all(inFlight.map(each => one.holdGrowing('auth', 'bad token', each)));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(OPTIONS.firstPauseMs);
    expect(await test.redis.hget(keys.hold, 'strikes')).toBe('1');
    expect(await answerWhileHeld(other)).toMatchObject({ holdKind: 'auth', reason: 'bad token' });

    const probe = await permitAfterHold(other);
    expect(probe).toMatchObject({ probe: true, trouble: true });
    expect(held(await one.ask(false)).forMs).toBeGreaterThan(50_000);

    expect(await other.holdGrowing('auth', 'bad token', probe)).toBe(2 * OPTIONS.firstPauseMs);
    const second = await permitAfterHold(one);
    expect(await one.holdGrowing('auth', 'bad token', second)).toBe(4 * OPTIONS.firstPauseMs);

    const third = await permitAfterHold(other);
    await other.answered(third);
    expect(await permit(one)).toMatchObject({ probe: false, trouble: false });
  });

  it('begin in an outage with the fifth call in a row that fails, over all replicas, and let one probe go alone', async () => {
    const [one, other] = replicas(2) as [Quota, Quota];
    for (let call = 0; call < 4; call++) await fails(call % 2 === 0 ? one : other, `${call}`);
    // the same pairs again and again tell of themselves, suspects of nothing
    for (const firstPair of ['3', '3', '', '']) await fails(one, firstPair);
    expect(await permit(other)).toMatchObject({ probe: false, trouble: false });
    await fails(other, '4', '503 again');
    expect(await answerWhileHeld(other)).toMatchObject({ holdKind: 'unavailable', reason: '503 again' });
    expect(await test.redis.hget(keys.hold, 'strikes')).toBe('1');

    const probe = await permitAfterHold(other);
    expect(probe).toMatchObject({ probe: true, trouble: true });
    // a straggler of the time before says nothing new
    await one.failed('late', { ...probe, probe: false }, call('5'));
    expect(held(await one.ask(false)).forMs).toBeGreaterThan(50_000);
    await other.failed('still 503', probe, call('0'));
    expect(held(await one.ask(false)).forMs).toBeLessThanOrEqual(2 * OPTIONS.firstPauseMs);
    const next = await permitAfterHold(one);
    await one.answered(next);
    expect(await permit(other)).toMatchObject({ probe: false, trouble: false });
  });

  it('do not begin where an answer between the failures ends the run, whichever replica got it', async () => {
    const [one, other] = replicas(2) as [Quota, Quota];
    const early = await permit(other);
    for (let round = 0; round < 5; round++) {
      for (let call = 0; call < 4; call++) await fails(one, `${round} ${call}`);
      await other.answered(early);
      await eventually(async () => expect(await test.redis.hexists(keys.weather, 'failing')).toBe(0));
    }
    expect(await permit(one)).toMatchObject({ probe: false, trouble: false });
  });

  it('do not begin in a partial outage, where a run of failures soon after an answer is chance', async () => {
    const one = quota();
    await one.answered(await permit(one));
    await eventually(async () => expect(await test.redis.hexists(keys.weather, 'answeredAt')).toBe(1));
    // on a machine that is late the run must not last two seconds
    await test.redis.hincrby(keys.weather, 'answeredAt', 60_000);
    for (let call = 0; call < 10; call++) await fails(one, `${call}`);
    expect((await one.ask(false)).kind).toBe('granted');
    await test.redis.hincrby(keys.weather, 'answeredAt', -62_000);
    await fails(one, '10');
    expect(held(await one.ask(false)).holdKind).toBe('unavailable');
  });

  it('grow in their pauses to ten minutes', async () => {
    await test.redis.hset(keys.hold, 'strikes', '2000');
    const one = quota();
    await one.failed('503', { ...(await permit(one)), probe: true }, call('0'));
    expect(held(await one.ask(false)).forMs).toBeGreaterThan(590_000);
    expect(held(await one.ask(false)).forMs).toBeLessThanOrEqual(600_000);
  });

  it('end for everybody with the probe that succeeds, also after an outage with a 429 in it', async () => {
    const one = quota();
    const straggler = await permit(one);
    for (let at = 0; at < 5; at++) await one.failed('503', straggler, call(`${at}`));
    // answered before the outage was noticed, read after it
    await one.answered(straggler);
    await one.hold('rate-limit', 'slow down', 60);
    const probe = await permitAfterHold(one);
    expect(probe.probe).toBe(true);
    await one.answered(probe);
    expect((await one.ask(false)).kind).toBe('granted');
  });

  it('stay as they are when a probe of another kind is released', async () => {
    const one = quota();
    await one.holdGrowing('auth', 'bad token', await permit(one));
    const probe = await permitAfterHold(one);
    await one.hold('daily', 'used up', 'until-reset');
    await one.release(probe);
    expect(held(await one.ask(false))).toMatchObject({ holdKind: 'daily' });
  });

  it('let another probe go when one is released', async () => {
    const [one, other] = replicas(2) as [Quota, Quota];
    await one.holdGrowing('auth', 'bad token', await permit(one));
    const probe = await permitAfterHold(one);
    expect(probe.probe).toBe(true);
    await one.release(probe);
    expect(await other.ask(false)).toMatchObject({ kind: 'granted', probe: true });
  });
});

describe('held object pairs', () => {
  const pair = pairName('contacts', 'companies');
  const withTypes = pairName('contacts', 'deals', 'HUBSPOT_DEFINED:4');

  it('are known to all replicas with their next request for a permit, and freed for all', async () => {
    const [one, other] = replicas(2) as [Quota, Quota];
    expect(one.holdsPairs).toBe(false);
    expect(await one.holdPair(pair, 'locked', { leastMs: 5_000 })).toMatchObject({
      reason: 'locked',
      strikes: 1,
    });
    await one.holdPair(withTypes, 'nothing is accepted', { leastMs: 5_000 });
    expect(one.heldPair('contacts', 'companies', 'HUBSPOT_DEFINED:1')).toMatchObject({ reason: 'locked' });
    expect(one.heldPair('contacts', 'deals', 'HUBSPOT_DEFINED:4')).toMatchObject({ strikes: 1 });
    expect(one.heldPair('contacts', 'deals', 'HUBSPOT_DEFINED:5')).toBeUndefined();

    expect(other.holdsPairs).toBe(false);
    await permit(other);
    expect(other.holdsPairs).toBe(true);
    const there = other.heldPair('contacts', 'companies', 'x');
    expect((there?.until ?? 0) - Date.now()).toBeGreaterThan(4_000);
    expect((there?.until ?? 0) - Date.now()).toBeLessThan(6_000);

    await other.freePair(pair, pairName('contacts', 'companies', 'x'), withTypes);
    expect(other.holdsPairs).toBe(false);
    expect(await test.redis.exists(keys.heldPairs)).toBe(0);
    await permit(one);
    expect(one.holdsPairs).toBe(false);
  });

  it.each(['', 'no JSON', 'null', '[]', '{"until":"x"}', '{"until":{}}'])(
    'stop no call where the record is none of ours (%j)',
    async record => {
      await test.redis.hset(keys.heldPairs, pair, record);
      const one = quota();
      await permit(one);
      expect(one.heldPair('contacts', 'companies', 'x')).toBeUndefined();
    },
  );

  it('are learned from a held account as well', async () => {
    const [one, other] = replicas(2) as [Quota, Quota];
    await one.holdPair(pair, 'locked', { leastMs: 5_000 });
    await one.hold('migration', 'moving', 5_000);
    held(await other.ask(false));
    expect(other.heldPair('contacts', 'companies', 'x')).toMatchObject({ reason: 'locked' });
  });

  it('are held longer with every strike, once the pause before is over', async () => {
    const one = quota();
    for (let strike = 1; strike <= 3; strike++) {
      const since = Date.now();
      const { until, strikes } = await one.holdPair(pair, 'forbidden');
      const pause = OPTIONS.firstPauseMs * 2 ** (strike - 1);
      expect(strikes).toBe(strike);
      expect(until - since).toBeGreaterThanOrEqual(pause);
      expect(until - Date.now()).toBeLessThanOrEqual(pause);
      await eventually(() => expect(one.heldPair('contacts', 'companies', 'x')).toBeUndefined());
    }
  });

  it('count calls that were in flight together as one strike', async () => {
    const one = quota();
    for (let call = 0; call < 10; call++) await one.holdPair(pair, 'locked', { leastMs: 2_000 });
    expect(one.heldPair('contacts', 'companies', 'x')).toMatchObject({ strikes: 1 });
  });
});

describe('the limits of other replicas', () => {
  it('count while they are smaller, and no longer', async () => {
    const one = quota({ limit: 100, windowMs: 60_000 });
    one.adopt({ limit: 2, windowMs: 60_000, dailyLimit: 0, timeZone: NOON });
    const waits = [];
    for (let n = 0; n < 3; n++) waits.push((await one.ask(false)) as Permit);
    expect(waits[2]?.waitMs).toBeGreaterThan(59_000);
    await one.release(waits[2] as Permit);
    one.adopt({ limit: 100, windowMs: 60_000, dailyLimit: 0, timeZone: NOON });
    expect(((await one.ask(false)) as Permit).waitMs).toBeLessThan(59_000);
    one.adopt({ limit: 100, windowMs: 60_000, dailyLimit: 3, timeZone: NOON });
    expect(await one.ask(false)).toMatchObject({ kind: 'held', holdKind: 'daily' });
  });
});
