/** What kind of Redis it is: nobody demands to know, and everybody says what they know. Real processes, a Redis of their own. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { RedisSaid, Stats } from '../../src/dashboard/overview/stats.js';
import { JOB_NAME } from '../../src/shared/contract/keys.js';
import { eventually } from '../support/eventually.js';
import { seriesOf } from '../support/monitoring.js';
import { type CliProcess, startCommand } from '../support/process.js';
import { useRig } from '../support/rig.js';
import { contactsToCompanies, goodPairs, inputOf } from '../support/samples.js';

const rig = useRig(import.meta.url);
const directory = mkdtempSync(path.join(os.tmpdir(), 'association-queue-test-kind-'));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

type Env = Readonly<Record<string, string>>;

async function run(env: Env, command: string, ...args: string[]) {
  const child = startCommand(command, env, [], args);
  const [status] = (await once(child.process, 'close')) as [number | null]; // all output has come
  return { status, output: child.output() };
}
const statsJson = async (env: Env) =>
  JSON.parse((await run(env, 'stats', '--json')).output) as Stats & { redis: RedisSaid | null };
const linesOf = (output: string) => output.split('\n').filter(line => line !== '');
const isJson = (line: string) => line.startsWith('{') && line.endsWith('}');

async function seriesAt(url: string): Promise<ReadonlyMap<string, string[]>> {
  return seriesOf(await (await fetch(`${url}/metrics`)).text());
}
async function workerUrl(worker: CliProcess): Promise<string> {
  const port = await eventually(() => {
    const found = /"event":"metrics".*?"port":(\d+)/.exec(worker.output())?.[1];
    if (!found) throw new Error('no metrics port yet');
    return found;
  });
  return `http://127.0.0.1:${port}`;
}

describe('a user of Redis without dangerous commands, INFO among them', () => {
  it('runs every role and command to the end, and no process prints a line of a package', async () => {
    await rig.start({ ownRedis: true });
    await rig.redis.call('ACL', 'SETUSER', 'modest', 'on', '>pass', '~*', '&*', '+@all', '-@dangerous');
    const place = { ...rig.place, REDIS_URL: rig.redisUrl.replace('//', '//modest:pass@') };
    const worker = rig.startWorker(place);
    const [gateway, dashboard] = await Promise.all([rig.startGateway(place), rig.startDashboard(place)]);

    const file = path.join(directory, 'links.csv');
    writeFileSync(file, ['from,to', ...goodPairs(500).map(pair => pair.join())].join('\n'));
    const type = ['--from', 'contacts', '--to', 'companies', '--type', 'HUBSPOT_DEFINED:279'];
    const enqueued = await run(place, 'enqueue', file, ...type, '--wait');
    expect(enqueued).toMatchObject({ status: 0, output: expect.stringContaining('500') });
    const [pair = ['', '']] = goodPairs(1, 300_000_001);
    expect((await gateway.post([inputOf(...pair)], { prefer: 'wait=30' })).status).toBe(201);
    expect((await dashboard.get('/queues/api/redis/stats')).status).toBe(200); // Bull Board asks INFO, too

    const [stats, ...commands] = await Promise.all([
      run(place, 'stats'),
      run(place, 'failures', 'list'),
      run(place, 'requests', 'list'),
      run({ ...place, ...rig.hubspot }, 'doctor'),
    ]);
    expect(stats).toMatchObject({ status: 0, output: expect.stringMatching(/created +501\n/) });
    expect(commands.map(({ status }) => status)).toEqual([0, 0, 0]);
    expect(commands.at(-1)?.output).toMatch(/^warning +redis-eviction +Redis does not tell/m);
    expect((await statsJson(place)).redis).toBeNull();
    const series = await seriesAt(gateway.url);
    expect([...series.keys()].filter(name => name.startsWith('association_redis'))).toEqual([
      'association_redis_up',
    ]);
    for (const each of [worker, gateway, dashboard])
      expect(linesOf(each.output()).filter(line => !isJson(line))).toEqual([]);
  });
});

describe('a Redis with the defaults of managed services', () => {
  it('is named in the log, in stats, on the page and in the metrics', async () => {
    await rig.start({ ownRedis: true });
    await rig.redis.config('SET', 'maxmemory', '200mb');
    await rig.redis.config('SET', 'maxmemory-policy', 'volatile-lru');
    await rig.redis.config('SET', 'appendonly', 'no'); // and no snapshots
    const worker = rig.startWorker({ METRICS_PORT: '19484' });
    const [gateway, dashboard] = await Promise.all([rig.startGateway(), rig.startDashboard()]);
    const eviction =
      /maxmemory-policy is volatile-lru: a full Redis deletes keys that expire, .*; set maxmemory-policy to noeviction/;
    const nothing = /Redis writes nothing to disk: a restart loses the queue; set appendonly to yes/;
    for (const each of [worker, gateway, dashboard]) {
      // the two lines may come in pieces
      await eventually(() => {
        const said = linesOf(each.output()).filter(line => line.includes('"event":"redis"'));
        expect(said.map(line => JSON.parse(line))).toEqual([
          expect.objectContaining({ level: 40, about: 'eviction', msg: expect.stringMatching(eviction) }),
          expect.objectContaining({ level: 40, about: 'persistence', msg: expect.stringMatching(nothing) }),
        ]);
      });
      expect(linesOf(each.output()).filter(line => !isJson(line))).toEqual([]); // BullMQ printed three lines
    }
    const { figures } = await dashboard.state();
    expect(figures.state.redis.evicts?.words).toMatch(eviction);
    expect(figures.redisNotices).toEqual([expect.stringMatching(nothing)]);
    const { output } = await run(rig.place, 'stats');
    expect(output).toMatch(eviction);
    expect(output).toMatch(nothing);
    expect((await statsJson(rig.place)).redis).toMatchObject({
      ...{ engine: 'redis', maxmemoryPolicy: 'volatile-lru', persistence: 'none' },
      faults: [
        { about: 'eviction', level: 'warning' },
        { about: 'persistence', level: 'fault' },
      ],
    });
    for (const url of [await workerUrl(worker), gateway.url, dashboard.url]) {
      const series = await seriesAt(url);
      expect(series.get('association_redis_evicts')).toEqual([' 1']);
      expect(series.get('association_redis_persistence')).toEqual([
        ...['{kind="none"} 1', '{kind="rdb"} 0', '{kind="aof"} 0', '{kind="unknown"} 0'],
      ]);
    }
  });
});

describe('a worker that does not ask for the version', () => {
  it('waits for fractions of a second, so that delayed jobs come in time', async () => {
    await rig.start({ ownRedis: true });
    const monitor = connect(rig.server.port, '127.0.0.1');
    try {
      let text = '';
      monitor.setEncoding('utf8').on('data', chunk => {
        text += chunk;
      });
      monitor.write('MONITOR\r\n');
      /** seconds that the worker was willing to wait, each time */
      const waits = () =>
        [...text.matchAll(/"bzpopmin" "[^"]*" "([\d.]+)"/gi)].map(([, seconds]) => Number(seconds));
      await eventually(() => expect(text).toContain('+OK'));
      rig.startWorker();
      await eventually(() => expect(waits()).not.toEqual([]));
      const data = { ...contactsToCompanies, pairs: goodPairs(1) };
      await rig.queue.add(JOB_NAME, data, { delay: 2_500 });
      await eventually(() => expect(waits().filter(seconds => !Number.isInteger(seconds))).not.toEqual([]));
    } finally {
      monitor.destroy();
    }
  });
});
