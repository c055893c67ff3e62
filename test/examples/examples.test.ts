/** The README's snippets are these files, and they run. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import { parseJobData } from '../../src/shared/association.js';
import { queueName } from '../../src/shared/queue.js';
import { startGateway } from '../support/gateway.js';
import { useRedis } from '../support/redis.js';

const test = useRedis(import.meta.url);
const run = promisify(execFile);

describe('examples of the README', () => {
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
