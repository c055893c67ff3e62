/** The operator's commands as processes against a real Redis. Runs dist/cli.js, which `npm test` has built. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { UnrecoverableError, Worker } from 'bullmq';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import type { JobData } from '../../src/shared/contract/association.js';
import { queueName } from '../../src/shared/contract/keys.js';
import { eventually } from '../support/eventually.js';
import { useQueue } from '../support/queue.js';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const on = useQueue(import.meta.url);
const { url, redis } = on;
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function start(...args: string[]) {
  const child = spawn(process.execPath, [cli, ...args], {
    env: { PATH: process.env.PATH, REDIS_URL: url, QUEUE_PREFIX: on.prefix },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  children.push(child);
  const output = { child, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', text => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', text => {
    output.stderr += text;
  });
  return output;
}

const run = (...args: string[]) => ended(start(...args));

async function ended(output: ReturnType<typeof start>, input = '') {
  output.child.stdin?.end(input);
  const [status] = (await once(output.child, 'close')) as [number | null];
  return { status, stdout: output.stdout, stderr: output.stderr };
}

const job = (id: string): JobData => ({
  version: 1,
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
  pairs: [],
  rejected: [
    {
      error: {
        at: '2026-03-01T12:00:00.000Z',
        attempt: 1,
        category: 'OBJECT_NOT_FOUND',
        message: `No contact with ID ${id} exists`,
        correlationId: 'c-1',
        pairs: 1,
      },
      pairs: [[id, '2']],
    },
  ],
});

async function fail(...ids: string[]): Promise<void> {
  await on.queue.addBulk(ids.map(id => ({ name: 'associate', data: job(id) })));
  const worker = new Worker(
    queueName(),
    async () => {
      throw new UnrecoverableError('1 of 1 rejected');
    },
    { connection: { url, maxRetriesPerRequest: null }, prefix: on.prefix },
  );
  await eventually(async () => expect(await on.queue.getFailedCount()).toBe(ids.length));
  await worker.close();
}

test('ids, words and lines of files that others wrote move no terminal, and stay unchanged in data and JSON', async () => {
  const evil = '7\u001b[2J\u009b31m\u202e\u2066\u200f\u061c\u0085\u{e0041}7';
  const [rejected] = job('1').rejected ?? [];
  const data: JobData = {
    ...job('1'),
    rejected: rejected && [
      {
        error: { ...rejected.error, category: evil, message: `no ${evil}`, correlationId: evil },
        pairs: [[evil, evil]],
      },
    ],
  } as JobData;
  await redis.hset(`${bullmqKeys(on.keys).jobs}${evil}`, {
    data: JSON.stringify(data),
    failedReason: evil,
    finishedOn: 1,
  });
  await redis.hset(`${bullmqKeys(on.keys).jobs}8`, {
    data: `{"x":"${evil.replace(/\p{Cc}/gu, '')}"`,
    finishedOn: 2,
  });
  await redis.zadd(bullmqKeys(on.keys).failed, 1, evil, 2, '8');
  const held = { until: Date.now() + 1e6, reason: `403 ${evil}`, strikes: 1 };
  await redis.hset(on.keys.heldPairs, evil, JSON.stringify(held));
  await redis.hset(on.keys.hold, { until: Date.now() + 1e6, since: 1, kind: 'auth', reason: evil });
  const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
  const commands = [
    ['stats'],
    ['stats', '--json'],
    ['failures', 'list'],
    ['failures', 'list', '--json'],
    ['failures', 'export'],
    [evil],
    ['stats', `--${evil}`],
  ];
  const said = await Promise.all(commands.map(command => run(...command)));
  said.forEach(({ stdout, stderr }, at) => {
    expect([commands[at], stdout + stderr]).not.toEqual([commands[at], '']);
    expect([commands[at], unseen.test((stdout + stderr).replaceAll('\n', ''))]).toEqual([
      commands[at],
      false,
    ]);
  });
  const exported = (said[4]?.stdout ?? '')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(exported.map(({ error }) => error.message).join()).toContain(evil); // data stays as it is
  const enqueued = await ended(
    start('enqueue', '-', '--from', 'contacts', '--to', 'companies'),
    [
      { from: evil, to: '1' },
      { [evil]: 1 },
      { from: '1', to: '2', label: evil },
      { from: '1', to: '2', types: evil },
    ]
      .map(line => `${JSON.stringify(line)}\n`)
      .join(''),
  );
  expect(enqueued.status).toBe(1);
  expect(enqueued.stderr).toMatch(/line 1: /);
  expect(`${enqueued.stdout}${enqueued.stderr}`.replaceAll('\n', '')).not.toMatch(unseen);
});

test('stats prints text for people, and JSON on request', async () => {
  await redis.hset(on.keys.counters, { created: 1_234_567 });
  const human = await run('stats');
  expect(human).toMatchObject({ status: 0, stderr: '' });
  expect(human.stdout).toMatch(/Idle: everything is decided[\s\S]*created +1,234,567\n/);
  const json = await run('stats', '--json');
  expect(json).toMatchObject({ status: 0, stderr: '' });
  expect(JSON.parse(json.stdout)).toMatchObject({ account: 'default', associations: { created: 1_234_567 } });
});

test('stats --watch prints a line a second into a pipe, until a signal ends it', async () => {
  const watch = start('stats', '--watch', '--json');
  await eventually(() => expect(watch.stdout.split('\n').length).toBeGreaterThan(2));
  watch.child.kill('SIGINT');
  const { status, stdout, stderr } = await ended(watch);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  for (const line of stdout.trimEnd().split('\n'))
    expect(JSON.parse(line)).toHaveProperty('quota.limit', 100);
});

test('failures lists, exports and retries what was rejected', async () => {
  await fail('101', '102');
  const list = await run('failures', 'list');
  expect(list).toMatchObject({ status: 0, stderr: '' });
  expect(list.stdout).toMatch(
    / 2 {2}OBJECT_NOT_FOUND {2}contacts → companies[\s\S]*No contact with ID … exists/,
  );
  expect(JSON.parse((await run('failures', 'list', '--json')).stdout)).toMatchObject({
    associations: 2,
    jobs: 2,
  });

  expect(
    JSON.parse((await run('failures', 'list', '--group-by', 'objectPair', '--json')).stdout),
  ).toMatchObject({
    groups: [{ fromObjectType: 'contacts', toObjectType: 'companies' }],
  });
  const exported = await run('failures', 'export');
  expect(exported).toMatchObject({ status: 0, stderr: 'exported 2 associations of 2 jobs.\n' });
  expect(
    exported.stdout
      .trimEnd()
      .split('\n')
      .map(line => (JSON.parse(line) as { from: string }).from),
  ).toEqual(['101', '102']);

  expect(await run('failures', 'retry', '--category', 'object_not_found')).toEqual({
    status: 0,
    stdout: 'Put back to be tried again: 2 associations in 2 jobs.\n',
    stderr: '',
  });
  expect(await on.queue.getJobCounts('waiting', 'failed')).toEqual({ waiting: 2, failed: 0 });
});

test('enqueue takes what failures export writes', async () => {
  await fail('101', '102');
  const { stdout } = await run('failures', 'export');
  const enqueued = await ended(start('enqueue', '-'), stdout);
  expect(enqueued.status).toBe(0);
  expect(enqueued.stdout).toMatch(
    /^request \S+\n1 call to HubSpot, .*\nenqueued 2 associations in 1 jobs \(0 lines refused\)\n$/,
  );
});

test('failures discard discards nothing without a yes', async () => {
  await fail('101');
  expect(await run('failures', 'discard')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('add --yes'),
  });
  expect(await on.queue.getFailedCount()).toBe(1);
  expect(await run('failures', 'discard', '--yes')).toEqual({
    status: 0,
    stdout: 'Discarded 1 association: 1 job removed.\n',
    stderr: '',
  });
  expect(await on.queue.getFailedCount()).toBe(0);
});

test('failures export ends quietly when its reader has read enough', async () => {
  await fail(...Array.from({ length: 500 }, (_, at) => `${at}`));
  const output = start('failures', 'export');
  output.child.stdout?.destroy();
  const { status, stderr } = await ended(output);
  expect(stderr).not.toMatch(/EPIPE|\n\s+at /);
  expect(status).toBe(0);
});

test('a command whose port is taken reports it in one line and exits with 1', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const { status, stderr } = await run('simulator', '--port', String(port));
  server.close();
  expect(stderr).toMatch(/^association-queue simulator: .*EADDRINUSE.*\n$/);
  expect(status).toBe(1);
});

test('pause and resume act on the whole queue, and stats says who paused it and why', async () => {
  expect(await run('resume')).toMatchObject({ status: 0, stdout: 'The queue was not paused.\n', stderr: '' });
  const paused = await run('pause', '--reason', 'HubSpot\x1b maintenance');
  expect(paused).toMatchObject({ status: 0, stderr: '' });
  expect(paused.stdout).toMatch(/^Paused: workers finish .* association-queue resume\n$/);
  expect(await on.queue.isPaused()).toBe(true);
  expect((await run('stats')).stdout).toMatch(
    /^Paused by \S+@\S+ since .* \(HubSpot {2}maintenance\): what comes now waits until somebody resumes/m,
  );
  expect(await run('resume')).toMatchObject({ status: 0, stdout: 'Resumed.\n', stderr: '' });
  expect(await on.queue.isPaused()).toBe(false);
  expect(await redis.exists(on.keys.paused)).toBe(0);
});
