/** The configuration: all problems at once, helpful about misspelt names, silent about secrets. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, test } from '@jest/globals';
import { ConfigError } from '../../../../src/shared/contract/errors.js';
import { type Environment, parseConfig } from '../../../../src/shared/runtime/config.js';
import { SETTINGS } from '../../../../src/shared/runtime/settings.js';

function problemsOf(env: Environment, needs?: { token?: boolean }): readonly string[] {
  try {
    parseConfig(env, needs);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the settings', () => {
  test('have the documented defaults in an empty environment', () => {
    const config = parseConfig({});
    for (const [key, setting] of Object.entries(SETTINGS))
      if (setting.kind !== 'secret') expect(config).toHaveProperty(key, setting.default);
    expect(config.hubspotAccessToken).toBeUndefined();
  });

  test('are read and trimmed, and an empty value counts as unset', () => {
    const config = parseConfig({
      RATE_LIMIT_CALLS: ' 150 ',
      HUBSPOT_BASE_URL: 'http://127.0.0.1:8787',
      QUEUE_PREFIX: '',
      DAILY_CALL_LIMIT: '0',
    });
    expect(config).toMatchObject({
      rateLimitCalls: 150,
      hubspotBaseUrl: 'http://127.0.0.1:8787',
      queuePrefix: 'bull',
      dailyCallLimit: 0,
    });
  });

  test('are frozen once they are read', () => {
    expect(Object.isFrozen(parseConfig({}))).toBe(true);
  });

  test('ignore the variables of other programs', () => {
    expect(
      problemsOf({ PATH: '/bin', HOME: '/root', REDIS_TLS_URL: 'rediss://x', NODE_ENV: 'test' }),
    ).toEqual([]);
  });
});

describe('a login of Redis beside one in REDIS_URL', () => {
  const warnings = (env: Record<string, string>) => parseConfig(env).warnings;

  it('is not used, and a warning says so without either', () => {
    const url = { REDIS_URL: 'redis://app:secret@h' };
    expect(warnings({ ...url, REDIS_PASSWORD: 'hunter2', REDIS_USERNAME: 'me' })).toEqual([
      'REDIS_USERNAME is not used, because REDIS_URL has another user',
      'REDIS_PASSWORD is not used, because REDIS_URL has another password',
    ]);
  });

  it('is no matter if it is the same, as in an environment from which REDIS_URL was made', () => {
    expect(warnings({ REDIS_URL: 'redis://:secret@h', REDIS_PASSWORD: 'secret' })).toEqual([]);
    expect(warnings({ REDIS_URL: 'redis://app@h', REDIS_PASSWORD: 'secret' })).toEqual([]);
  });
});

describe('names like REDIS_URL that other software uses', () => {
  test.each([
    'REDIS_URI',
    'REDIS_URLS',
    'REDIS_URL2',
    'REDISURL',
    'KREDIS_URL',
    'REDIS_TLS_URL',
    'REDIS_HOST',
  ])('%s is ignored without a word', name => expect(parseConfig({ [name]: 'x' }).warnings).toEqual([]));
});

describe('a bad setting', () => {
  test('is reported together with all others, in a line that names the variable', () => {
    const problems = problemsOf(
      {
        REDIS_URL: 'http://127.0.0.1',
        RATE_LIMIT_CALLS: 'many',
        BATCH_MAX_INPUTS: '2001',
        ACCOUNT_TIMEZONE: 'Berlin',
        HUBSPOT_API_VERSION: 'v9',
        LOG_LEVEL: 'loud',
        BATCH_LINGER: '5',
      },
      { token: true },
    );
    expect(problems).toEqual([
      'BATCH_LINGER is not a setting: did you mean BATCH_LINGER_MS?',
      'REDIS_URL is not a URL that starts with redis://, rediss://, redis+sentinel://, redis+cluster:// (rediss+… with TLS) or unix:///',
      'HUBSPOT_API_VERSION "v9" is not one of v4, 2025-09, 2026-03, 2026-09',
      'RATE_LIMIT_CALLS "many" is not an integer from 1 to 1000000000 (calls)',
      'ACCOUNT_TIMEZONE "Berlin" is not a time zone (such as UTC or Europe/Berlin)',
      'BATCH_MAX_INPUTS "2001" is not an integer from 1 to 2000 (inputs)',
      'LOG_LEVEL "loud" is not one of trace, debug, info, warn, error, fatal, silent',
      expect.stringMatching(/^HUBSPOT_ACCESS_TOKEN is not set/),
    ]);
  });

  test.each(['-1', '1.5', '1e3', '0x10', 'NaN', '0'])('such as RATE_LIMIT_CALLS=%s is refused', given => {
    expect(problemsOf({ RATE_LIMIT_CALLS: given })).toHaveLength(1);
  });

  test.each([
    ['HUBSPOT_ACESS_TOKEN', 'HUBSPOT_ACCESS_TOKEN'],
    ['RATE_LIMIT_CALL', 'RATE_LIMIT_CALLS'],
    ['QUEUE_PREFFIX', 'QUEUE_PREFIX'],
    ['JOB_ATTEMPT', 'JOB_ATTEMPTS'],
    ['HUBSPOT_TOKEN_FILE', 'HUBSPOT_ACCESS_TOKEN_FILE'],
    ['GATEWAY_KEYS', 'GATEWAY_API_KEYS'],
    ['DASHBOARD_PASS', 'DASHBOARD_PASSWORD'],
    ['DAILY_CALLS', 'DAILY_CALL_LIMIT'],
    ['ALERT_URL', 'ALERT_WEBHOOK_URL'],
    ['REQUEST_WEBHOOK_SECRT', 'REQUEST_WEBHOOK_SECRET'],
    ['HUBSPOT_TOKEN', 'HUBSPOT_ACCESS_TOKEN'],
    ['REDIS_UR', 'REDIS_URL'],
    ['REDIS_ULR', 'REDIS_URL'],
    ['REDS_URL', 'REDIS_URL'],
    ['REDIS_URLL', 'REDIS_URL'],
    ['REDIS_URN', 'REDIS_URL'],
  ])('%s: did you mean %s?', (given, meant) => {
    expect(problemsOf({ [given]: 'x' })).toEqual([`${given} is not a setting: did you mean ${meant}?`]);
  });

  test.each(['HUBSPOT_PORTAL_ID', 'HUBSPOT_CLIENT_ID', 'GATEWAY_URL', 'BATCH_JOB_ID', 'HUBSPOT_API_KEY'])(
    '%s is somebody else’s: a warning',
    name => {
      expect(parseConfig({ [name]: 'secret' }).warnings).toEqual([`${name} is not a setting and is ignored`]);
    },
  );

  test('a shorter name beside the setting itself belongs to other software; a misspelt one does not', () => {
    const right = { HUBSPOT_ACCESS_TOKEN: 'x', RATE_LIMIT_CALLS: '5' };
    expect(parseConfig({ ...right, HUBSPOT_TOKEN: 'y' }).warnings).toHaveLength(1);
    expect(problemsOf({ ...right, RATE_LIMIT_CALL: '6' })).toHaveLength(1);
  });

  test('variables that Kubernetes adds for a service called gateway are not misspelt settings', () => {
    const names = ['GATEWAY_SERVICE_HOST', 'GATEWAY_SERVICE_PORT_HTTP', 'DASHBOARD_PORT_80_TCP_ADDR'];
    expect(problemsOf(Object.fromEntries(names.map(name => [name, 'x'])))).toEqual([]);
  });

  test('what Kubernetes says of a Service called gateway is no port: it is ignored with one warning', () => {
    const { gatewayPort, dashboardPort, metricsPort, warnings } = parseConfig({
      GATEWAY_PORT: 'tcp://10.96.0.7:3000',
      DASHBOARD_PORT: 'udp://10.96.0.8:3001',
      METRICS_PORT: '9470',
      GATEWAY_SERVICE_HOST: '10.96.0.7',
    });
    expect([gatewayPort, dashboardPort, metricsPort]).toEqual([3_000, 3_001, 9_470]);
    expect(warnings).toEqual([
      'GATEWAY_PORT, DASHBOARD_PORT hold the address of a Kubernetes Service of that name and are ignored: set enableServiceLinks: false in the pod',
    ]);
  });

  test('is refused when it contradicts another', () => {
    expect(problemsOf({ BATCH_LINGER_MS: '25000' })).toEqual([
      'BATCH_LINGER_MS (25000) must be shorter than SHUTDOWN_TIMEOUT_MS (25000)',
    ]);
    expect(problemsOf({ BATCH_LINGER_MS: '25000', RATE_LIMIT_CALLS: 'many' })).toHaveLength(2);
  });
});

describe('a secret', () => {
  test('is never repeated in a message', () => {
    const problems = problemsOf({
      REDIS_URL: 'http://user:hunter2@127.0.0.1',
      HUBSPOT_BASE_URL: 'ftp://user:hunter2@proxy',
      HUBSPOT_ACCESS_TOKEN: 'pat-hunter2',
      HUBSPOT_ACCESS_TOKEN_FILE: '/nowhere/token',
      HUBSPOT_ACCES_TOKEN: 'pat-hunter2',
    });
    expect(problems).toHaveLength(4);
    expect(problems.join('\n')).not.toContain('hunter2');
  });

  test('may stand in a file', () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'token-'));
    try {
      const file = path.join(directory, 'token');
      writeFileSync(file, 'pat-from-file\n');
      expect(parseConfig({ HUBSPOT_ACCESS_TOKEN_FILE: file }, { token: true })).toMatchObject({
        hubspotAccessToken: 'pat-from-file',
        hubspotAccessTokenFile: file,
      });
      writeFileSync(file, '  \n');
      expect(problemsOf({ HUBSPOT_ACCESS_TOKEN_FILE: file }, { token: true })).toEqual([
        `HUBSPOT_ACCESS_TOKEN_FILE "${file}" is empty`,
      ]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('of the webhook is needed for its URL, as text or in a file, not both', () => {
    const url = { REQUEST_WEBHOOK_URL: 'https://hooks.example/a' };
    const [fault = ''] = problemsOf(url);
    expect(fault).toMatch(/^REQUEST_WEBHOOK_SECRET is not set: .*REQUEST_WEBHOOK_URL/);
    const directory = mkdtempSync(path.join(os.tmpdir(), 'secret-'));
    try {
      const file = path.join(directory, 'secret');
      writeFileSync(file, 'from-file\n');
      const inFile = { ...url, REQUEST_WEBHOOK_SECRET_FILE: file };
      expect(parseConfig(inFile).requestWebhookSecret).toBe('from-file');
      expect(problemsOf({ ...inFile, REQUEST_WEBHOOK_SECRET: 'hunter2' })).toEqual([
        'REQUEST_WEBHOOK_SECRET and REQUEST_WEBHOOK_SECRET_FILE are both set; give one',
      ]);
      writeFileSync(file, ' ');
      expect(problemsOf(inFile)[0]).toContain(`REQUEST_WEBHOOK_SECRET_FILE: "${file}" is empty`);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('is missing with the name of its file and the reason when the file cannot be read', () => {
    expect(problemsOf({ HUBSPOT_ACCESS_TOKEN_FILE: '/nowhere/token' }, { token: true })).toEqual([
      expect.stringMatching(/^HUBSPOT_ACCESS_TOKEN_FILE .*ENOENT.*\/nowhere\/token/),
    ]);
  });
});

describe('the dashboard’s settings', () => {
  const problems = (env: Record<string, string>): readonly string[] => {
    try {
      parseConfig(env, { dashboard: true });
      return [];
    } catch (error) {
      return (error as ConfigError).problems;
    }
  };
  test('ask for user and password except on loopback; all problems are reported at once, without the password', () => {
    expect(problems({})).toEqual([]);
    expect(problems({ DASHBOARD_HOST: '0.0.0.0', DASHBOARD_PORT: 'x', DASHBOARD_READ_ONLY: 'yes' })).toEqual([
      expect.stringMatching(/^DASHBOARD_PORT "x" is not/),
      expect.stringMatching(/^DASHBOARD_READ_ONLY "yes" is not one of true, false/),
      expect.stringMatching(/^DASHBOARD_USER is not set: anybody who reaches 0.0.0.0/),
      expect.stringMatching(/^DASHBOARD_PASSWORD is not set: anybody/),
    ]);
    expect(problems({ DASHBOARD_PASSWORD: 'hunter2' })).toEqual([
      'DASHBOARD_USER is not set: the password needs a user',
    ]);
    expect(problems({ DASHBOARD_USER: 'me' })).toEqual([
      'DASHBOARD_PASSWORD is not set: the user needs a password',
    ]);
    expect(problems({ DASHBOARD_HOST: '::', DASHBOARD_USER: 'a:b', DASHBOARD_PASSWORD: 'hunter2' })).toEqual([
      'DASHBOARD_USER holds a colon, which no browser can send',
    ]);
  });
});

describe('the gateway’s settings', () => {
  const problems = (env: Record<string, string>) => {
    try {
      parseConfig(env, { gateway: true });
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
  };
  it.each(['localhost', '127.0.0.1', '127.1.2.3', '::1'])('need no key on %s', GATEWAY_HOST => {
    expect(problems({ GATEWAY_HOST })).toEqual([]);
  });
  it.each(['0.0.0.0', '::', '10.0.0.1', 'example.org', '127.0.0.1.example.org'])(
    'need a key on %s',
    GATEWAY_HOST => {
      expect(problems({ GATEWAY_HOST })).toEqual([expect.stringMatching(/^GATEWAY_API_KEYS is not set/)]);
      expect(problems({ GATEWAY_HOST, GATEWAY_API_KEYS: 'k' })).toEqual([]);
    },
  );
  it('never repeat a key in a message', () => {
    expect(problems({ GATEWAY_API_KEYS: ' , ' })).toEqual(['GATEWAY_API_KEYS holds no key']);
    expect(problems({ GATEWAY_API_KEYS: 'a b,c' }).join()).not.toContain('a b');
  });
  it('do not concern the other commands', () => {
    expect(parseConfig({ GATEWAY_HOST: '0.0.0.0' }).gatewayHost).toBe('0.0.0.0');
  });
});
