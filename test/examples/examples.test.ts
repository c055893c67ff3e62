/** The programs on the pages are the files of examples/ (test/unit/docs/snippets.test.ts), and they run. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import Schema from 'typebox/schema';
import { type JobData, typeText } from '../../src/shared/contract/association.js';
import { parseJobData } from '../../src/shared/contract/job-schema.js';
import { accountKeys, JOB_NAME, queueName } from '../../src/shared/contract/keys.js';
import { SIGNATURE_HEADER, signatureOf } from '../../src/shared/webhooks/signed-body.js';
import { startSimulator } from '../../src/simulator/server.js';
import { Consumer } from '../support/consumer.js';
import { eventually } from '../support/eventually.js';
import { startGateway } from '../support/gateway.js';
import { blocksOf } from '../support/pages.js';
import { addAsPython } from '../support/python-bullmq.js';
import { useRedis } from '../support/redis.js';
import { useRig } from '../support/rig.js';

const test = useRedis(import.meta.url);
const rig = useRig(`${import.meta.url}#rig`);
const run = promisify(execFile);

/** Runs an example where a user has it: beside the client package. */
const consumer = new Consumer();
afterAll(() => consumer.end());
function runExample(file: string, env: Readonly<Record<string, string>>): Promise<string> {
  const name = path.basename(file);
  consumer.write(name, readFileSync(file, 'utf8'));
  return consumer.run(name, [], env);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The part of Python's bullmq that the example uses; the data becomes JSON as in its scripts.py. */
const STAND_IN = `
import atexit, json
calls = []
atexit.register(lambda: print(json.dumps(calls)))

class Queue:
    def __init__(self, name, opts={}):
        calls.append(["Queue", name, opts])
    async def add(self, name, data, opts={}):
        calls.append(["add", name, json.dumps(data, separators=(",", ":"), allow_nan=False)])
    async def close(self):
        calls.append(["close"])
`;

describe('the programs on the pages', () => {
  it.each([
    ['examples/enqueue.mjs', 1_001],
    ['examples/plain-bullmq.mjs', 2],
  ])('%s', async (file, associations) => {
    const prefix = test.newPrefix();
    await runExample(file, { REDIS_URL: test.url, QUEUE_PREFIX: prefix });
    const queue = new Queue(queueName(), { connection: test.redis, prefix });
    const jobs = await queue.getJobs();
    const data = jobs.map(job => parseJobData(job.data));
    expect(data.every(parsed => parsed.ok)).toBe(true);
    expect(data.reduce((sum, parsed) => sum + (parsed.ok ? parsed.data.pairs.length : 0), 0)).toBe(
      associations,
    );
    await queue.close();
  });

  it('examples/labels.mjs', async () => {
    const label = { category: 'USER_DEFINED' as const, typeId: 36, label: 'Decision maker' };
    const simulator = await startSimulator({
      labels: [{ fromObjectType: 'contacts', toObjectType: 'companies', ...label }],
    });
    const prefix = test.newPrefix();
    const env = {
      REDIS_URL: test.url,
      QUEUE_PREFIX: prefix,
      HUBSPOT_BASE_URL: simulator.url,
      HUBSPOT_ACCESS_TOKEN: 'any',
    };
    const queue = new Queue(queueName(), { connection: test.redis, prefix });
    try {
      await runExample('examples/labels.mjs', env);
      const types = (await queue.getJobs()).map(job => (job.data as JobData).types.map(typeText).join());
      expect(types.sort()).toEqual(['HUBSPOT_DEFINED:279', 'USER_DEFINED:36']);
    } finally {
      await queue.close();
      await simulator.stop();
    }
  });

  const hasPython = spawnSync('python3', ['--version']).status === 0;
  // the package itself is not at hand in a Node project: a stand-in takes the call, and its bytes are written from here
  (hasPython ? it : it.skip).each([
    ['examples/enqueue.py', { connection: 'redis://r:1', prefix: 'p' }, 500],
    ['examples/readme_bullmq.py', { connection: 'redis://127.0.0.1:6379' }, 1],
  ])('%s (skipped without python3)', async (file, options, pairs) => {
    const directory = mkdtempSync(path.join(tmpdir(), 'python-example-'));
    try {
      writeFileSync(path.join(directory, 'bullmq.py'), STAND_IN);
      const env = {
        PATH: process.env.PATH,
        PYTHONPATH: directory,
        REDIS_URL: 'redis://r:1',
        QUEUE_PREFIX: 'p',
      };
      const { stdout } = await run('python3', ['-B', file], { env });
      const [opened, added, ...rest] = JSON.parse(stdout) as unknown[][];
      expect(opened).toEqual(['Queue', queueName(), options]);
      expect(added?.slice(0, 2)).toEqual(['add', JOB_NAME]);
      expect(rest).toEqual([['close']]);
      const keys = accountKeys(test.newPrefix());
      await addAsPython(test.redis, keys, JOB_NAME, String(added?.[2]));
      const queue = new Queue(queueName(), { connection: test.redis, prefix: test.prefix });
      const [job] = await queue.getWaiting();
      await queue.close();
      const schema = Schema.Compile(JSON.parse(readFileSync('docs/job.schema.json', 'utf8')));
      expect(schema.Check(job?.data)).toBe(true);
      const parsed = parseJobData(job?.data);
      expect(parsed.ok && parsed.data.pairs.length).toBe(pairs);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('examples/webhook-receiver.mjs and webhook_receiver.py tell a genuine event from others', async () => {
    const secret = 'größe';
    const body = JSON.stringify({
      event: 'request.done',
      id: 'r-1',
      request: { name: 'ö', created: 3, rejected: 1 },
    });
    const now = Date.now();
    const good = signatureOf(body, secret, now);
    const cases: [signature: string, isGenuine: boolean][] = [
      [good, true],
      [signatureOf(body, 'another', now), false],
      [signatureOf(`${body} `, secret, now), false],
      [signatureOf(body, secret, now - 301_000), false],
      [good.replace(/t=\d+/, 't=1'), false],
      ['', false],
      [good.replace(/v1=.*/, 'v1=é'), false],
      ['t=²,v1=é', false],
    ];
    const port = String(await freePort());
    const receiver = spawn(process.execPath, ['examples/webhook-receiver.mjs'], {
      env: { PATH: process.env.PATH, REQUEST_WEBHOOK_SECRET: secret, PORT: port },
    });
    let output = '';
    receiver.stdout.on('data', chunk => {
      output += chunk;
    });
    try {
      // somebody hangs up in the middle of a body
      await eventually(async () => {
        const socket = connect(Number(port), '127.0.0.1');
        await once(socket, 'connect');
        socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n{');
        await once(socket, 'data'); // the server reads the body
        socket.destroy();
      });
      for (const [signature, isGenuine] of cases) {
        const headers = { 'content-type': 'application/json', [SIGNATURE_HEADER]: signature };
        const response = await eventually(() =>
          fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body }),
        );
        expect([signature, response.status]).toEqual([signature, isGenuine ? 204 : 401]);
      }
      await eventually(() => expect(output).toBe('r-1 request.done ö 3 1\n'));
    } finally {
      receiver.kill();
    }
    if (!hasPython) return;
    const call = `import sys, json; sys.path.insert(0, "examples"); from webhook_receiver import is_genuine
secret, body, headers = json.loads(sys.argv[1])
print(json.dumps([is_genuine(secret, body.encode(), header) for header in headers]))`;
    const given = JSON.stringify([secret, body, cases.map(([signature]) => signature)]);
    const { stdout } = await run('python3', ['-B', '-c', call, given]);
    expect(JSON.parse(stdout)).toEqual(cases.map(([, isGenuine]) => isGenuine));
  });

  it('examples/readme-library.mjs and readme-bullmq.mjs, with a worker and with no setting but REDIS_URL', async () => {
    await rig.start({ ownRedis: true });
    rig.startWorker({ QUEUE_PREFIX: 'bull' });
    const env = { REDIS_URL: rig.redisUrl };
    const stdout = await runExample('examples/readme-library.mjs', env);
    expect(stdout).toBe('{ created: 1, rejected: 0 }\n');
    await runExample('examples/readme-bullmq.mjs', env);
    const { counters } = accountKeys('bull');
    await eventually(async () => expect(await rig.redis.hget(counters, 'created')).toBe('2'));
  });

  (hasPython ? it : it.skip)('examples/readme_gateway.py (skipped without python3)', async () => {
    const gateway = await startGateway({ REDIS_URL: test.url, QUEUE_PREFIX: test.newPrefix() });
    try {
      const env = { PATH: process.env.PATH, GATEWAY_URL: gateway.url };
      const { stdout } = await run('python3', ['-B', 'examples/readme_gateway.py'], { env });
      expect(stdout).toMatch(/'accepted': 1\b/);
    } finally {
      await gateway.end('SIGTERM');
    }
  });

  it('examples/hubspot-sdk.mjs', async () => {
    const gateway = await startGateway({ REDIS_URL: test.url, QUEUE_PREFIX: test.newPrefix() });
    try {
      const stdout = await runExample('examples/hubspot-sdk.mjs', { GATEWAY_URL: gateway.url });
      expect(stdout).toMatch(/^PENDING \/requests\/[0-9a-f-]{36}$/m);
    } finally {
      await gateway.end('SIGTERM');
    }
  });
});

const curls = ['README.md', 'docs/guides/gateway.md'].flatMap(page =>
  blocksOf(page).filter(({ text }) => /^curl [^\n]*batch\/create/m.test(text)),
);

it('the calls with curl on the pages are accepted as they stand', async () => {
  expect(curls).toHaveLength(2);
  const gateway = await startGateway({ REDIS_URL: test.url, QUEUE_PREFIX: test.newPrefix() });
  try {
    for (const { text } of curls) {
      const [, path = ''] = /^curl http:\/\/127\.0\.0\.1:3000(\S+)/m.exec(text) ?? [];
      const [, body = ''] = /-d '(.*)'/.exec(text) ?? [];
      const headers = new Headers();
      for (const [, name = '', value = ''] of text.matchAll(/-H '([\w-]+): ([^']*)'/g))
        headers.set(name, value);
      headers.delete('prefer'); // no worker to wait for
      const response = await fetch(gateway.url + path, { method: 'POST', headers, body });
      expect([text, response.status]).toEqual([text, 201]);
    }
  } finally {
    await gateway.end('SIGTERM');
  }
});
