/** The README's snippets are these files, and they run. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import Schema from 'typebox/schema';
import { type JobData, parseJobData, typeText } from '../../src/shared/contract/association.js';
import { JOB_NAME, queueName } from '../../src/shared/contract/keys.js';
import { startSimulator } from '../../src/simulator/server.js';
import { startGateway } from '../support/gateway.js';
import { useRedis } from '../support/redis.js';

const test = useRedis(import.meta.url);
const run = promisify(execFile);

/** The part of Python's bullmq that the example uses, by its documentation. */
const STAND_IN = `
import atexit, json
calls = []
atexit.register(lambda: print(json.dumps(calls)))

class Queue:
    def __init__(self, name, opts={}):
        calls.append(["Queue", name, opts])
    async def add(self, name, data, opts={}):
        calls.append(["add", name, data])
    async def close(self):
        calls.append(["close"])
`;

describe('the examples of the README', () => {
  it.each([
    ['examples/enqueue.mjs', 1_001],
    ['examples/plain-bullmq.mjs', 2],
  ])('%s', async (file, associations) => {
    expect(readFileSync('README.md', 'utf8')).toContain(readFileSync(file, 'utf8').trim());
    const prefix = test.newPrefix();
    await run(process.execPath, [file], {
      env: { PATH: process.env.PATH, REDIS_URL: test.url, QUEUE_PREFIX: prefix },
    });
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
    expect(readFileSync('README.md', 'utf8')).toContain(readFileSync('examples/labels.mjs', 'utf8').trim());
    const label = { category: 'USER_DEFINED' as const, typeId: 36, label: 'Decision maker' };
    const simulator = await startSimulator({
      labels: [{ fromObjectType: 'contacts', toObjectType: 'companies', ...label }],
    });
    const prefix = test.newPrefix();
    const env = {
      PATH: process.env.PATH,
      REDIS_URL: test.url,
      QUEUE_PREFIX: prefix,
      HUBSPOT_BASE_URL: simulator.url,
      HUBSPOT_ACCESS_TOKEN: 'any',
    };
    const queue = new Queue(queueName(), { connection: test.redis, prefix });
    try {
      await run(process.execPath, ['examples/labels.mjs'], { env });
      const types = (await queue.getJobs()).map(job => (job.data as JobData).types.map(typeText).join());
      expect(types.sort()).toEqual(['HUBSPOT_DEFINED:279', 'USER_DEFINED:36']);
    } finally {
      await queue.close();
      await simulator.stop();
    }
  });

  const hasPython = spawnSync('python3', ['--version']).status === 0;
  // the package itself is not at hand in a Node project: what is called, and with what, is all that can be seen
  (hasPython ? it : it.skip)('examples/enqueue.py (skipped without python3)', async () => {
    const text = readFileSync('examples/enqueue.py', 'utf8');
    expect(readFileSync('README.md', 'utf8')).toContain(text.trim());
    const directory = mkdtempSync(path.join(tmpdir(), 'python-example-'));
    try {
      writeFileSync(path.join(directory, 'bullmq.py'), STAND_IN);
      const env = {
        PATH: process.env.PATH,
        PYTHONPATH: directory,
        REDIS_URL: 'redis://r:1',
        QUEUE_PREFIX: 'p',
      };
      const { stdout } = await run('python3', ['-B', 'examples/enqueue.py'], { env });
      const [opened, added, ...rest] = JSON.parse(stdout) as unknown[][];
      expect(opened).toEqual(['Queue', queueName(), { connection: 'redis://r:1', prefix: 'p' }]);
      expect(added?.slice(0, 2)).toEqual(['add', JOB_NAME]);
      expect(rest).toEqual([['close']]);
      const schema = Schema.Compile(JSON.parse(readFileSync('docs/job.schema.json', 'utf8')));
      expect(schema.Check(added?.[2])).toBe(true);
      const parsed = parseJobData(added?.[2]);
      expect(parsed.ok && parsed.data.pairs.length).toBe(500);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('examples/hubspot-sdk.mjs, and the call with curl', async () => {
    const readme = readFileSync('README.md', 'utf8');
    expect(readme).toContain(readFileSync('examples/hubspot-sdk.mjs', 'utf8').trim());
    const gateway = await startGateway({ REDIS_URL: test.url, QUEUE_PREFIX: test.newPrefix() });
    try {
      const env = { PATH: process.env.PATH, GATEWAY_URL: gateway.url };
      const { stdout } = await run(process.execPath, ['examples/hubspot-sdk.mjs'], { env });
      expect(stdout).toMatch(/^PENDING \/requests\/[0-9a-f-]{36}$/m);
      const body = /-d '(.*)'/.exec(readme)?.[1] ?? '';
      const { status } = await gateway.post((JSON.parse(body) as { inputs: unknown }).inputs);
      expect(status).toBe(201);
    } finally {
      await gateway.end('SIGTERM');
    }
  });
});
