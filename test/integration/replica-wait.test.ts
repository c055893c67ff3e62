/** The wait for replicas, over one connection to a real primary whose replica may be stopped. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { openRedis } from '../../src/shared/runtime/redis.js';
import { ReplicaWait, Unconfirmed } from '../../src/shared/runtime/replicas.js';
import { eventually } from '../support/eventually.js';
import { Replicated } from '../support/replicated.js';

const keys = accountKeys('replica-wait');
/** far longer than a replica on this machine takes, and short for a test */
const [PATIENT, SOON] = [30_000, 200];
let servers: Replicated;
let other: Redis;
let redis: Redis;
const waits = (timeoutMs = PATIENT, replicas = 1, of = redis) =>
  new ReplicaWait(of, keys, { replicas, timeoutMs });
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

beforeAll(async () => {
  servers = await Replicated.start();
  other = new Redis(servers.url);
});
beforeEach(async () => {
  redis = openRedis(servers.url, 'hasty');
  await redis.connect();
});
afterEach(async () => {
  servers.replica.resume();
  redis.disconnect();
  await servers.caughtUp();
});
afterAll(async () => {
  other.disconnect();
  await servers.stop();
});

it('resolves when the replica has what was written', async () => {
  const work = waits().kept(() => redis.set('mine', 'written'));
  expect(await work).toBe('OK');
  const replica = new Redis(servers.replica.url);
  expect(await replica.get('mine')).toBe('written');
  replica.disconnect();
});

it('says how many replicas are missing, and works when they are back', async () => {
  servers.replica.pause();
  const error = await failure(waits(SOON).kept(() => redis.set('mine', 'alone')));
  expect(error).toBeInstanceOf(Unconfirmed);
  expect(error).toMatchObject({
    message: `Redis has written it, but 0 of 1 replicas (REDIS_WAIT_REPLICAS) confirmed it within ${SOON} ms, so that a failover may lose it`,
  });
  servers.replica.resume();
  await waits().kept(async () => 'nothing new');
  await expect(waits(SOON, 2).kept(() => redis.set('mine', 1))).rejects.toThrow('1 of 2 replicas');
});

it('covers what other connections wrote and this one has only read', async () => {
  servers.replica.pause();
  await other.set('theirs', 'written');
  const error = await failure(waits(SOON).kept(() => redis.get('theirs')));
  expect(error).toBeInstanceOf(Unconfirmed);
});

it('is one WAIT for all who are there, and one more for those who come meanwhile', async () => {
  const calls = async () =>
    Number(/cmdstat_wait:calls=(\d+)/.exec(await other.info('commandstats'))?.[1] ?? 0);
  const before = await calls();
  const wait = waits();
  servers.replica.pause();
  const first = Array.from({ length: 200 }, (_, at) => wait.kept(() => redis.set(`first-${at}`, at)));
  await eventually(async () => expect(await other.client('LIST')).toMatch(/cmd=wait /));
  const second = Array.from({ length: 200 }, (_, at) => wait.kept(() => redis.set(`second-${at}`, at)));
  servers.replica.resume();
  await Promise.all([...first, ...second]);
  expect((await calls()) - before).toBeLessThanOrEqual(4);
});

it('fails all of a group, and nobody after it', async () => {
  servers.replica.pause();
  const wait = waits(SOON);
  const some = await Promise.allSettled([1, 2, 3].map(at => wait.kept(() => redis.set('mine', at))));
  expect(some.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  servers.replica.resume();
  await eventually(() => wait.kept(() => redis.set('mine', 4)));
});

it('does not ask a new connection about what the old one wrote', async () => {
  const wait = waits();
  const writes = wait.begin();
  await redis.set('mine', 'on the old connection');
  await other.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await eventually(() => redis.ping());
  await expect(writes.confirmed()).rejects.toThrow('Connection is closed.');
  await wait.kept(() => redis.set('mine', 'on the new one'));
});

it('takes a primary that becomes a replica for a lost connection', async () => {
  const writes = waits().begin();
  await redis.set('mine', 'on the old primary');
  servers.replica.pause();
  const failed = failure(writes.confirmed());
  await eventually(async () => expect(await other.client('LIST')).toMatch(/cmd=wait /));
  await other.replicaof('127.0.0.1', '1');
  const error = await failed;
  expect(error).not.toBeInstanceOf(Unconfirmed);
  expect((error as Error).message).toMatch(/Connection is closed|max retries per request/);
  await other.replicaof('NO', 'ONE');
});

it('reports that Redis refuses to wait, in its words', async () => {
  await other.call('ACL', 'SETUSER', 'nowait', 'on', '>pw', '~*', '+@all', '-wait');
  const limited = openRedis(servers.url.replace('//', '//nowait:pw@'), 'hasty');
  await limited.connect();
  const error = await failure(waits(SOON, 1, limited).kept(() => limited.set('mine', 1)));
  limited.disconnect();
  expect(error).toBeInstanceOf(Unconfirmed);
  expect((error as Error).message).toMatch(/does not say whether its replicas have it.*NOPERM/);
});

it('works on a full Redis, which has taken back something', async () => {
  await other.config('SET', 'maxmemory', '1');
  try {
    await waits().kept(() => redis.del('mine'));
  } finally {
    await other.config('SET', 'maxmemory', '0');
  }
});

it('asks nobody if nobody waits', async () => {
  servers.replica.pause();
  expect(await waits(SOON, 0).kept(() => redis.set('mine', 1))).toBe('OK');
});
