/** All injected faults: those of `npm run faults`, and those that only `npm test` shows. */
import { hostileAnswers, hugeAnswers } from './scenarios/answers.js';
import { cancelKilled, cancelUnderLoad } from './scenarios/cancels.js';
import { workersClocks } from './scenarios/clock.js';
import { gatewayAnnounced, gatewayTypeLists, hostileJobs } from './scenarios/hostile.js';
import { starved, terminated, workerFrozen, workersKilled } from './scenarios/processes.js';
import {
  diskFull,
  halfOpen,
  redisEmptied,
  redisFrozen,
  redisFull,
  redisKilled,
  startRefused,
} from './scenarios/redis.js';
import {
  isolation,
  isolationCalls,
  refusedWithoutNames,
  retryAfter,
  unlisted,
  wrongHublet,
  wrongHubletTwo,
} from './scenarios/refusals.js';
import { attempts, failing30, failing50, outage, partialOutage, poison } from './scenarios/weather.js';
import type { Fault, Scenario } from './support/scenario.js';

export const SCENARIOS: readonly Scenario[] = [
  attempts,
  failing30,
  failing50,
  outage,
  partialOutage,
  poison,
  isolation,
  isolationCalls,
  wrongHublet,
  wrongHubletTwo,
  refusedWithoutNames,
  unlisted,
  retryAfter,
  hugeAnswers,
  hostileAnswers,
  workersKilled,
  workerFrozen,
  terminated,
  starved,
  redisKilled,
  redisFrozen,
  redisEmptied,
  redisFull,
  diskFull,
  halfOpen,
  startRefused,
  workersClocks,
  hostileJobs,
  gatewayTypeLists,
  gatewayAnnounced,
  cancelUnderLoad,
  cancelKilled,
];

export const TESTED: readonly Fault[] = [
  {
    name: 'scripts',
    fault: 'Keys of the wrong type, spoilt or missing arguments',
    how: 'every Lua script with each key of each wrong type and each argument spoilt, also on a full Redis',
    must: 'a script that fails has written nothing, to the byte',
    tests: ['test/properties/lua-scripts.test.ts'],
  },
  {
    name: 'absurd-answers',
    fault: 'Results with from and to swapped, Retry-After as a date, ids that are objects',
    how: 'answers of a server in the test, and generated answers',
    must: 'listed inputs are created, others are not; every input has one outcome',
    tests: ['test/unit/hubspot/http.test.ts', 'test/properties/worker-reconcile.test.ts'],
  },
  {
    name: 'redis-refuses',
    fault: 'Redis refuses writes: READONLY, NOREPLICAS, OOM, LOADING',
    how: 'real servers with such a configuration, or replicas',
    must: 'workers wait; producers, /readyz, the log and stats say the real reason',
    tests: [
      'test/chaos/redis-trouble.test.ts',
      'test/chaos/redis-start.test.ts',
      'test/integration/producer-outage.test.ts',
      'test/integration/stats-sentence.test.ts',
    ],
  },
  {
    name: 'limits-differ',
    fault: 'Replicas are configured with different limits',
    how: 'two workers, 1,000 and 20 calls per 3 s',
    must: 'the smaller limit counts until its replica is gone; each worker warns once',
    tests: ['test/chaos/limit.test.ts', 'test/unit/shared/state/smallest-limits.test.ts'],
  },
  {
    name: 'cleaned',
    fault: 'Another BullMQ client removes failed jobs',
    how: 'remove, clean, obliterate and retry of up to 700 jobs',
    must: 'stats and the dashboard show the remaining rejections, and no others',
    tests: ['test/integration/stats-sentence.test.ts'],
  },
  {
    name: 'retry-killed',
    fault: 'A retry of rejections is killed (kill -9)',
    how: 'requests retry puts 2,000 jobs back and is killed meanwhile; elsewhere other clients retry the same jobs',
    must: 'at every moment each job has failed, or waits and is counted as queued; a second retry goes on',
    tests: ['test/integration/request-retry.test.ts'],
  },
  {
    name: 'gateway-anything',
    fault: 'Requests to the gateway have any content, arrive slowly, or break off',
    how: 'generated bodies, sockets that stall, a Redis that is lost in between',
    must: 'each is refused by index or enqueued as a whole; a 503 says which; other callers get their answers',
    tests: [
      'test/properties/gateway-fuzz.test.ts',
      'test/integration/gateway-wire.test.ts',
      'test/integration/gateway-outage.test.ts',
      'test/integration/gateway-callers.test.ts',
    ],
  },
  {
    name: 'dashboard-doors',
    fault: 'Foreign pages, odd spellings of paths and guessed passwords at the dashboard',
    how: '22 spellings of each path, other origins, floods of wrong passwords',
    must: 'nothing is read or changed; the right password still opens',
    tests: ['test/integration/dashboard-doors.test.ts'],
  },
];
