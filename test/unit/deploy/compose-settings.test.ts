/** The container that writes the secrets of docker compose, as a process without an engine: what each service gets. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../../src/shared/runtime/config.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const compose = readFileSync(`${root}/docker-compose.yml`, 'utf8');
/** as docker-compose.yml gives them */
const LISTS = Object.fromEntries(
  [...compose.matchAll(/^ {6}(SECRETS_OF_[A-Z]+): (.*)$/gm)].map(([, name, list]) => [name, list]),
);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'association-queue-compose-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(env: string, ...args: string[]) {
  writeFileSync(path.join(folder, '.env'), env);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['deploy/compose/settings.mjs', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { SETTINGS_FILE: path.join(folder, '.env'), SETTINGS_FOLDER: path.join(folder, 'out'), ...LISTS },
  });
  return { status, output: stdout + stderr };
}
const read = (file: string) => readFileSync(path.join(folder, 'out', file), 'utf8');
const settingsOf = (service: string): Record<string, string | undefined> => parseEnv(read(`${service}/env`));

describe('.env.example as it is', () => {
  it('makes everything start: the simulator instead of HubSpot, and a generated key and password', () => {
    const { status, output } = run(readFileSync(`${root}/.env.example`, 'utf8'));
    expect(status).toBe(0);
    expect(output).toMatch(/the simulator stands in for HubSpot: nothing reaches a HubSpot account/);
    expect(output).toMatch(/generated: gateway key, dashboard password/);
    expect(settingsOf('worker')).toEqual({
      HUBSPOT_ACCESS_TOKEN_FILE: '/run/settings/hubspot-token',
      HUBSPOT_BASE_URL: 'http://simulator:8787',
    });
    expect(read('worker/hubspot-token')).toBe('simulator\n');
    const gateway = settingsOf('gateway');
    expect(gateway.GATEWAY_API_KEYS).toMatch(/^[\w-]{32}$/);
    const dashboard = settingsOf('dashboard');
    expect(dashboard.DASHBOARD_PASSWORD).toMatch(/^[\w-]{32}$/);
    // the commands accept them
    const file = path.join(folder, 'out/worker/hubspot-token');
    parseConfig({ ...settingsOf('worker'), HUBSPOT_ACCESS_TOKEN_FILE: file }, { token: true });
    parseConfig({ ...gateway, HUBSPOT_ACCESS_TOKEN_FILE: file, GATEWAY_HOST: '0.0.0.0' }, { gateway: true });
    parseConfig({ ...dashboard, DASHBOARD_USER: 'admin', DASHBOARD_HOST: '0.0.0.0' }, { dashboard: true });
    for (const secret of [gateway.GATEWAY_API_KEYS, dashboard.DASHBOARD_PASSWORD])
      expect(output).not.toContain(secret);
  });

  it('keeps what was generated when it runs again, and shows it on demand', () => {
    run('');
    const before = [settingsOf('gateway').GATEWAY_API_KEYS, settingsOf('dashboard').DASHBOARD_PASSWORD];
    run('');
    expect([settingsOf('gateway').GATEWAY_API_KEYS, settingsOf('dashboard').DASHBOARD_PASSWORD]).toEqual(
      before,
    );
    const { output } = run('', 'show');
    expect(output).toBe(`gateway key: ${before[0]}\ndashboard password: ${before[1]}\n`);
    // what .env sets later is not shown
    run('GATEWAY_API_KEYS=own-key-1\n');
    expect(run('GATEWAY_API_KEYS=own-key-1\n', 'show').output).toBe(`dashboard password: ${before[1]}\n`);
  });
});

describe('a .env with secrets', () => {
  const TOKEN = 'pat-na1-11111111';
  const env = [
    `HUBSPOT_ACCESS_TOKEN=${TOKEN}`,
    'GATEWAY_API_KEYS=one-key,other-key',
    `DASHBOARD_PASSWORD="it's a #1 password"`,
    'REQUEST_WEBHOOK_URL=https://example.com/hook',
    'REQUEST_WEBHOOK_SECRET=of-the-webhook',
    'OTEL_EXPORTER_OTLP_HEADERS=x-key=of-the-collector',
    'LOG_LEVEL=debug',
  ].join('\n');

  it('gives each service its own, unchanged, and HubSpot itself', () => {
    const { output } = run(env);
    expect(settingsOf('worker')).toEqual({
      HUBSPOT_ACCESS_TOKEN_FILE: '/run/settings/hubspot-token',
      REQUEST_WEBHOOK_URL: 'https://example.com/hook',
      REQUEST_WEBHOOK_SECRET: 'of-the-webhook',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=of-the-collector',
    });
    expect(read('worker/hubspot-token')).toBe(`${TOKEN}\n`);
    expect(settingsOf('dashboard').DASHBOARD_PASSWORD).toBe("it's a #1 password");
    expect(settingsOf('gateway').GATEWAY_API_KEYS).toBe('one-key,other-key');
    expect(existsSync(path.join(folder, 'out/dashboard/hubspot-token'))).toBe(false);
    expect(read('dashboard/env')).not.toMatch(/one-key|pat-/);
    expect(read('worker/env')).not.toMatch(/one-key|password/);
    expect(output).not.toMatch(/simulator|generated|pat-|one-key|password"/);
  });

  it('leaves files that no service can write, and no drafts', () => {
    run(env);
    const files = readdirSync(path.join(folder, 'out'), { recursive: true, encoding: 'utf8' })
      .map(file => path.join(folder, 'out', file))
      .filter(file => statSync(file).isFile());
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect([file, statSync(file).mode & 0o777]).toEqual([file, 0o444]);
  });

  it('may name another address than HubSpot’s', () => {
    run('HUBSPOT_BASE_URL=https://api-eu1.hubapi.com\n');
    expect(settingsOf('worker').HUBSPOT_BASE_URL).toBe('https://api-eu1.hubapi.com');
  });

  it('that has a value which no such file can hold is refused by name', () => {
    const { status, output } = run('REQUEST_WEBHOOK_SECRET=a\'b"c`d\n');
    expect([status, output]).toEqual([
      1,
      expect.stringMatching(/^settings: REQUEST_WEBHOOK_SECRET has quotation marks/),
    ]);
  });
});
