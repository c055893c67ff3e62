/** The connection to a Redis Cluster, with nodes that are dead, are no cluster, or do not know who has our keys. */
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { InTime } from '../../src/gateway/requests/in-time.js';
import { Sender } from '../../src/producer/sender.js';
import { hasMoved, openRedis, type RedisRole, type RedisTarget } from '../../src/shared/runtime/redis.js';
import type { Node } from '../../src/shared/runtime/redis-url.js';
import { eventually } from '../support/eventually.js';
import { FakeNode } from '../support/fake-node.js';
import { freePort, RedisServer } from '../support/redis-server.js';

const servers: { stop(): Promise<void> }[] = [];
const connections: Redis[] = [];
/** Node warns of too many listeners, for example. */
const warnings: string[] = [];
const onWarning = ({ message }: Error) => warnings.push(message);
beforeAll(() => {
  process.on('warning', onWarning);
});
afterAll(() => {
  process.off('warning', onWarning);
});
afterEach(async () => {
  warnings.length = 0;
  for (const connection of connections.splice(0)) connection.disconnect();
  await Promise.all(servers.splice(0).map(server => server.stop()));
});

async function server(options: Record<string, string> = {}): Promise<RedisServer> {
  const started = await RedisServer.start(options);
  servers.push(started);
  return started;
}
/** A real node that has no slot. */
const node = () => server({ 'cluster-enabled': 'yes', 'cluster-require-full-coverage': 'no' });
/** A cluster of one real node. */
async function cluster(): Promise<RedisServer> {
  const started = await node();
  await addSlots(started);
  return started;
}
async function addSlots({ url }: RedisServer): Promise<void> {
  const redis = new Redis(url, { enableReadyCheck: false });
  connections.push(redis);
  await redis.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
  await eventually(async () =>
    expect(String(await redis.call('CLUSTER', 'INFO'))).toContain('cluster_state:ok'),
  );
}
async function fake(): Promise<FakeNode> {
  const started = await FakeNode.start();
  servers.push(started);
  return started;
}

function open(ports: readonly number[], role: RedisRole = 'hasty'): { redis: Redis; errors: string[] } {
  const errors: string[] = [];
  const url = `redis+cluster://${ports.map(port => `127.0.0.1:${port}`).join(',')}`;
  const redis = openRedis({ url, prefix: '{bull}', login: {} }, role, ({ message }) => errors.push(message));
  connections.push(redis);
  return { redis, errors };
}
/** A patient connection whose first node says that it has the keys, at `from`. */
async function connected(from: FakeNode) {
  const opened = open([from.place.port], 'patient');
  await opened.redis.connect();
  return opened;
}
const movedTo = ({ host, port }: Node) => `-MOVED 8192 ${host}:${port}`;

it('asks the next node if one is dead, and the next if one is no cluster', async () => {
  const [dead, plain, real] = [await freePort(), await server(), await cluster()];
  const { redis } = open([dead, plain.port, real.port]);
  await redis.connect();
  expect(await redis.set('{bull}:a', 'b')).toBe('OK');
});

it('says what is wrong if no node helps: nobody answers, or what a node has replied', async () => {
  const [dead, plain] = [await freePort(), await server()];
  const nobody = open([dead]);
  await expect(nobody.redis.connect()).rejects.toThrow();
  expect(nobody.errors[0]).toBe('no node of the cluster answers: connect ECONNREFUSED');
  const noCluster = open([dead, plain.port]);
  await expect(noCluster.redis.connect()).rejects.toThrow();
  expect(noCluster.errors[0]).toMatch(/cluster support disabled/);
});

it('waits while no node has the slot, and connects by itself when one has it', async () => {
  const real = await node();
  const { redis, errors } = open([real.port], 'patient');
  const answer = redis.ping();
  await eventually(() => expect(errors[0]).toMatch(/^CLUSTERDOWN no node of the cluster has the slot/));
  await addSlots(real);
  expect(await answer).toBe('PONG');
});

it('follows keys that have moved with all commands on the way, at once and without a word', async () => {
  const [from, to] = [await fake(), await fake()];
  const { redis, errors } = await connected(from);
  to.reply = '+new';
  from.reply = movedTo(to.place);
  from.owner = to.place;
  const since = performance.now();
  const answers = await Promise.all(Array.from({ length: 30 }, () => redis.get('{bull}:a')));
  expect(answers).toEqual(Array(30).fill('new'));
  expect(performance.now() - since).toBeLessThan(1_000);
  expect([errors, warnings, to.used]).toEqual([[], [], 1]);
});

it('does not ask without a pause while two nodes say that the other one has the keys', async () => {
  const [from, to] = [await fake(), await fake()];
  const { redis, errors } = await connected(from);
  from.owner = to.place;
  from.reply = movedTo(to.place);
  to.reply = movedTo(from.place);
  const answer = redis.get('{bull}:a');
  await eventually(() => expect(errors[0]).toMatch(/^MOVED/));
  const { used } = to;
  from.owner = from.place;
  to.owner = from.place;
  from.reply = '+old';
  expect(await answer).toBe('old');
  expect(to.used - used).toBeLessThan(2);
});

it('copies of a connection leave the old node for themselves', async () => {
  const [from, to] = [await fake(), await fake()];
  const { redis, errors } = await connected(from);
  const copy = redis.duplicate();
  connections.push(copy);
  await copy.connect();
  to.reply = '+new';
  from.reply = movedTo(to.place);
  from.owner = to.place;
  const ready = Promise.all([once(redis, 'ready'), once(copy, 'ready')]);
  const since = performance.now();
  expect(await Promise.all([redis.get('{bull}:a'), copy.get('{bull}:a')])).toEqual(['new', 'new']);
  await ready;
  expect(performance.now() - since).toBeLessThan(1_000);
  expect(errors).toEqual([]);
});

describe('a command of a connection that does not wait for Redis goes to the new node by itself', () => {
  it.each([
    [
      'of the gateway',
      async (address: RedisTarget) => {
        const redis = openRedis(address, 'hasty');
        connections.push(redis);
        await redis.connect();
        const inTime = new InTime(redis);
        return () => inTime.run(() => redis.get('{bull}:a'));
      },
    ],
    [
      'of the library',
      async (address: RedisTarget) => {
        const sender = new Sender(address, '{bull}', 'default', 0);
        connections.push(sender.redis);
        await sender.connected();
        return () => sender.run(() => sender.redis.get('{bull}:a'));
      },
    ],
  ])('%s', async (_name, open) => {
    const [from, to] = [await fake(), await fake()];
    const { host, port } = from.place;
    const run = await open({ url: `redis+cluster://${host}:${port}`, prefix: '{bull}', login: {} });
    to.reply = '+new';
    from.reply = movedTo(to.place);
    from.owner = to.place;
    expect(await Promise.all(Array.from({ length: 30 }, run))).toEqual(Array(30).fill('new'));
    expect(warnings).toEqual([]);
  });
});

it.each([
  ['redis+cluster://a:1', true],
  ['redis+sentinel://a:1/main', false],
  ['redis://a:1', false],
])('a connection to %s follows its keys to another node: %s', (url, follows) => {
  const redis = openRedis({ url, prefix: '{bull}', login: {} }, 'hasty'); // not connected
  expect(hasMoved(new Error('MOVED 9263 10.0.0.2:7002'), redis)).toBe(follows);
});
