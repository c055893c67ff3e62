/** All faults that are tried: those that `npm run faults` makes, and those that `npm test` alone shows. */
import { hostileAnswers, hugeAnswers } from './scenarios/answers.js';
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
];

export const TESTED: readonly Fault[] = [];
