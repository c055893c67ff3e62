/** Whom a connection logs in as: real users of a real Redis. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { parseConfig } from '../../src/shared/runtime/config.js';
import { openRedis } from '../../src/shared/runtime/redis.js';
import { RedisServer } from '../support/redis-server.js';

const directory = mkdtempSync(path.join(os.tmpdir(), 'redis-login-'));
const passwordFile = path.join(directory, 'password');
writeFileSync(passwordFile, 'from-the-file\n');
let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
  const admin = new Redis(server.url);
  for (const [user, password] of [
    ['app', 'in-the-url'],
    ['other', 'from-the-file'],
  ])
    await admin.call('ACL', 'SETUSER', user ?? '', 'on', `>${password}`, '~*', '+@all');
  admin.disconnect();
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

it.each([
  ['a user and a password in the URL win over the settings', 'app:in-the-url@', 'other', 'app'],
  ['the settings are for a URL without a login', '', 'other', 'other'],
  ['a password beside a user in the URL', 'other@', undefined, 'other'],
  ['nobody is the default user', '', undefined, 'default'],
])('%s', async (_, userInfo, username, expected) => {
  const isOther = expected === 'other' || username !== undefined;
  const { redis: target } = parseConfig({
    REDIS_URL: `redis://${userInfo}127.0.0.1:${server.port}`,
    ...(username !== undefined && { REDIS_USERNAME: username }),
    ...(isOther && { REDIS_PASSWORD_FILE: passwordFile }),
  });
  const redis = openRedis(target, 'hasty');
  await redis.connect();
  expect(await redis.call('ACL', 'WHOAMI')).toBe(expected);
  redis.disconnect();
});
