/**
 * Sentinels with TLS, certificates of clients, and a user and a password of their own: worker, gateway and commands find the
 * primary through them, also after it was killed, with the rights of docs/operations/redis.md.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Simulator, startSimulator } from '../../src/simulator/server.js';
import { refusedCommands, rulesOnPage } from '../support/acl.js';
import { Authority } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { startGateway } from '../support/gateway.js';
import { startCommand } from '../support/process.js';
import { goodPairs, inputOf } from '../support/samples.js';
import { TlsSentinels } from '../support/tls-sentinels.js';

const [TOKEN, PREFIX, USER] = ['pat-test-sentinel-login', 'sentinel-login', 'associations'];
const authority = new Authority();
let directory: string;
let sentinels: TlsSentinels;
let simulator: Simulator;
beforeEach(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'association-queue-test-sentinel-login-'));
  [sentinels, simulator] = await Promise.all([
    TlsSentinels.start(authority, {
      redis: [USER, ...rulesOnPage(USER, 'password-of-redis', PREFIX)],
      sentinel: ['finder', ...rulesOnPage('finder', 'password-of-the-sentinels', PREFIX)],
    }),
    startSimulator({ rateLimitCalls: 0, accessToken: TOKEN }),
  ]);
});
afterEach(async () => {
  await Promise.all([sentinels.stop(), simulator.stop()]);
  rmSync(directory, { recursive: true, force: true });
});

afterAll(() => authority.remove());

it('everybody finds the primary with both logins, and follows a failover', async () => {
  const sentinelPassword = path.join(directory, 'sentinel');
  writeFileSync(sentinelPassword, 'password-of-the-sentinels\n');
  const { cert, key } = authority.sign();
  const place = {
    ...{ REDIS_URL: sentinels.url, QUEUE_PREFIX: PREFIX },
    ...{ REDIS_USERNAME: USER, REDIS_PASSWORD: 'password-of-redis' },
    ...{ REDIS_SENTINEL_USERNAME: 'finder', REDIS_SENTINEL_PASSWORD_FILE: sentinelPassword },
    ...{ REDIS_CA_FILE: authority.file, REDIS_CERT_FILE: cert, REDIS_KEY_FILE: key },
  };
  const worker = startCommand('worker', {
    ...{ ...place, METRICS_PORT: '0', JOB_LOCK_MS: '2000', RATE_LIMIT_CALLS: '100000' },
    ...{ HUBSPOT_BASE_URL: simulator.url, HUBSPOT_ACCESS_TOKEN: TOKEN },
  });
  const gateway = await startGateway(place).catch(async error => {
    await worker.end('SIGKILL');
    throw error;
  });
  try {
    const pairs = goodPairs(30);
    const post = async (at: number) =>
      (await gateway.post(pairs.slice(at * 10, at * 10 + 10).map(([from, to]) => inputOf(from, to)))).status;
    const created = () =>
      pairs.filter(([from, to]) => simulator.ledger.has('contacts', 'companies', from, to)).length;
    const settled = async () => {
      const stats = startCommand('stats', place, [], ['--json']);
      expect([await stats.exit(), stats.output()]).toEqual([0, expect.stringMatching(/^\{/)]);
      return JSON.parse(stats.output()).associations.created;
    };
    expect(await post(0)).toBe(201);
    await eventually(() => expect(created()).toBe(10));
    await eventually(async () => expect(await settled()).toBe(10));
    for (const redis of [...sentinels.redis, ...sentinels.sentinels])
      expect(await refusedCommands(redis)).toEqual([]);

    await sentinels.replicated();
    await sentinels.killPrimary();
    await eventually(async () => expect(await post(1)).toBe(201));
    await eventually(() => expect(created()).toBe(20));

    await eventually(async () => expect(await settled()).toBe(20));
    // a Sentinel that is away is tried again and again, without a line that is none of our logs
    sentinels.killSentinel();
    expect(await post(2)).toBe(201);
    await eventually(async () => expect(await settled()).toBe(30));
    for (const one of [worker, gateway]) expect(one.output()).not.toMatch(/ioredis|Unhandled/);
    for (const redis of [...sentinels.redis.slice(1), ...sentinels.sentinels.slice(0, 2)])
      expect(await refusedCommands(redis)).toEqual([]);
  } finally {
    expect(await gateway.end()).toBe(0);
    expect(await worker.end()).toBe(0);
  }
});

it.each([
  ['no login', {}, /NOAUTH|requires authentication/i],
  ['a wrong password', { REDIS_SENTINEL_USERNAME: 'finder', REDIS_SENTINEL_PASSWORD: 'wrong' }, /WRONGPASS/],
])('%s at the Sentinels is said with the settings that help', async (_, login, reason) => {
  const { cert, key } = authority.sign();
  const stats = startCommand('stats', {
    ...{ REDIS_URL: sentinels.url, QUEUE_PREFIX: PREFIX, ...login },
    ...{ REDIS_USERNAME: USER, REDIS_PASSWORD: 'password-of-redis' },
    ...{ REDIS_CA_FILE: authority.file, REDIS_CERT_FILE: cert, REDIS_KEY_FILE: key },
  });
  expect(await stats.exit()).toBe(1);
  expect(stats.output()).toMatch(reason);
  expect(stats.output()).toContain('REDIS_SENTINEL_PASSWORD');
});
