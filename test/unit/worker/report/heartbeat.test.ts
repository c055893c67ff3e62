/** What a worker says it is doing. */
import { expect, test } from '@jest/globals';
import { stateOf } from '../../../../src/worker/report/heartbeat.js';

test.each([
  [{ stopping: true }, 'draining'],
  [{ running: false }, 'starting'],
  [{ held: true, inFlight: 1 }, 'held'],
  [{ inFlight: 1 }, 'sending'],
  [{ associations: 1 }, 'gathering'],
  [{}, 'idle'],
])('a worker with %j is %s', (now, state) => {
  expect(stateOf({ running: true, stopping: false, held: false, inFlight: 0, associations: 0, ...now })).toBe(
    state,
  );
});
