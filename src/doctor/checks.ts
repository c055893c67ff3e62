/** The list of checks, in the order in which they are shown: which facts each needs, and which file judges them. */
import type { Told } from '../hubspot/account.js';
import type { Config } from '../shared/runtime/config.js';
import { type RedisAddress, redisReason } from '../shared/runtime/redis.js';
import { redisRemedy } from '../shared/runtime/redis-remedy.js';
import { redisPlace } from '../shared/runtime/redis-url.js';
import type { Asked, HubSpotFacts } from './asked.js';
import { type Finding, fault, notChecked } from './finding.js';
import { judgeApiVersion } from './judge/api-version.js';
import { judgeBaseUrl } from './judge/base-url.js';
import { judgeBullmq } from './judge/bullmq.js';
import { judgeDailyCalls } from './judge/daily-calls.js';
import { judgeJobs, objectTypesOf } from './judge/jobs.js';
import { judgeLimits } from './judge/limits.js';
import { judgeQueue } from './judge/queue.js';
import { judgeReceivers } from './judge/receivers.js';
import { judgeClock } from './judge/redis-clock.js';
import { judgeEviction } from './judge/redis-eviction.js';
import { judgeLatency } from './judge/redis-latency.js';
import { judgeMemory } from './judge/redis-memory.js';
import { judgePersistence } from './judge/redis-persistence.js';
import { judgeServer } from './judge/redis-server.js';
import { judgeScopes } from './judge/scopes.js';
import { judgeTimeZone } from './judge/time-zone.js';
import { judgeToken, kindOf, NO_TOKEN } from './judge/token.js';
import { judgeWorkers } from './judge/workers.js';
import type { Check } from './run-checks.js';

export type About = {
  readonly config: Config;
  /** of this program */
  readonly version: string;
  /** epoch ms */
  readonly now: number;
};

export function checksOf(asked: Asked, about: About): Check[] {
  const { config, version, now } = about;
  return [
    ...redisChecks(asked, config.redis),
    ofRedis(asked, 'queue', async () => judgeQueue(await asked.queue)),
    ofRedis(asked, 'workers', async () => judgeWorkers(await asked.queue, version)),
    ofRedis(asked, 'jobs', async () => [judgeJobs(await asked.jobs)]),
    { name: 'bullmq', find: async () => [judgeBullmq(asked.bullmq)] },
    { name: 'hubspot-address', find: async () => [judgeBaseUrl(config.hubspotBaseUrl)] },
    { name: 'api-version', find: async () => [judgeApiVersion(config.hubspotApiVersion, now)] },
    ...hubspotChecks(asked, about),
    { name: 'receivers', find: async () => judgeReceivers(await asked.receivers) },
  ];
}

/** The first check says why Redis cannot be used; the others then only say that they were not made. */
function redisChecks(asked: Asked, address: RedisAddress): Check[] {
  const place = redisPlace(address);
  const server: Check = {
    name: 'redis',
    async find() {
      try {
        return judgeServer(await asked.redis, place);
      } catch (error) {
        const reason = redisReason(error) || 'the connection was lost';
        return [
          fault(
            `Redis at ${place} cannot be used: ${reason}`,
            redisRemedy(reason, address) ||
              'REDIS_URL says where it is; start Redis there, or correct REDIS_URL',
          ),
        ];
      }
    },
  };
  return [
    server,
    ofRedis(asked, 'redis-eviction', async () => [judgeEviction(await asked.redis)]),
    ofRedis(asked, 'redis-persistence', async () => [judgePersistence(await asked.redis)]),
    ofRedis(asked, 'redis-memory', async () => [judgeMemory(await asked.redis)]),
    ofRedis(asked, 'redis-latency', async () => [judgeLatency(await asked.redis)]),
    ofRedis(asked, 'redis-clock', async () => [judgeClock(await asked.redis)]),
  ];
}

const ofRedis = (asked: Asked, name: string, find: Check['find']): Check => ({
  name,
  async find() {
    const isThere = await asked.redis.then(
      () => true,
      () => false,
    );
    return isThere ? find() : [notChecked('Redis cannot be used', 'see the line of redis')];
  },
});

function hubspotChecks({ hubspot, queue, jobs }: Asked, { config, now }: About): Check[] {
  if (!hubspot) return [{ name: 'token', find: async () => [NO_TOKEN] }];
  const kind = kindOf(config.hubspotAccessToken ?? '');
  const about = (
    name: string,
    needs: (facts: HubSpotFacts) => Told<unknown> | undefined,
    find: (facts: HubSpotFacts) => Promise<readonly Finding[]>,
  ): Check => ({
    name,
    async find() {
      const facts = await hubspot;
      const unasked = whyNotAsked(facts, needs(facts));
      return unasked ? [unasked] : find(facts);
    },
  });
  return [
    {
      name: 'token',
      find: async () => [judgeToken({ kind, ...(await hubspot) })],
    },
    about(
      'scopes',
      ({ info }) => info,
      async ({ info }) => [judgeScopes(info, objectTypesOf(await jobs.catch(() => [])))],
    ),
    about(
      'time-zone',
      ({ details }) => details,
      async ({ details }) => [judgeTimeZone(details, config.accountTimezone, now)],
    ),
    about(
      'daily-calls',
      ({ usage }) => usage,
      async ({ usage }) => {
        const used = await queue.then(({ quota }) => quota.usedToday).catch(() => undefined);
        return [judgeDailyCalls(usage, { limit: config.dailyCallLimit, used })];
      },
    ),
    about('limits', tierAnswer, async ({ usage, perTenSeconds }) => {
      const perDay = usage.kind === 'told' ? usage.facts.usageLimit : undefined;
      return judgeLimits({ perTenSeconds, perDay }, config);
    }),
  ];
}

/** The header of any answer tells the tier, else the day's usage does. */
const tierAnswer = ({ usage, perTenSeconds }: HubSpotFacts): Told<unknown> | undefined =>
  perTenSeconds === undefined ? usage : undefined;

/** What HubSpot does not tell is no fault. But nothing is known of a call that did not reach it, or with a refused token. */
function whyNotAsked(facts: HubSpotFacts, asked: Told<unknown> | undefined): Finding | undefined {
  if (asked === undefined || asked.kind === 'told') return undefined;
  if (judgeToken({ kind: 'unknown', ...facts }).status === 'fault')
    return notChecked(
      asked.verdict === 'unavailable' ? 'HubSpot cannot be asked' : 'HubSpot does not accept the token',
      'see the line of token',
    );
  return asked.verdict === 'unavailable'
    ? notChecked(asked.words, 'run doctor again in a minute')
    : undefined;
}
