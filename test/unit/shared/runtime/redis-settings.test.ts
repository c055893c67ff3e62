/** The login in the settings and in the options of the library: each fault has its name, and no secret is repeated. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { queuePlace } from '../../../../src/producer/queue-place.js';
import { ConfigError } from '../../../../src/shared/contract/errors.js';
import { type Environment, parseConfig } from '../../../../src/shared/runtime/config.js';
import { loginOf } from '../../../../src/shared/runtime/redis-settings.js';

const directory = mkdtempSync(path.join(os.tmpdir(), 'redis-settings-'));
afterAll(() => rmSync(directory, { recursive: true }));
const passwordFile = path.join(directory, 'password');
writeFileSync(passwordFile, 'from-the-file\n');

function problemsOf(env: Environment): readonly string[] {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the settings of the login', () => {
  it('are read from the environment, where an empty variable counts as unset', () => {
    expect(loginOf({ REDIS_USERNAME: ' app ', REDIS_PASSWORD: '', REDIS_TLS_SERVERNAME: 'a' })).toEqual({
      username: 'app',
      serverName: 'a',
    });
  });

  it('give every fault with the name of the setting, and no secret', () => {
    const problems = problemsOf({
      REDIS_URL: 'redis://127.0.0.1:1',
      REDIS_PASSWORD: 'in-the-variable',
      REDIS_PASSWORD_FILE: passwordFile,
      REDIS_SENTINEL_PASSWORD_FILE: '/nowhere/sentinel',
      REDIS_CA_FILE: '/nowhere/ca.pem',
      REDIS_CERT_FILE: passwordFile,
    });
    expect(problems).toEqual([
      'REDIS_PASSWORD and REDIS_PASSWORD_FILE are both set; give one',
      expect.stringMatching(
        /^REDIS_SENTINEL_PASSWORD cannot be read from REDIS_SENTINEL_PASSWORD_FILE: .*ENOENT/,
      ),
      expect.stringMatching(/^REDIS_URL has no TLS, which REDIS_CA_FILE, REDIS_CERT_FILE are for/),
      'REDIS_KEY_FILE is missing: REDIS_CERT_FILE needs it',
      expect.stringMatching(/^REDIS_CA_FILE .*\/nowhere\/ca.pem/),
      `REDIS_CERT_FILE "${passwordFile}" has no certificate in PEM format`,
    ]);
    expect(problems.join()).not.toMatch(/in-the-variable|from-the-file/);
  });

  it.each([
    ['REDIS_PASSWORT', 'REDIS_PASSWORD'],
    ['REDIS_USER_NAME', 'REDIS_USERNAME'],
    ['REDIS_CAFILE', 'REDIS_CA_FILE'],
    ['REDIS_PASSWORD_FLIE', 'REDIS_PASSWORD_FILE'],
  ])('%s is a slip', (name, meant) => {
    expect(problemsOf({ [name]: 'x' })).toEqual([`${name} is not a setting: did you mean ${meant}?`]);
  });

  it('are told to a cluster without a hash tag in the prefix, together with the rest', () => {
    expect(problemsOf({ REDIS_URL: 'redis+cluster://a,b', REDIS_CERT_FILE: passwordFile })).toHaveLength(4);
  });
});

describe('redisLogin of the library', () => {
  const env = { REDIS_URL: 'redis://of-the-environment', REDIS_PASSWORD: 'for-the-environment' };
  const place = (options: Parameters<typeof queuePlace>[0]) => queuePlace(options, env);

  it("is the environment's only with the URL of the environment", () => {
    expect(place({}).address).toMatchObject({ url: env.REDIS_URL, login: { password: env.REDIS_PASSWORD } });
    expect(place({ redisUrl: 'redis://given' }).address).toMatchObject({ url: 'redis://given', login: {} });
    expect(place({ redisLogin: { username: 'u' } }).address).toMatchObject({
      url: env.REDIS_URL,
      login: { username: 'u' },
    });
  });

  it('has its faults named as options, and the slip is understood', () => {
    const slip = { passwrd: 'a-secret' } as object;
    expect(place({ redisLogin: slip }).problems).toEqual([
      'redisLogin.passwrd is not an option: did you mean password?',
    ]);
    const { problems } = place({
      redisUrl: 'redis://given',
      redisLogin: { password: 'a-secret', passwordFile, caFile: '/nowhere/ca.pem' },
    });
    expect(problems).toEqual([
      'redisLogin.password and redisLogin.passwordFile are both set: give one',
      expect.stringMatching(/^redisUrl has no TLS, which redisLogin.caFile is for/),
      expect.stringMatching(/^redisLogin.caFile .*\/nowhere\/ca.pem/),
    ]);
    expect(problems.join()).not.toContain('a-secret');
  });

  it('names the variables where the login is from the environment', () => {
    const { problems } = queuePlace({}, { REDIS_URL: 'redis://a', REDIS_CA_FILE: '/nowhere/ca.pem' });
    expect(problems.join()).toMatch(/REDIS_URL has no TLS, which REDIS_CA_FILE is for/);
  });
});
