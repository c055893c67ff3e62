/** REDIS_URL=unix:///…: worker, enqueue and stats at a Redis by its socket, with a user and a password beside it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type Simulator, startSimulator } from '../../src/simulator/server.js';
import { startCommand } from '../support/process.js';
import { RedisServer } from '../support/redis-server.js';

const TOKEN = 'pat-test-socket';
let directory: string;
let server: RedisServer;
let simulator: Simulator;
beforeEach(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'redis-socket-'));
  [server, simulator] = await Promise.all([
    RedisServer.start({ unixsocket: 'redis.sock' }),
    startSimulator({ rateLimitCalls: 0, accessToken: TOKEN }),
  ]);
  const admin = new Redis(server.url);
  await admin.call('ACL', 'SETUSER', 'app', 'on', '>s3cret-of-app', '~*', '&*', '+@all');
  admin.disconnect();
});
afterEach(async () => {
  await Promise.all([server.stop(), simulator.stop()]);
  rmSync(directory, { recursive: true });
});

it('everything goes through the socket', async () => {
  const place = {
    REDIS_URL: `unix://${server.directory}/redis.sock`,
    REDIS_USERNAME: 'app',
    REDIS_PASSWORD: 's3cret-of-app',
  };
  const file = path.join(directory, 'links.csv');
  writeFileSync(file, 'from,to\n1,2\n3,4\n');
  const worker = startCommand('worker', {
    ...{ ...place, METRICS_PORT: '0', HUBSPOT_BASE_URL: simulator.url, HUBSPOT_ACCESS_TOKEN: TOKEN },
  });
  try {
    const options = ['--from', 'contacts', '--to', 'companies', '--type', 'HUBSPOT_DEFINED:279', '--wait'];
    const enqueue = startCommand('enqueue', place, [], [file, ...options]);
    expect([await enqueue.exit(), enqueue.output()]).toEqual([0, expect.stringContaining('created 2')]);
    const stats = startCommand('stats', place, [], ['--json']);
    expect([await stats.exit(), JSON.parse(stats.output()).associations.created]).toEqual([0, 2]);
    expect(worker.output()).toContain(`unix:${server.directory}/redis.sock`);
    expect(worker.output()).not.toContain('s3cret-of-app');
  } finally {
    expect(await worker.end()).toBe(0);
  }
});
