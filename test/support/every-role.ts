/**
 * Everything that the product does at Redis, once: all roles as real processes, all commands, the library, and the pages with
 * Bull Board's actions. For tests of what Redis allows: who uses it asserts on Redis.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { expect } from '@jest/globals';
import { createProducer } from '../../src/index.js';
import type { RedisLogin } from '../../src/shared/runtime/redis-login.js';
import { rateLimited, serverError } from '../../src/simulator/replies.js';
import { type Simulator, startSimulator } from '../../src/simulator/server.js';
import { type DashboardProcess, OWN, startDashboard } from './dashboard.js';
import { eventually } from './eventually.js';
import { type GatewayProcess, type Reply, startGateway } from './gateway.js';
import { type CliProcess, startCommand } from './process.js';
import { CONTACT_TO_COMPANY, inputOf } from './samples.js';

export type RolesPlace = {
  /** REDIS_URL, QUEUE_PREFIX, and the login */
  readonly env: Readonly<Record<string, string>>;
  /** the same login, for the library */
  readonly login: RedisLogin;
};
type Ended = { readonly status: number; readonly stdout: string; readonly stderr: string };

const TOKEN = 'pat-test-every-role';
const MISSING = 999_000_000;
const BOARD = '/queues/api/queues/hubspot-associations';
const LABELS = [
  { fromObjectType: 'contacts', toObjectType: 'companies', category: 'USER_DEFINED' as const, typeId: 36 },
  { fromObjectType: 'companies', toObjectType: 'contacts', category: 'USER_DEFINED' as const, typeId: 37 },
].map(one => ({ ...one, label: 'Decision maker' }));

export async function runEveryRole(place: RolesPlace): Promise<void> {
  const run = new EveryRole(place);
  try {
    await run.start();
    await run.gatewayCalls();
    await run.files();
    await run.library();
    await run.cancels();
    await run.deadWorker();
    await run.rejections();
    await run.pages();
    await run.operators();
    await run.end();
  } finally {
    await run.stop();
  }
}

const idOf = ({ body }: Reply): string => body.links?.status.replace('/requests/', '') ?? '';

class EveryRole {
  readonly #directory = mkdtempSync(path.join(os.tmpdir(), 'association-queue-test-roles-'));
  readonly #receiver = createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(204).end());
    this.#posts += 1;
  });
  #posts = 0;
  #simulator!: Simulator;
  #workers: CliProcess[] = [];
  #gateway!: GatewayProcess;
  #dashboard!: DashboardProcess;
  #env: Readonly<Record<string, string>> = {};
  #ids = 10_000;

  constructor(private readonly place: RolesPlace) {}

  async start(): Promise<void> {
    this.#simulator = await startSimulator({ rateLimitCalls: 0, accessToken: TOKEN, labels: LABELS });
    this.#receiver.listen(0, '127.0.0.1');
    await once(this.#receiver, 'listening');
    const hook = `http://127.0.0.1:${(this.#receiver.address() as AddressInfo).port}`;
    this.#env = {
      ...this.place.env,
      ...{ HUBSPOT_BASE_URL: this.#simulator.url, HUBSPOT_ACCESS_TOKEN: TOKEN },
      ...{ ALERT_WEBHOOK_URL: `${hook}/alert`, REQUEST_WEBHOOK_URL: `${hook}/request` },
      ...{ REQUEST_WEBHOOK_SECRET: 'secret-of-signatures', REQUEST_WEBHOOK_MIN: '500' },
      ...{ JOB_LOCK_MS: '2000', RETRY_BACKOFF_MS: '50', RATE_LIMIT_CALLS: '100000', METRICS_PORT: '19480' },
      ...{ JOB_ATTEMPTS: '3', SHUTDOWN_TIMEOUT_MS: '5000' },
    };
    this.#simulator.script(
      { kind: 'status', ...serverError(502) },
      { kind: 'status', ...rateLimited('SECONDLY', 1) },
    );
    [this.#gateway, this.#dashboard] = await Promise.all([
      startGateway(this.#env),
      startDashboard(this.#env),
    ]);
    this.#startWorker();
    this.#startWorker();
  }

  /** One at a time, shared, waiting, repeated, with a label, with a rejection, with high priority, and too many. */
  async gatewayCalls(): Promise<void> {
    const { post, get } = this.#gateway;
    const single = () => post([this.#input()]);
    expect((await Promise.all([single(), single(), single()])).map(({ status }) => status)).toEqual([
      201, 201, 201,
    ]);
    const waited = await post([this.#input(), inputOf(MISSING, 5)], {
      prefer: 'wait=30',
      'x-request-name': 'waits',
    });
    expect(waited.body.status).toBe('COMPLETE');
    const key = { 'idempotency-key': 'once', 'x-priority': 'high' };
    const inputs = [this.#input()];
    const [first, again] = [await post(inputs, key), await post(inputs, key)];
    expect(again.body.links).toEqual(first.body.links);
    expect(first.body.links).toBeDefined();
    const { types: _types, ...bare } = this.#input();
    expect((await post([{ ...bare, label: 'Decision maker' }])).status).toBe(201);
    const many = Array.from({ length: 1_200 }, () => this.#input());
    const accepted = await post(many, { prefer: 'respond-async', 'x-request-name': 'many' });
    expect(accepted.status).toBe(202);
    await eventually(async () =>
      expect((await get(accepted.body.links?.status ?? '')).body).toMatchObject({ created: 1_200 }),
    );
    expect((await get('/requests')).status).toBe(200);
    expect(await (await fetch(`${this.#gateway.url}/metrics`)).text()).toContain('association_');
  }

  async files(): Promise<void> {
    const file = path.join(this.#directory, 'links.csv');
    const lines = Array.from(
      { length: 600 },
      (_, at) => `${at % 200 === 7 ? MISSING + at : this.#id()},${this.#id()}`,
    );
    writeFileSync(file, `${['from,to', ...lines].join('\n')}\n`);
    const options = [file, '--from', 'contacts', '--to', 'companies', '--label', 'Decision maker'];
    const enqueued = await this.#command(['enqueue', ...options, '--wait'], [1]);
    expect(enqueued.stdout).toContain('created 597, rejected 3');
    const id = /^request (\S+)$/m.exec(enqueued.stdout)?.[1] ?? '';
    await this.#command(['requests', 'list', '--json']);
    await this.#command(['requests', 'show', id, '--json']);
    await this.#command(['requests', 'wait', id], [1]);
    await this.#command(['requests', 'export', id]);
    await this.#command(['requests', 'retry', id]);
    await this.#command(['requests', 'wait', id, '--timeout', '30'], [1]);
    await this.#command(['enqueue', ...options], [2]); // the same file again
    await this.#command(['enqueue', '--resume', id], [0, 2]);
  }

  async library(): Promise<void> {
    const producer = createProducer({
      ...{ redisUrl: this.place.env.REDIS_URL ?? '', redisLogin: this.place.login },
      ...{ prefix: this.place.env.QUEUE_PREFIX ?? '', packMs: 5 },
      hubspot: { accessToken: TOKEN, baseUrl: this.#simulator.url },
    });
    try {
      await Promise.all([
        producer.enqueue(this.#link()),
        producer.enqueue(this.#link(), { priority: 'high' }),
      ]);
      const links = Array.from({ length: 50 }, () => ({ ...this.#link(), label: 'Decision maker' }));
      const { requestId } = await producer.enqueueMany(links);
      expect(await producer.waitFor(requestId)).toMatchObject({ created: 50, rejected: 0 });
      expect(await producer.request(requestId)).toMatchObject({ state: 'done' });
      const { requestId: one = '' } = await producer.enqueue(this.#link(), { request: { name: 'one' } });
      await producer.waitFor(one);
      await producer.cancel(one).catch(() => {});
    } finally {
      await producer.close();
    }
  }

  /** Of a paused queue, by the command, the gateway, and the page; with the list of what was taken back. */
  async cancels(): Promise<void> {
    await this.#command(['pause', '--reason', 'a test']);
    const many = () => this.#gateway.post(Array.from({ length: 700 }, () => this.#input()));
    const ids = (await Promise.all([many(), many(), many()])).map(idOf);
    const list = path.join(this.#directory, 'cancelled.ndjson');
    await this.#command(['requests', 'cancel', ids[0] ?? '', '--list', list]);
    const deleted = await fetch(`${this.#gateway.url}/requests/${ids[1]}`, { method: 'DELETE' });
    expect([200, 202]).toContain(deleted.status);
    expect((await this.#dashboard.post(`/api/requests/${ids[2]}/cancel`)).status).toBe(200);
    await this.#command(['stats']);
    await this.#command(['resume']);
    for (const id of ids) await this.#command(['requests', 'wait', id, '--timeout', '30'], [0, 1]);
  }

  /** kill -9 of a worker with jobs in hand: the others take them over after its lock. */
  async deadWorker(): Promise<void> {
    this.#simulator.setOptions({ latencyMs: 60_000 });
    const posted = await this.#gateway.post(Array.from({ length: 20 }, () => this.#input()));
    await eventually(async () =>
      expect(JSON.parse((await this.#command(['stats', '--json'])).stdout).jobs.active).toBeGreaterThan(0),
    );
    for (const worker of this.#workers.splice(0)) await worker.end('SIGKILL');
    this.#simulator.setOptions({ latencyMs: 0 });
    this.#startWorker();
    this.#startWorker();
    await this.#command(['requests', 'wait', idOf(posted), '--timeout', '60']);
  }

  async rejections(): Promise<void> {
    await this.#command(['failures', 'list', '--json']);
    await this.#command(['failures', 'list', '--group-by', 'category']);
    await this.#command(['failures', 'export']);
    await this.#command(['failures', 'retry', '--category', 'OBJECT_NOT_FOUND']);
    await this.#drained();
    await this.#command(['failures', 'discard', '--limit', '1', '--yes'], [0, 2]);
  }

  async pages(): Promise<void> {
    const { get, post } = this.#dashboard;
    for (const page of [
      '/',
      '/api/setup',
      '/api/state',
      '/api/history',
      '/api/rejections',
      '/api/requests',
      '/metrics',
    ])
      expect([page, (await get(page)).status]).toEqual([page, 200]);
    expect((await get(`/api/search?from=${MISSING}&to=5`)).status).toBeLessThan(500);
    const { groups } = (await (await get('/api/rejections')).json()) as { groups: { id: string }[] };
    const group = groups[0]?.id ?? '';
    expect((await get(`/api/rejections/${group}`)).status).toBe(200);
    expect((await get(`/api/rejections/export?groups=${group}`)).status).toBe(200);
    const { requests } = (await (await get('/api/requests')).json()) as { requests: { id: string }[] };
    for (const more of ['', '/examples', '/export'])
      expect((await get(`/api/requests/${requests[0]?.id}${more}`)).status).toBe(200);
    expect((await post('/api/rejections/retry', OWN, { groups: [group] })).status).toBe(200);
    await this.#drained();
    expect((await post('/api/pause')).status).toBe(200);
    await this.#board();
    expect((await post('/api/resume')).status).toBe(200);
    await this.#drained();
    expect((await post('/api/rejections/discard', OWN, { groups: [group] })).status).toBe(200);
  }

  async operators(): Promise<void> {
    await this.#command(['doctor', '--json'], [0, 1]);
    await this.#command(['alerts', 'test']);
    await this.#command(['stats', '--json']);
    const watch = startCommand('stats', this.#env, [], ['--watch']);
    await eventually(() => expect(watch.output()).toContain('created'));
    await watch.end('SIGINT');
    await eventually(() => expect(this.#posts).toBeGreaterThan(3));
  }

  async end(): Promise<void> {
    const children = [this.#gateway, this.#dashboard, ...this.#workers];
    for (const child of children) expect(child.output()).not.toMatch(/NOPERM|Unhandled|ioredis/);
    expect(await Promise.all(children.map(child => child.end()))).toEqual(children.map(() => 0));
    expect(this.#simulator.ledger.duplicates).toBeLessThan(2_000); // of the killed worker's calls
  }

  async stop(): Promise<void> {
    for (const child of [this.#gateway, this.#dashboard, ...this.#workers]) child?.process.kill('SIGKILL');
    await this.#simulator?.stop();
    this.#receiver.closeAllConnections();
    this.#receiver.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Bull Board: what it reads, and each of its actions. The queue is paused. */
  async #board(): Promise<void> {
    await this.#gateway.post([this.#input()]);
    const read = async (at: string) => {
      const answer = await this.#dashboard.get(at, OWN);
      expect([at, answer.status]).toEqual([at, 200]);
      return answer.json();
    };
    const change = async (method: string, at: string, body: object = {}) => {
      const answer = await fetch(`${this.#dashboard.url}${at}`, {
        method,
        headers: { ...OWN, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      // an action on a job that is in another state may fail, but not because of Redis' rights
      expect([method, at, await answer.text()]).toEqual([method, at, expect.not.stringContaining('NOPERM')]);
    };
    await read('/queues/api/redis/stats');
    const jobsOf = async (status: string) => {
      const { queues } = (await read(
        `/queues/api/queues?activeQueue=hubspot-associations&status=${status}&page=1&jobsPerPage=20`,
      )) as { queues: { jobs: { id: string }[] }[] };
      return (queues[0]?.jobs ?? []).map(({ id }) => id);
    };
    for (const status of ['latest', 'active', 'waiting', 'completed', 'delayed', 'prioritized', 'paused'])
      await jobsOf(status);
    for (const what of ['metrics', 'default-job-options', 'workers', 'rate-limit', 'job-data-schema'])
      await read(`${BOARD}/${what}`);
    await read('/queues/api/job-schedulers');
    const failed = await jobsOf('failed');
    const job = failed[0] ?? '';
    for (const what of [`${job}/logs`, `${job}/flow`, job]) await read(`${BOARD}/${what}`);
    await change('PUT', `${BOARD}/pause`);
    await change('PUT', `${BOARD}/${job}/retry/failed`);
    const [waiting = ''] = [...(await jobsOf('paused')), ...(await jobsOf('waiting'))];
    await change('PATCH', `${BOARD}/${waiting}/update-data`, { jobData: {} });
    await change('PUT', `${BOARD}/${waiting}/priority`, { priority: 2 });
    await change('PUT', `${BOARD}/${waiting}/promote`);
    await change('PUT', `${BOARD}/${waiting}/clean`);
    await change('PUT', `${BOARD}/promote`);
    await change('PUT', `${BOARD}/retry/failed`);
    await change('PUT', `${BOARD}/clean/completed`);
    await change('PUT', `${BOARD}/resume`);
    await change('POST', `${BOARD}/add`, {
      name: 'associate',
      data: {
        version: 1,
        fromObjectType: 'contacts',
        toObjectType: 'companies',
        types: [CONTACT_TO_COMPANY],
        pairs: [['1', '2']],
      },
      options: {},
    });
  }

  #startWorker(): void {
    this.#workers.push(startCommand('worker', this.#env));
  }

  async #drained(): Promise<void> {
    await eventually(async () => {
      const { stdout } = await this.#command(['stats', '--json']);
      const { jobs } = JSON.parse(stdout);
      expect(jobs.waiting + jobs.active + jobs.delayed + (jobs.prioritized ?? 0)).toBe(0);
    });
  }

  #command(args: readonly string[], statuses: readonly number[] = [0]): Promise<Ended> {
    return new Promise((resolve, reject) => {
      const env = { PATH: process.env.PATH, ...this.#env };
      execFile(process.execPath, ['dist/cli.js', ...args], { env }, (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        if (statuses.includes(status) && !stderr.includes('NOPERM')) resolve({ status, stdout, stderr });
        else reject(new Error(`${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`));
      });
    });
  }

  #id = (): number => ++this.#ids;
  #input = () => inputOf(this.#id(), this.#id());
  #link = () => ({
    ...{ fromObjectType: 'contacts', toObjectType: 'companies', from: this.#id(), to: this.#id() },
  });
}
