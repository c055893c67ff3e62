/** What the chart's containers start: the program accepts their environment, and answers where the probes ask. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Container,
  type Deployment,
  deploymentsOf,
  type PodSpec,
  ROOT,
  render,
  type Values,
} from '../support/chart.js';
import { COMBINATIONS, valuesOf } from '../support/chart-values.js';
import { eventually } from '../support/eventually.js';
import { type CliProcess, startCommand } from '../support/process.js';
import { freePort } from '../support/redis-server.js';

/** What a Secret has for a setting. */
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\n';
const SAMPLES: Readonly<Record<string, string>> = {
  REDIS_CA_FILE: CERTIFICATE,
  REDIS_CERT_FILE: CERTIFICATE,
  REDIS_KEY_FILE: '-----BEGIN PRIVATE KEY-----\n',
  REDIS_URL: 'rediss://redis:6379/1', // without a login: some combinations give REDIS_PASSWORD as well
  ALERT_WEBHOOK_URL: 'https://chat.example.com/hook',
  REQUEST_WEBHOOK_URL: 'https://shop.example.com/events',
};
const MOUNTED = '/run/secrets/association-queue';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'association-queue-chart-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The variables of a container, with samples of its secrets; those that are mounted are files of this test. */
function environmentOf({ containers: [container], volumes }: PodSpec): Record<string, string> {
  const files = volumes.flatMap(
    ({ projected }) => projected?.sources.flatMap(({ secret }) => secret.items) ?? [],
  );
  return Object.fromEntries(
    (container?.env ?? []).map(({ name, value }) => {
      if (value === undefined) return [name, SAMPLES[name] ?? 'hunter2'];
      if (!value.startsWith(`${MOUNTED}/`)) return [name, value];
      const file = value.slice(MOUNTED.length + 1);
      expect(files.map(item => item.path)).toContain(file);
      writeFileSync(path.join(folder, file), SAMPLES[file] ?? 'hunter2\n');
      return [name, path.join(folder, file)];
    }),
  );
}

const containerOf = ({ spec }: Deployment): Container => {
  const [container, ...others] = spec.template.spec.containers;
  if (!container || others.length > 0) throw new Error('a pod has one container');
  return container;
};

const checkConfig = (args: readonly string[], env: Readonly<Record<string, string>>) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/cli.js', ...args, '--check-config'], {
    encoding: 'utf8',
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...env },
  });
  return { status, stdout, stderr };
};

const services = (values: Values): Deployment[] =>
  deploymentsOf(render(values)).filter(({ metadata }) => !metadata.name.endsWith('-simulator'));

describe('the environment of a container', () => {
  const tried = new Set<string>();

  test.each(COMBINATIONS.map((combination, at) => ({ at, combination })))(
    'is accepted by the program that it starts (combination $at)',
    ({ combination }) => {
      for (const deployment of services(valuesOf(combination))) {
        const { args } = containerOf(deployment);
        const env = environmentOf(deployment.spec.template.spec);
        const key = JSON.stringify([args, env]);
        if (tried.has(key)) continue;
        tried.add(key);
        expect({ combination, args, ...checkConfig(args, env) }).toEqual({
          ...{ combination, args, status: 0 },
          ...{ stdout: 'configuration is valid\n', stderr: '' },
        });
      }
    },
  );

  test('without a secret that it needs is refused, so the check checks', () => {
    for (const deployment of services({})) {
      const { [deployment.metadata.name.split('-').at(-1) ?? '']: secret = '' } = {
        worker: 'HUBSPOT_ACCESS_TOKEN_FILE',
        gateway: 'GATEWAY_API_KEYS',
        dashboard: 'DASHBOARD_PASSWORD',
      };
      const { [secret]: left, ...env } = environmentOf(deployment.spec.template.spec);
      expect([secret, left]).toEqual([secret, expect.any(String)]);
      expect([secret, checkConfig(containerOf(deployment).args, env).status]).toEqual([secret, 2]);
    }
  });

  test('has the secrets of its role and no others', () => {
    const secrets = (values: Values) =>
      Object.fromEntries(
        services(values).map(({ metadata, spec }) => [
          metadata.name.split('-').at(-1),
          Object.entries(environmentOf(spec.template.spec)).flatMap(([name, value]) =>
            value === 'hunter2' || value.startsWith(folder) ? [name] : [],
          ),
        ]),
      );
    expect(secrets({})).toEqual({
      worker: ['HUBSPOT_ACCESS_TOKEN_FILE'],
      gateway: ['GATEWAY_API_KEYS', 'HUBSPOT_ACCESS_TOKEN_FILE'],
      dashboard: ['DASHBOARD_PASSWORD'],
    });
  });
});

describe('the probes', () => {
  const children: CliProcess[] = [];
  afterEach(async () => {
    await Promise.all(children.splice(0).map(child => child.end('SIGKILL')));
  });

  test.each(['worker', 'gateway', 'dashboard'])(
    'ask the %s where it answers, also while Redis is away',
    async role => {
      const deployment = services({}).find(({ metadata }) =>
        metadata.name.endsWith(`-${role}`),
      ) as Deployment;
      const { args, ports, startupProbe, livenessProbe, readinessProbe } = containerOf(deployment);
      const env = environmentOf(deployment.spec.template.spec);
      const [name, given] = Object.entries(env).find(([variable]) => variable.endsWith('_PORT')) ?? ['', ''];
      expect(ports).toEqual([{ name: readinessProbe.httpGet?.port, containerPort: Number(given) }]);
      for (const probe of [startupProbe, livenessProbe]) expect(probe?.httpGet?.port).toBe(ports[0]?.name);

      const port = await freePort();
      const [command = '', ...rest] = args;
      const child = startCommand(
        command,
        { ...env, REDIS_URL: 'redis://127.0.0.1:1', [name]: String(port) },
        [],
        rest,
      );
      children.push(child);
      // probes have the address of the pod as Host, callers in the cluster (KEDA) the name of the Service
      const statusOf = (path: string, host: string) =>
        new Promise<number>((resolve, reject) => {
          get({ port, path, headers: { host } }, answer => {
            answer.resume();
            resolve(answer.statusCode ?? 0);
          }).on('error', reject);
        });
      const ask = (probe: Container['readinessProbe'] | undefined) =>
        statusOf(probe?.httpGet?.path ?? '', `10.0.0.7:${given}`);
      await eventually(async () => expect(await ask(startupProbe)).toBe(200));
      expect(await ask(livenessProbe)).toBe(200);
      expect(await ask(readinessProbe)).toBe(503); // it is there, and says that Redis is not
      const metrics = await statusOf('/metrics', `${deployment.metadata.name}.shop.svc:${given}`);
      expect(metrics).toBe(role === 'dashboard' ? 401 : 200);
    },
  );

  test('a simulator is asked where it listens', async () => {
    const deployment = deploymentsOf(render({ simulator: { enabled: true } })).find(({ metadata }) =>
      metadata.name.endsWith('-simulator'),
    ) as Deployment;
    const { args, ports, readinessProbe } = containerOf(deployment);
    const given = String(ports[0]?.containerPort);
    expect(readinessProbe.tcpSocket?.port).toBe(ports[0]?.name);
    expect(args).toContain(given);
    const port = String(await freePort());
    const [command = '', ...rest] = args.map(arg => (arg === given ? port : arg));
    const child = startCommand(command, {}, [], rest);
    children.push(child);
    await eventually(async () =>
      expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBeGreaterThan(0),
    );
  });
});
