/**
 * The chart with the simulator, each pod as a process with the environment that helm rendered: what a first user sees. Only
 * addresses are those of this machine.
 */
import { afterEach, expect, test } from '@jest/globals';
import { type Deployment, deploymentsOf, render } from '../support/chart.js';
import { eventually } from '../support/eventually.js';
import { type CliProcess, startCommand } from '../support/process.js';
import { useRedis } from '../support/redis.js';
import { freePort } from '../support/redis-server.js';

const KEY = 'hunter2';
const { url: REDIS_URL, prefix: QUEUE_PREFIX } = useRedis(import.meta.url);
const children: CliProcess[] = [];
afterEach(async () => {
  await Promise.all(children.splice(0).map(child => child.end('SIGKILL')));
});

const deployments = deploymentsOf(render({ simulator: { enabled: true } }));
const deploymentOf = (role: string) =>
  deployments.find(({ metadata }) => metadata.name.endsWith(`-${role}`)) as Deployment;

/** Starts the pod of a role. @returns its address here */
async function start(role: string, simulator: string): Promise<string> {
  const [container] = deploymentOf(role).spec.template.spec.containers;
  const given = String(container?.ports[0]?.containerPort);
  const port = String(await freePort());
  const env = (container?.env ?? []).map(({ name, value = KEY }) => [name, value === given ? port : value]);
  const [command = '', ...args] = (container?.args ?? []).map(arg => (arg === given ? port : arg));
  const here = { REDIS_URL, QUEUE_PREFIX, ...(simulator && { HUBSPOT_BASE_URL: simulator }) };
  children.push(startCommand(command, { ...Object.fromEntries(env), ...here }, [], args));
  return `http://127.0.0.1:${port}`;
}

test('takes associations while no worker runs, says that one is useful, and creates them when it does', async () => {
  const simulator = await start('simulator', '');
  const gateway = await start('gateway', simulator);
  await eventually(async () => expect((await fetch(`${gateway}/readyz`)).status).toBe(200));
  // what KEDA reads
  const useful = async () =>
    /^association_useful_replicas (.*)$/m.exec(await (await fetch(`${gateway}/metrics`)).text())?.[1];
  expect(await useful()).toBe('0');

  const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` };
  const inputs = Array.from({ length: 3_000 }, (_, at) => ({
    from: { id: `${at + 1}` },
    to: { id: `${at + 1}` },
  }));
  const answer = await fetch(`${gateway}/crm/v4/associations/contacts/companies/batch/create`, {
    ...{ method: 'POST', headers },
    body: JSON.stringify({
      inputs: inputs.map(input => ({
        ...input,
        types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
      })),
    }),
  });
  expect(answer.status).toBe(201);
  const { links } = (await answer.json()) as { links: { status: string } };
  expect(await useful()).toBe('1');

  const worker = await start('worker', simulator);
  await eventually(async () => {
    const request = (await (await fetch(gateway + links.status, { headers })).json()) as object;
    expect(request).toMatchObject({ state: 'done', created: 3_000, rejected: 0 });
  });
  await eventually(async () => expect((await fetch(`${worker}/readyz`)).status).toBe(200));
  expect(await useful()).toBe('0');

  const dashboard = await start('dashboard', '');
  const login = { headers: { authorization: `Basic ${Buffer.from(`admin:${KEY}`).toString('base64')}` } };
  await eventually(async () => expect((await fetch(dashboard, login)).status).toBe(200));
  expect((await fetch(dashboard)).status).toBe(401);
});
