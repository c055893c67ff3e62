/** Redis ranks the replicas of an account (places.lua), with reports as replicas write them. */
import { expect, test } from '@jest/globals';
import { JOB_NAME } from '../../src/shared/contract/keys.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { Notifier } from '../../src/shared/runtime/wait.js';
import { queueStateReader } from '../../src/shared/state/queue-state.js';
import type { Standing, Turn } from '../../src/shared/state/standing.js';
import {
  ABSENT_MS,
  reportAlive,
  reportGone,
  type WorkerReport,
} from '../../src/shared/state/worker-reports.js';
import { Place } from '../../src/worker/place.js';
import { eventually } from '../support/eventually.js';
import { useQueue } from '../support/queue.js';
import { queueStateOf } from '../support/queue-state.js';
import { contactsToCompanies, goodPairs } from '../support/samples.js';

const on = useQueue(import.meta.url);
const { redis } = on;
const report = (id: string): WorkerReport => ({
  ...{ id, version: '0', host: 'h', pid: 1, startedAt: 0, rssBytes: 0, state: 'idle' },
  ...{ inFlight: 0, maxInFlight: 10, jobs: 0, associations: 0 },
});
const beat = (id: string, how: { turn?: Turn; places?: number } = {}): Promise<Standing> =>
  reportAlive(redis, on.keys, report(id), how);
const ranks = async (...ids: string[]): Promise<number[]> => {
  const found = [];
  for (const id of ids) found.push((await beat(id)).rank);
  return found;
};
/** Lets it look as if the replica had been silent for longer than it may. */
const silence = (id: string) => redis.zincrby(on.keys.workers, -ABSENT_MS - 1_000, id);
/** A replica of a version without places. */
const beatAsBefore = (id: string) => redis.zadd(on.keys.workers, Date.now(), id);

test('the first one has the only place, the second is the reserve, and a newcomer displaces nobody', async () => {
  expect(await beat('c')).toEqual({ rank: 1, places: 1, working: 1 });
  expect(await beat('b')).toEqual({ rank: 2, places: 1, working: 1 });
  expect(await beat('a')).toEqual({ rank: 0, places: 1, working: 1 });
  expect(await ranks('a', 'b', 'c')).toEqual([0, 2, 1]);
});

test('only the first one says how many places there are, and it counts at once', async () => {
  await ranks('a', 'b', 'c', 'd');
  await beat('b', { places: 9 });
  expect(await beat('a', { places: 2 })).toEqual({ rank: 1, places: 2, working: 2 });
  expect(await ranks('b', 'c', 'd')).toEqual([2, 3, 0]);
  expect(await beat('a', { places: 9 })).toEqual({ rank: 1, places: 9, working: 4 });
  expect(
    (await queueStateReader(on.keys, queueStateOf({}).capacity.limits)(redis)).capacity.limits.limit,
  ).toBe(100); // the same hash
});

test('the place of a silent one is free for the next, and when it comes back it is the last', async () => {
  await ranks('a', 'b', 'c');
  await silence('a');
  expect(await ranks('c', 'b')).toEqual([2, 1]);
  expect(await redis.zrange(on.keys.row, '0', '-1')).toEqual(['b', 'c']);
  expect(await ranks('a', 'b', 'c')).toEqual([0, 1, 2]);
});

test('the place of one that ends is free at once, while it still reports', async () => {
  await ranks('a', 'b', 'c');
  expect(await beat('a', { turn: 'leave' })).toEqual({ rank: 0, places: 1, working: 1 });
  expect(await ranks('b', 'c')).toEqual([1, 2]);
  expect((await beat('a', { turn: 'leave' })).rank).toBe(0);
  await reportGone(redis, on.keys, 'a');
  expect(await redis.zrange(on.keys.row, '0', '-1')).toEqual(['b', 'c']);
  await beat('b', { turn: 'leave' });
  await beat('c', { turn: 'leave' });
  expect(await ranks('d')).toEqual([1]);
});

test('one that cannot fetch goes behind the others, and fetches on if it is alone', async () => {
  await ranks('a', 'b');
  expect((await beat('a', { turn: 'last' })).rank).toBe(2);
  expect(await ranks('b')).toEqual([1]);
  expect((await beat('b', { turn: 'last' })).rank).toBe(2); // each in turn
  expect((await beat('a', { turn: 'last' })).rank).toBe(2);
  await reportGone(redis, on.keys, 'b');
  expect((await beat('a', { turn: 'last' })).rank).toBe(1);
});

test('a replica of a version without places counts as one that fetches, beside one of ours', async () => {
  await ranks('a', 'b');
  await beatAsBefore('old');
  expect(await beat('a', { places: 3 })).toEqual({ rank: 1, places: 2, working: 3 });
  expect(await beat('a', { places: 1 })).toEqual({ rank: 1, places: 1, working: 2 });
});

test('the turns hold when the clock of Redis goes back', async () => {
  await redis.zadd(on.keys.row, String(Date.now() + 3_600_000), 'a');
  expect(await ranks('a', 'b', 'a', 'b')).toEqual([1, 2, 1, 2]);
});

/** The place of a replica whose heartbeat the test makes. */
function placeOf(replica: string) {
  const applied: boolean[] = [];
  const beatNow = new Notifier();
  const trouble = { fetch: undefined as string | undefined, faults: 0 };
  const state = { isRunning: true, isStopping: false, isStretched: false };
  const place = new Place({
    ...{ redis, keys: on.keys, replica, beat: beatNow, logger: createLogger('silent', 'test') },
    read: queueStateReader(on.keys, queueStateOf({}).capacity.limits),
    state: () => state,
    fetchTrouble: () => trouble.fetch,
    faults: () => trouble.faults,
    apply: ({ fetches }) => applied.push(fetches),
  });
  return { place, beatNow, trouble, state, applied, fetches: () => applied.at(-1) };
}

test('the reserve does not wait for its next heartbeat when a place is free', async () => {
  await ranks('a');
  const { place, beatNow, fetches } = placeOf('b');
  place.learn(await beat('b'));
  expect([fetches(), place.notes]).toEqual([false, [expect.stringContaining('stands by')]]);
  await place.start();
  try {
    await silence('a');
    await beatNow.wait();
    place.learn(await beat('b'));
    expect([fetches(), place.isFirst, place.notes]).toEqual([true, true, []]);
  } finally {
    await place.stop();
  }
});

test('the reserve fetches if the next job waits although somebody has the place, but not in a pause', async () => {
  await ranks('a');
  const { place, applied, fetches } = placeOf('b');
  place.learn(await beat('b'));
  await place.start();
  try {
    await on.queue.pause();
    await on.queue.add(JOB_NAME, { ...contactsToCompanies, pairs: goodPairs(1) });
    const looks = applied.length;
    await eventually(() => expect(applied.length).toBeGreaterThan(looks + 6)); // three seconds
    expect(fetches()).toBe(false);
    await on.queue.resume();
    await eventually(async () => {
      await ranks('a', 'b'); // both are alive
      expect(fetches()).toBe(true);
    });
  } finally {
    await place.stop();
  }
});

test('a replica goes to the end of the row when it cannot fetch, and once for each fault of its calls', async () => {
  const { place, trouble, state } = placeOf('a');
  expect(place.turn()).toBe('keep');
  trouble.fetch = 'MOVED';
  expect([place.turn(), place.turn()]).toEqual(['last', 'last']);
  trouble.fetch = undefined;
  trouble.faults = 3;
  expect([place.turn(), place.turn()]).toEqual(['last', 'keep']);
  state.isRunning = false;
  expect(place.turn()).toBe('keep'); // its first heartbeat
  place.learn(await beat('a'));
  expect(place.turn()).toBe('last');
  state.isStopping = true;
  expect(place.turn()).toBe('leave');
});
