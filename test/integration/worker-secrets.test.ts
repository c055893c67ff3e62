/** The token goes to HubSpot and nowhere else, the password of Redis to Redis; the worker's endpoints for machines. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { rateLimited, serverError, unauthorized } from '../../src/simulator/replies.js';
import { eventually } from '../support/eventually.js';
import type { CliProcess } from '../support/process.js';
import { TOKEN, useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);
const directory = mkdtempSync(path.join(os.tmpdir(), 'worker-secrets-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** The port that the worker says it listens on. */
async function metricsUrl(worker: CliProcess): Promise<string> {
  return eventually(() => {
    const port = /"event":"metrics".*?"port":(\d+)/.exec(worker.output())?.[1];
    if (!port) throw new Error('no metrics yet');
    return `http://127.0.0.1:${port}`;
  });
}

/** Everything under the prefix, as text. */
async function dump(redis: Redis, prefix: string): Promise<string> {
  const parts: string[] = [];
  for (const key of await redis.keys(`${prefix}:*`)) {
    const type = await redis.type(key);
    const read: Record<string, () => Promise<unknown>> = {
      string: () => redis.get(key),
      hash: () => redis.hgetall(key),
      list: () => redis.lrange(key, 0, -1),
      set: () => redis.smembers(key),
      zset: () => redis.zrange(key, '0', '-1'),
      stream: () => redis.xrange(key, '-', '+'),
    };
    parts.push(JSON.stringify([key, await read[type]?.()]));
  }
  return parts.join('\n');
}

describe('the password of Redis', () => {
  it('appears in no log line, job, key or metric, also when Redis refuses it', async () => {
    const password = 'redis-password-5f0c2f1e';
    const file = path.join(directory, 'redis-password');
    writeFileSync(file, `${password}\n`);
    await rig.start({ ownRedis: true, env: { LOG_LEVEL: 'trace', METRICS_PORT: '9464' } });
    const rights = (...rules: string[]) => rig.redis.call('ACL', 'SETUSER', 'app', ...rules);
    await rights('on', `>${password}`, '~*', '&*', '+@all');
    await rig.enqueue(goodPairs(100), 100);
    const worker = rig.startWorker({ REDIS_USERNAME: 'app', REDIS_PASSWORD_FILE: file });
    const url = await metricsUrl(worker);
    await rig.drained();
    await rights('resetpass', '>another-password');
    await rig.redis.call('CLIENT', 'KILL', 'USER', 'app');
    await eventually(() => expect(worker.output()).toContain('WRONGPASS'));
    const ready = await (await fetch(`${url}/readyz`)).text();
    writeFileSync(file, 'another-password');
    await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200));
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const keys = await dump(rig.redis, rig.prefix);
    for (const place of [worker.output(), ready, keys, metrics]) {
      expect(place).not.toContain(password);
      expect(place).not.toContain('another-password');
    }
  });
});

describe('the token', () => {
  it('appears in no log line, job, key or metric, whatever fails', async () => {
    await rig.start({
      simulator: { latencyMs: 5, missing: ['100000001'] },
      env: { LOG_LEVEL: 'trace', METRICS_PORT: '9464', JOB_ATTEMPTS: '2' },
    });
    rig.simulator.script(
      { kind: 'status', ...unauthorized() },
      { kind: 'status', ...serverError(502) },
      { kind: 'status', ...rateLimited('SECONDLY', 1) },
      { kind: 'reset' },
      { kind: 'half-body' },
    );
    await rig.enqueue(goodPairs(3_000), 100);
    const worker = rig.startWorker();
    const url = await metricsUrl(worker);
    await rig.drained();
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const keys = await dump(rig.redis, rig.prefix);
    expect(keys).toContain('OBJECT_NOT_FOUND'); // the dump does show the jobs
    for (const place of [worker.output(), keys, metrics]) expect(place).not.toContain(TOKEN);
    expect(worker.output()).toContain('"event":"batch"');
  });
});

describe('the metrics and health of a worker', () => {
  it('tell what happened, on another port with a warning where the port is taken', async () => {
    await rig.start({ env: { METRICS_PORT: '19464' } });
    const [first, second] = [rig.startWorker(), rig.startWorker()];
    const urls = await Promise.all([metricsUrl(first), metricsUrl(second)]);
    expect(new Set(urls).size).toBe(2);
    for (const url of urls) {
      await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200));
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
    }
    expect(first.output() + second.output()).toContain('METRICS_PORT is taken');
    await rig.enqueue([...goodPairs(2_000), ['nobody', '1']], 500);
    await rig.drained();
    const texts = await Promise.all(urls.map(async url => (await fetch(`${url}/metrics`)).text()));
    const sum = (line: RegExp) => texts.reduce((total, text) => total + Number(line.exec(text)?.[1] ?? 0), 0);
    expect(sum(/^association_outcomes_total\{outcome="created"\} (\d+)/m)).toBe(2_000);
    expect(sum(/^association_outcomes_total\{outcome="rejected"\} (\d+)/m)).toBe(1);
    expect(sum(/^association_call_duration_seconds_count (\d+)/m)).toBe(rig.simulator.ledger.calls.length);
    expect(sum(/^association_worker_jobs (\d+)/m)).toBe(0);
    for (const name of ['batch_inputs_bucket', 'permit_wait_seconds_bucket', 'held', 'calls_total'])
      expect(texts.join('')).toContain(`association_${name}`); // one of the replicas may have got no job
  });
});
