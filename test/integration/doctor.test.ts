/** `doctor` as a process: a real Redis, the simulator, real workers. It changes nothing and shows no secret. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import type { Report } from '../../src/doctor/report.js';
import { eventually } from '../support/eventually.js';
import { startCommand } from '../support/process.js';
import { TOKEN, useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);
let receiver: Server | undefined;
afterEach(() => {
  receiver?.close();
  receiver = undefined;
});

async function doctor(env: Readonly<Record<string, string>>, ...args: string[]) {
  const child = startCommand('doctor', env, [], args);
  const [status] = (await once(child.process, 'close')) as [number | null]; // all output has come
  return { status, output: child.output() };
}

async function findings(env: Readonly<Record<string, string>>) {
  const { status, output } = await doctor(env, '--json');
  const report = JSON.parse(output) as Report;
  const of = (check: string) => report.findings.filter(finding => finding.check === check);
  return { status, output, report, of };
}

/** Every key with its value, and whether it expires. (DUMP would change with the order of a hash in memory.) */
async function contents(redis: Redis, prefix: string): Promise<Record<string, unknown>> {
  const keys = (await redis.keys(`${prefix}*`)).sort();
  const all = await Promise.all(
    keys.map(async key => [key, await read(redis, key), (await redis.ttl(key)) > 0]),
  );
  return Object.fromEntries(all.map(([key, ...rest]) => [key, rest]));
}

async function read(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  switch (type) {
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'zset':
      return redis.zrange(key, '0', '-1', 'WITHSCORES');
    case 'stream':
      return redis.xrange(key, '-', '+');
    case 'string':
      return redis.get(key);
    default:
      throw new Error(`${key} is a ${type}`);
  }
}

describe('doctor', () => {
  it('finds no fault in a good installation, changes nothing, and posts nothing', async () => {
    const posts: string[] = [];
    receiver = createServer((request, response) => {
      posts.push(request.url ?? '');
      response.end();
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address() as AddressInfo;
    await rig.start({ ownRedis: true, simulator: { timezone: 'US/Eastern', dailyCallLimit: 625_000 } });
    await rig.enqueue(goodPairs(20), 2);
    const before = await contents(rig.redis, rig.prefix);
    const { status, report, of, output } = await findings({
      ...rig.place,
      ...rig.hubspot,
      ACCOUNT_TIMEZONE: 'America/New_York',
      ALERT_WEBHOOK_URL: `http://127.0.0.1:${port}/T000/secret-path`,
    });
    expect(report.findings.filter(finding => finding.status === 'fault').map(({ check }) => check)).toEqual([
      'workers',
    ]);
    expect(status).toBe(1); // jobs wait, and nobody works
    for (const check of [
      'redis',
      'redis-eviction',
      'redis-persistence',
      'redis-clock',
      'queue',
      'jobs',
      'bullmq',
    ])
      expect(of(check)).toMatchObject([{ status: 'ok' }]);
    expect(of('token')).toMatchObject([{ status: 'ok', message: expect.stringMatching(/portal 24247247/) }]);
    for (const check of ['scopes', 'time-zone', 'daily-calls', 'limits', 'api-version', 'receivers'])
      expect(of(check)).toMatchObject([{ status: 'ok' }]);
    expect(await contents(rig.redis, rig.prefix)).toEqual(before);
    expect(rig.simulator.ledger.calls.map(({ endpoint }) => endpoint)).toEqual([
      'account',
      'account',
      'account',
    ]);
    expect(posts).toEqual([]);
    expect(output).not.toMatch(/secret-path/);
    expect(output).not.toContain(TOKEN);
  });

  it('sees the workers, and ends with 0 where only warnings are left', async () => {
    await rig.start({ ownRedis: true });
    rig.startWorker({ RATE_LIMIT_CALLS: '100' });
    await eventually(async () => {
      const { status, of } = await findings({ ...rig.place, ...rig.hubspot });
      expect(of('workers')).toMatchObject([{ status: 'ok', message: expect.stringMatching(/^1 alive/) }]);
      expect(of('hubspot-address')).toMatchObject([{ status: 'warning' }]); // the simulator
      expect(status).toBe(0);
    });
  });

  it('reports everything else where Redis is away, the token is refused and a webhook is dead, without a secret', async () => {
    await rig.start();
    const env = {
      REDIS_URL: 'redis://user:hunter2-hunter2@127.0.0.1:1',
      HUBSPOT_BASE_URL: rig.simulator.url,
      HUBSPOT_ACCESS_TOKEN: TOKEN,
      ALERT_WEBHOOK_URL: 'http://127.0.0.1:1/T000/secret-path',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318', // without http://, which is a URL all the same
      GATEWAY_API_KEYS: 'gateway-key-1',
    };
    // HubSpot's words may quote what they were sent
    const message = `The token ${TOKEN} is not valid`;
    const body = { status: 'error', message, category: 'INVALID_AUTHENTICATION' };
    rig.simulator.script({ kind: 'status', status: 401, body, rate: 1, match: { endpoint: 'account' } });
    const { status, of, output } = await findings(env);
    expect(status).toBe(1);
    expect(of('redis')).toMatchObject([{ status: 'fault', message: expect.stringMatching(/ECONNREFUSED/) }]);
    expect(of('workers')).toMatchObject([
      { status: 'warning', message: expect.stringMatching(/^not checked/) },
    ]);
    expect(of('token')).toMatchObject([
      {
        status: 'fault',
        message: expect.stringContaining('401 from HubSpot: The token [secret] is not valid'),
      },
    ]);
    expect(of('receivers')).toMatchObject([
      { status: 'fault', message: expect.stringMatching(/127\.0\.0\.1:1 cannot/) },
      {
        status: 'fault',
        message: expect.stringMatching(/^OTEL_EXPORTER_OTLP_ENDPOINT is not a URL that starts/),
      },
    ]);
    expect(output).not.toMatch(/hunter2|secret-path|gateway-key-1/);
    expect(output).not.toContain(TOKEN);
  });

  it('finds a Redis that evicts and keeps nothing, and a job that no worker can read', async () => {
    await rig.start({ ownRedis: true });
    await rig.redis.config('SET', 'maxmemory', '1gb');
    await rig.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await rig.redis.config('SET', 'appendonly', 'no');
    await rig.queue.add('associate', { contactId: 37 });
    const { status, output } = await doctor({ ...rig.place, ...rig.hubspot });
    expect(status).toBe(1);
    expect(output).toMatch(
      /^fault +redis-eviction +maxmemory-policy is allkeys-lru: a full Redis deletes any key, queued /m,
    );
    expect(output).toMatch(/^ +→ set maxmemory-policy to noeviction$/m);
    expect(output).toMatch(/^fault +redis-persistence +Redis writes nothing to disk/m);
    expect(output).toMatch(/^warning +jobs +1 of 1 queued jobs have data that no worker can read \(1: /m);
    expect(output).toMatch(/^\d+ faults?, \d+ warnings?, \d+ ok$/m);
  });

  it('says that a token is missing, and ends with 2 where the settings cannot be read', async () => {
    await rig.start();
    const { of } = await findings({ ...rig.place, HUBSPOT_BASE_URL: rig.simulator.url });
    expect(of('token')).toMatchObject([{ status: 'fault', message: expect.stringMatching(/is not set/) }]);
    expect(rig.simulator.ledger.calls).toEqual([]);
    expect((await doctor({ ...rig.place, RATE_LIMIT_CALLS: 'many' })).status).toBe(2);
  });
});
