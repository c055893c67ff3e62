/** The state that a worker reports. */
import { expect, test } from '@jest/globals';
import { stateOf } from '../../../../src/worker/report/heartbeat.js';

test.each([
  [{ isStopping: true }, 'draining'],
  [{ isRunning: false }, 'starting'],
  [{ isStandby: true }, 'standby'],
  [{ isStandby: true, associations: 1 }, 'gathering'],
  [{ isStandby: true, associations: 1, inFlight: 1 }, 'sending'],
  [{ isHeld: true, inFlight: 1 }, 'held'],
  [{ inFlight: 1 }, 'sending'],
  [{ associations: 1 }, 'gathering'],
  [{}, 'idle'],
])('a worker with %j reports that it is %s', (now, state) => {
  expect(
    stateOf({
      ...{ isRunning: true, isStopping: false, isStandby: false, isHeld: false },
      ...{ inFlight: 0, associations: 0, ...now },
    }),
  ).toBe(state);
});
