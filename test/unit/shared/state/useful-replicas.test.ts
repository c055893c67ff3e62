/** How many workers are useful: examples that an operator would think of. Bounds for all inputs: test/properties. */
import { expect, test } from '@jest/globals';
import { callsPerSecond, usefulReplicas } from '../../../../src/shared/state/useful-replicas.js';
import { queueStateOf } from '../../../support/queue-state.js';

test.each([
  ['nothing to do', { backlogAssociations: 0 }, 0],
  [
    'paused: a worker would find nothing',
    { backlogAssociations: 1e6, paused: { by: null, reason: null, at: null } },
    0,
  ],
  // 100 calls per 10 s are 10 a second; one replica with 10 calls in flight of 1 s each does as much
  ['the usual quota: one is enough', { backlogAssociations: 1e6 }, 1],
  ['HubSpot takes 3 s to answer: three', { backlogAssociations: 1e6, capacity: { callMs: 3_000 } }, 3],
  [
    'a wide quota, quick answers',
    { backlogAssociations: 1e7, quota: { limit: 1_000 }, capacity: { callMs: 200 } },
    2,
  ],
  // 100 calls a second against 0.8 / 40 ms = 20 a second
  [
    'its thread is what limits a replica',
    { backlogAssociations: 1e7, quota: { limit: 1_000 }, capacity: { callMs: 200, busyMs: 40 } },
    5,
  ],
  [
    'a small backlog: a second one would have nothing to send',
    { backlogAssociations: 20_000, capacity: { callMs: 5_000 } },
    1,
  ],
  ['a few more than one has in flight', { backlogAssociations: 20_001, capacity: { callMs: 5_000 } }, 2],
  [
    'the day has 15 calls left',
    { backlogAssociations: 1e7, quota: { leftToday: 15 }, capacity: { callMs: 9_000 } },
    2,
  ],
  ['held until midnight: nobody', { backlogAssociations: 1e6, hold: { kind: 'daily', until: 3_600_000 } }, 0],
  [
    'a short 429 is no reason to send workers away',
    { backlogAssociations: 1e6, hold: { kind: 'rate-limit', until: 10_000 } },
    1,
  ],
  [
    '401: one, to find out whether it is over',
    { backlogAssociations: 1e6, capacity: { callMs: 3_000 }, hold: { kind: 'auth', until: 600_000 } },
    1,
  ],
] as const)('%s', (_what, state, replicas) => {
  expect(usefulReplicas(queueStateOf(state))).toBe(replicas);
});

test('until a call was measured, HubSpot is taken to answer within a second', () => {
  expect(callsPerSecond(queueStateOf({}).capacity)).toBe(10);
});
