/** How many replicas fetch, and which of them. */
import { expect, test } from '@jest/globals';
import { PLACES_FALL_MS, PlaceCount, placesFor } from '../../../../src/shared/state/places.js';
import { hasPlace, isReserve, standingOf } from '../../../../src/shared/state/standing.js';
import { queueStateOf } from '../../../support/queue-state.js';

const jobs = { waiting: 100, active: 0, delayed: 0, failed: 0, completed: 0 };
const state = (backlogAssociations: number, given: Parameters<typeof queueStateOf>[0] = {}) =>
  queueStateOf({ jobs, backlogAssociations, ...given });

test.each([
  ['nothing to do', state(0), 1],
  ['a few associations, for which a second replica would double the calls', state(20_000), 1],
  ['more than the calls of one replica: a second one costs nothing', state(20_001), 2],
  ['a backlog that one replica can send', state(1_000_000), 2],
  ['slow calls, for which more are useful', state(1_000_000, { capacity: { callMs: 3_000 } }), 3],
  ['a backlog that is delayed', state(1_000_000, { jobs: { ...jobs, waiting: 1, delayed: 99 } }), 1],
  ['a backlog of which half is delayed', state(40_002, { jobs: { ...jobs, delayed: 100 } }), 2],
])('places for %s', (_, given, places) => {
  expect(placesFor(given, false)).toBe(places);
});

test('a backlog of many object pairs, whose calls are not full, is for the useful replicas alone', () => {
  expect(placesFor(state(1_000_000), true)).toBe(1);
  expect(placesFor(state(1_000_000, { capacity: { callMs: 3_000 } }), true)).toBe(3);
});

test('a pause and a hold change no place', () => {
  const slow = { capacity: { callMs: 3_000 } };
  const paused = { by: null, reason: null, at: null };
  expect(placesFor(state(1_000_000, { ...slow, paused }), false)).toBe(3);
  expect(placesFor(state(1_000_000, { ...slow, hold: { kind: 'daily', until: 1e9 } }), false)).toBe(3);
});

test('places rise at once, and fall when fewer have been enough for half a minute', () => {
  const count = new PlaceCount();
  expect(count.count(1, 0)).toBe(1);
  expect(count.count(5, 2_000)).toBe(5);
  expect(count.count(3, 4_000)).toBe(5);
  expect(count.count(1, 6_000)).toBe(5);
  expect(count.count(1, 2_000 + PLACES_FALL_MS)).toBe(3);
  expect(count.count(1, 4_000 + PLACES_FALL_MS)).toBe(1);
  expect(count.count(4, 5_000 + PLACES_FALL_MS)).toBe(4);
  count.clear();
  expect(count.count(2, 6_000 + PLACES_FALL_MS)).toBe(2);
});

test('the first ranks have a place, the next one is the reserve', () => {
  const of = (rank: number) => {
    const standing = standingOf([rank, 2, 2]);
    return [hasPlace(standing), isReserve(standing)];
  };
  expect([1, 2, 3, 4, 0].map(of)).toEqual([
    [true, false],
    [true, false],
    [false, true],
    [false, false],
    [false, false],
  ]);
});
