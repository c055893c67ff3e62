/** What a worker is told while the slot of our keys moves to another node of a cluster, key by key. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { loadScript } from '../../src/shared/runtime/script.js';
import { RedisCluster } from '../support/cluster.js';

const PREFIX = '{bull}';
const { jobs, stalled } = bullmqKeys(accountKeys(PREFIX));
const renew = loadScript(new URL('../../src/bullmq/renew-locks.lua', import.meta.url));

let cluster: RedisCluster;
beforeEach(async () => {
  cluster = await RedisCluster.start({ primaries: 2, replicas: 0 });
}, 60_000);
afterEach(() => cluster.stop());

it('a lock that has moved before its job is not a lost lock', async () => {
  const { owner } = await cluster.ownerOf(PREFIX);
  const to = cluster.nodes.find(node => node !== owner);
  if (!to) throw new Error('there is one node only');
  const { redis, id } = owner;
  await redis.sadd(stalled, '7');
  for (const job of ['1', '2']) await redis.set(`${jobs}${job}:lock`, 'mine', 'PX', 60_000);
  const slot = await redis.cluster('KEYSLOT', PREFIX);
  await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', id);
  await redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
  await redis.call('MIGRATE', '127.0.0.1', to.server.port, `${jobs}2:lock`, 0, 5_000);
  await expect(renew(redis, [stalled], [jobs, 90_000, '1', 'mine', '2', 'mine'])).rejects.toThrow(
    /non local key/,
  );
  expect(await redis.pttl(`${jobs}1:lock`)).toBeLessThanOrEqual(60_000); // nothing is half done
});
