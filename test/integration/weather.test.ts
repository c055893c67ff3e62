/** The weather on a real Redis: if others succeed, an input may be the cause of a failure. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isFine, isOutage, Weather, type WeatherReading } from '../../src/hubspot/weather.js';
import { accountKeys, type Keys } from '../../src/shared/contract/keys.js';
import { batchLimit, halvingsBelow } from '../../src/worker/batches/suspicion.js';
import { eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis.js';

const test = useRedis(import.meta.url);
let keys: Keys;
beforeEach(() => {
  keys = accountKeys(test.newPrefix());
});

const reading = (ok: number, failed: number): WeatherReading => ({ ok, failed, failing: 1, silentMs: 0 });

describe('fine weather', () => {
  it.each<[string, number, number, boolean]>([
    ['nothing else is sent that could tell', 0, 1, false],
    ['too little else', 4, 1, false],
    ['others succeed', 5, 1, true],
    ['one of twenty others fails', 19, 2, false],
    ['one of twenty-one others fails', 20, 2, true],
    ['a third of the calls fail', 70, 30, false],
    ['all fail', 0, 50, false],
  ])('%s', (_, ok, failed, fine) => {
    expect(isFine(reading(ok, failed))).toBe(fine);
  });

  it('counts calls with first-timers only, since an input that fails again and again says nothing of others', async () => {
    const weather = new Weather(test.redis, keys);
    for (let call = 0; call < 30; call++) weather.answered(true);
    for (let call = 0; call < 30; call++) weather.answered(false);
    await eventually(async () => {
      const fields = Object.entries(await test.redis.hgetall(keys.weather));
      // in two slices, where five seconds end meanwhile
      const ok = fields.filter(([name]) => name.endsWith(':ok')).map(([, calls]) => Number(calls));
      expect(ok.reduce((sum, calls) => sum + calls, 0)).toBe(30);
    });
    const sign = { firstTimers: true, firstPair: '1 2' };
    expect(await weather.failed(sign)).toMatchObject({ ok: 30, failed: 1, failing: 1 });
    for (let call = 0; call < 30; call++)
      expect(await weather.failed({ ...sign, firstTimers: false })).toMatchObject({
        ok: 30,
        failed: 1,
        failing: 1,
      });
    expect(await weather.failed({ firstTimers: true, firstPair: '3 4' })).toMatchObject({
      failed: 2,
      failing: 2,
    });
  });

  it('is that of the last minute, and forgets older calls', async () => {
    const weather = new Weather(test.redis, keys);
    const [seconds] = await test.redis.time();
    const slice = Math.floor(Number(seconds) / 5);
    await test.redis.hset(keys.weather, {
      [`${slice - 30}:ok`]: 7,
      [`${slice - 13}:failed`]: 7,
      [`${slice - 9}:ok`]: 3,
      [`${slice - 2}:failed`]: 4,
    });
    expect(await weather.failed({ firstTimers: true, firstPair: '1 2' })).toEqual({
      ok: 3,
      failed: 5,
      failing: 1,
      silentMs: Number.POSITIVE_INFINITY,
      at: expect.any(Number),
    });
    expect(await test.redis.hkeys(keys.weather)).toEqual(
      expect.not.arrayContaining([`${slice - 30}:ok`, `${slice - 13}:failed`]),
    );
    expect(await test.redis.pttl(keys.weather)).toBeGreaterThan(60_000);
  });
});

it.each<[number, number, boolean]>([
  [4, Number.POSITIVE_INFINITY, false],
  [5, Number.POSITIVE_INFINITY, true],
  [10, 1_999, false],
  [5, 2_000, true],
])('%d different calls without an answer for %d ms: an outage is %s', (failing, silentMs, outage) => {
  expect(isOutage({ ok: 0, failed: 0, failing, silentMs })).toBe(outage);
});

it('a failure in fine weather at least halves the batch of the next try', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2_000 }),
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 1, max: 2_000 }),
      (maxInputs, suspicion, some) => {
        const limit = batchLimit(maxInputs, suspicion);
        const company = Math.min(some, limit);
        const halvings = halvingsBelow(company, limit);
        expect(halvings).toBeGreaterThanOrEqual(1);
        expect(batchLimit(maxInputs, suspicion + halvings)).toBeLessThanOrEqual(Math.max(1, company / 2));
        // a full call is halved once, and no more
        if (company === limit) expect(halvings).toBe(1);
      },
    ),
  );
});
