/**
 * Processes with a plain REDIS_URL at one node of a Redis Cluster. They refuse to start; where they cannot know that it is one,
 * because INFO is forbidden, a worker whose keys move to another node cannot work and says so, and goes on when the keys are
 * back. The node becomes a replica by a failover, as in an upgrade.
 */
import { afterEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually } from '../support/eventually.js';
import { startCommand } from '../support/process.js';
import { RedisServer } from '../support/redis-server.js';

const CLUSTER = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '2000' };
const servers: RedisServer[] = [];
const connections: Redis[] = [];
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.disconnect();
  await Promise.all(servers.splice(0).map(server => server.stop()));
});

async function node(): Promise<{ server: RedisServer; redis: Redis }> {
  const server = await RedisServer.start(CLUSTER);
  servers.push(server);
  const redis = new Redis(server.url, { enableReadyCheck: false });
  redis.on('error', () => {});
  connections.push(redis);
  return { server, redis };
}
const info = async (redis: Redis) => String(await redis.call('CLUSTER', 'INFO'));
const role = async (redis: Redis) => /role:(\w+)/.exec(await redis.info('replication'))?.[1];

it('a worker whose keys are on another node is not ready, is not restarted, and goes on when they are back', async () => {
  const [one, two] = [await node(), await node()];
  await one.redis.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await two.redis.call('CLUSTER', 'MEET', '127.0.0.1', String(one.server.port));
  await eventually(async () => expect(await info(two.redis)).toContain('cluster_known_nodes:2'));
  const id = String(await one.redis.call('CLUSTER', 'MYID'));
  await eventually(() => two.redis.call('CLUSTER', 'REPLICATE', id));
  await eventually(async () =>
    expect(await two.redis.info('replication')).toContain('master_link_status:up'),
  );
  await eventually(async () => expect(await info(one.redis)).toContain('cluster_state:ok'));

  const settings = {
    ...{ REDIS_URL: one.server.url, QUEUE_PREFIX: '{bull}', METRICS_PORT: '19467' },
    ...{ HUBSPOT_ACCESS_TOKEN: 'none', HUBSPOT_BASE_URL: 'http://127.0.0.1:1' },
    ...{ GATEWAY_PORT: '0', DASHBOARD_PORT: '0' },
  };
  const refused = ['worker', 'gateway', 'dashboard'].map(command => startCommand(command, settings));
  for (const one of refused) {
    expect([await one.exit(), one.output()]).toEqual([
      2,
      expect.stringMatching(/REDIS_URL: this Redis is one node of a Redis Cluster.*write redis\+cluster:/),
    ]);
  }

  await one.redis.call('ACL', 'SETUSER', 'plain', 'on', 'nopass', '~*', '&*', '+@all', '-info');
  const worker = startCommand('worker', {
    ...settings,
    REDIS_URL: one.server.url.replace('//', '//plain:none@'),
  });
  try {
    const port = await eventually(() => {
      const found = /"event":"metrics".*?"port":(\d+)/.exec(worker.output());
      if (!found) throw new Error(worker.output());
      return Number(found[1]);
    });
    const health = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: response.status, text: await response.text() };
    };
    const ready = () => eventually(async () => expect((await health('/readyz')).status).toBe(200));
    await ready();

    await two.redis.call('CLUSTER', 'FAILOVER', 'TAKEOVER');
    await eventually(async () => expect(await role(one.redis)).toBe('slave'));
    await eventually(async () => {
      const { status, text } = await health('/readyz');
      expect([status, text]).toEqual([503, expect.stringContaining('MOVED')]);
    });
    expect((await health('/healthz')).status).toBe(200);
    expect(worker.output()).toMatch(/leads to one node of a Redis Cluster: write redis\+cluster:/);

    await eventually(async () =>
      expect(await one.redis.info('replication')).toContain('master_link_status:up'),
    );
    await one.redis.call('CLUSTER', 'FAILOVER', 'TAKEOVER');
    await ready();
  } finally {
    await worker.end('SIGTERM');
  }
});
