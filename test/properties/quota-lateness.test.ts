/**
 * The limit on machines that are late: replicas on a real Redis, calls that are ready at random times after their slot,
 * a way to HubSpot that takes a varying time, and a model of HubSpot's window at the times of arrival.
 */
import { afterEach, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { Departure } from '../../src/hubspot/departure.js';
import { type Permit, Quota } from '../../src/hubspot/quota.js';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { clock } from '../../src/shared/runtime/clock.js';
import { openRedis } from '../../src/shared/runtime/redis.js';
import { sleep } from '../../src/shared/runtime/wait.js';
import { useRedis } from '../support/redis.js';

const test = useRedis(import.meta.url);
const connections: Redis[] = [];
afterEach(() => {
  for (const connection of connections.splice(0)) connection.disconnect();
});

/** The way to HubSpot takes up to so long. */
const WAY_MS = 30;
type Case = {
  limit: number;
  windowMs: number;
  replicas: number;
  /** one in so many calls is late, by up to */
  oneIn: number;
  lateMs: number;
  seed: number;
};
type Figures = { arrivals: number[]; expired: number; granted: number };

async function run(one: Case, windows: number): Promise<Figures> {
  const keys = accountKeys(test.newPrefix());
  const random = randomOf(one.seed);
  const until = clock() + windows * one.windowMs;
  const figures: Figures = { arrivals: [], expired: 0, granted: 0 };
  const replica = async () => {
    const redis = openRedis(test.url, 'patient');
    connections.push(redis);
    const quota = new Quota(redis, keys, {
      ...{ limit: one.limit, windowMs: one.windowMs, dailyLimit: 0, timeZone: 'UTC' },
      ...{ probeMs: 60_000, firstPauseMs: 30 },
    });
    while (clock() < until) {
      const permit = await quota.ask(false);
      if (permit.kind !== 'granted') throw new Error(`not granted: ${permit.kind}`);
      figures.granted += 1;
      await sleep(permit.waitMs);
      if (random() * one.oneIn < 1) await sleep(random() * one.lateMs);
      await call(quota, permit, random, figures);
    }
  };
  await Promise.all(Array.from({ length: one.replicas }, replica));
  return figures;
}

async function call(quota: Quota, permit: Permit, random: () => number, figures: Figures): Promise<void> {
  const departure = new Departure(permit.slot, lateMs => void quota.usedLate(permit, lateMs));
  if (departure.isOpen()) {
    departure.leave();
    figures.arrivals.push(clock() + random() * WAY_MS);
    return;
  }
  figures.expired += 1;
  await quota.release(permit, departure.missed?.lateMs);
}

const randomOf = (seed: number) => {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
};

/** Calls that HubSpot would refuse: it counts those that it let in. */
function refused({ arrivals }: Figures, { limit, windowMs }: Case): number {
  const letIn: number[] = [];
  for (const at of [...arrivals].sort((one, other) => one - other)) {
    const oldest = letIn[letIn.length - limit];
    if (oldest === undefined || at - oldest >= windowMs) letIn.push(at);
  }
  return arrivals.length - letIn.length;
}

it.each<[string, Case]>([
  ['as many replicas as calls', { limit: 3, windowMs: 300, replicas: 6, oneIn: 2, lateMs: 250, seed: 11 }],
  ['few replicas, many calls', { limit: 40, windowMs: 1_000, replicas: 4, oneIn: 8, lateMs: 400, seed: 12 }],
])('late calls are never refused, with %s', async (_what, one) => {
  const figures = await run(one, 4_000 / one.windowMs);
  expect(refused(figures, one)).toBe(0);
  // too late ones were not sent, the others were
  expect(figures.expired).toBeGreaterThan(0);
  expect(figures.arrivals.length + figures.expired).toBe(figures.granted);
  expect(figures.arrivals.length).toBeGreaterThan(one.limit);
});
