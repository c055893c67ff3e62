/**
 * The suites that say most about a server (what scripts do, what crashes leave, what is delivered), and the demo, with Valkey in
 * place of Redis: its servers are started by the tests of these suites.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from '@jest/globals';

const VALKEY = 'valkey-server';
const version = /v=(\S+)/.exec(spawnSync(VALKEY, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];
const SUITES = [
  'test/integration/ledger',
  'test/integration/quota',
  'test/integration/queue-state',
  'test/integration/job-queue',
  'test/integration/cancel',
  'test/integration/request-counts',
  'test/integration/gateway-outage',
  'test/properties/lua-scripts',
  'test/chaos',
];
const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];

/** @returns exit code and output of a command whose Redis is Valkey */
async function withValkey(...command: string[]): Promise<{ code: number | null; output: string }> {
  const { REDIS_URL: _url, ...env } = process.env;
  const child = spawn(process.execPath, ['scripts/with-redis.mjs', ...command], {
    env: { ...env, TEST_REDIS_SERVER: VALKEY },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      output += chunk;
    });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

const tests = version === undefined ? it.skip : it;
if (version === undefined)
  console.warn(`skipped: there is no ${VALKEY} here (Debian has it in the package of that name)`);

tests(
  `the suites pass with Valkey ${version}`,
  async () => {
    const { code, output } = await withValkey(process.execPath, ...JEST, '--maxWorkers=2', ...SUITES);
    expect([code, code === 0 ? '' : output]).toEqual([0, '']);
    expect(output).toMatch(/Tests: .* passed/);
  },
  900_000,
);

tests(
  `access rights, TLS and logins work with Valkey ${version}`,
  async () => {
    const engines = ['acl-tls', 'login-renewal', 'sentinel-login'].map(name => `test/engines/${name}`);
    const config = ['--config', 'jest.engines.config.mjs'];
    const { code, output } = await withValkey(process.execPath, ...JEST, ...config, ...engines);
    expect([code, code === 0 ? '' : output]).toEqual([0, '']);
  },
  600_000,
);

tests(
  `the demo accounts for everything with Valkey ${version}`,
  async () => {
    const { code, output } = await withValkey(
      process.execPath,
      'scripts/demo.mjs',
      '--associations',
      '60000',
    );
    expect([code, code === 0 ? '' : output]).toEqual([0, '']);
  },
  300_000,
);
