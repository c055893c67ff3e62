/** Labels on the command line, as a process, and in the gateway. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { typeText } from '../../src/shared/contract/association.js';
import { parseJobData } from '../../src/shared/contract/job-schema.js';
import { openServer, type ReplyBody, startGateway } from '../support/gateway.js';
import { TOKEN, useRig } from '../support/rig.js';
import { CREATE } from '../support/samples.js';

const rig = useRig(import.meta.url);
const directory = mkdtempSync(path.join(tmpdir(), 'labels-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach(async () => {
  const labels = [
    {
      fromObjectType: 'contacts',
      toObjectType: 'companies',
      category: 'USER_DEFINED' as const,
      typeId: 36,
      label: 'Decision maker',
    },
  ];
  await rig.start({ simulator: { labels } });
});
const labelCalls = () => rig.simulator.ledger.calls.filter(call => call.endpoint === 'labels').length;
const queued = async () => {
  const jobs = (await rig.queue.getJobs()).map(job => parseJobData(job.data));
  return jobs
    .map(job => (job.ok ? `${job.data.types.map(typeText).join('+')} × ${job.data.pairs.length}` : 'bad'))
    .sort();
};
const environment = (token = TOKEN) => ({
  PATH: process.env.PATH,
  REDIS_URL: rig.redisUrl,
  QUEUE_PREFIX: rig.prefix,
  HUBSPOT_BASE_URL: rig.simulator.url,
  ...(token !== '' && { HUBSPOT_ACCESS_TOKEN: token }),
});

describe('association-queue enqueue', () => {
  type Ended = { code: number; out: string; err: string };
  function enqueue(file: string, text: string, args: readonly string[] = [], env = environment()) {
    const place = path.join(directory, file);
    writeFileSync(place, text);
    const command = ['dist/cli.js', 'enqueue', place, '--from', 'contacts', '--to', 'companies', ...args];
    return new Promise<Ended>(resolve => {
      execFile(process.execPath, command, { env, maxBuffer: 2 ** 26 }, (error, out, err) =>
        resolve({ code: Number(error?.code ?? 0), out, err }),
      );
    });
  }

  it('reads labels from a column; unknown ones are refused by line, odd types warned of', async () => {
    const lines = [
      'from,to,label,category,typeId',
      '1,2,Decision maker,,',
      '3,4,,,',
      '5,6,Decision taker,,',
      '7,,Decision maker,,',
      '9,10,,HUBSPOT_DEFINED,280',
      '11,12,decision maker,WORK,1',
    ];
    const { code, out, err } = await enqueue('links.csv', lines.join('\n'));
    expect(code).toBe(1);
    expect(out).toMatch(/\nenqueued 4 associations in 4 jobs \(2 lines refused\)\n$/);
    expect(err.trimEnd().split('\n').sort()).toEqual([
      expect.stringMatching(
        /^line 4: label: "Decision taker" is not a label .*did you mean "Decision maker"\?/,
      ),
      'line 5: to: "" is not a record id',
      expect.stringMatching(/^warning: HUBSPOT_DEFINED:280 is from companies to contacts/),
    ]);
    expect(await queued()).toEqual([
      'HUBSPOT_DEFINED:279 × 1',
      'HUBSPOT_DEFINED:280 × 1',
      'USER_DEFINED:36 × 1',
      'WORK:1+USER_DEFINED:36 × 1',
    ]);
    expect(labelCalls()).toBe(1);
  });

  it('takes --label for lines that say nothing, spends one call on a file of wrong labels, and enqueues nothing with --strict', async () => {
    const text = `${'{"from":1,"to":2,"label":"wrong"}\n'.repeat(10_000)}{"from":1,"to":2}\n{"from":1,"to":2,"types":["WORK:1"]}\n`;
    const strict = await enqueue('links.ndjson', text, ['--label', 'Decision maker', '--strict']);
    expect([strict.code, strict.out]).toEqual([
      1,
      'enqueued 0 associations in 0 jobs (10000 lines refused)\n',
    ]);
    expect(await queued()).toEqual([]);
    const { code, out } = await enqueue('links.ndjson', text, ['--label', 'Decision maker']);
    expect(code).toBe(1);
    expect(out).toMatch(/\nenqueued 2 associations in 2 jobs \(10000 lines refused\)\n$/);
    expect(await queued()).toEqual(['USER_DEFINED:36 × 1', 'WORK:1 × 1']);
    expect(labelCalls()).toBe(1);
  });

  it('says from which line to go on and exits 3 when HubSpot is away, and 1 when a label needs a token', async () => {
    rig.simulator.script({ kind: 'status', status: 503, match: { endpoint: 'labels' } });
    const away = await enqueue('away.csv', 'from,to,label\n1,2,\n3,4,Decision maker\n');
    expect(away.code).toBe(3);
    expect(away.err).toMatch(
      /^the labels from contacts to companies cannot be looked up: 503 from HubSpot.*\nnothing is enqueued yet; go on with: association-queue enqueue \S+ --resume \S+\n$/,
    );
    const without = await enqueue('away.csv', 'from,to,label\n1,2,\n3,4,Chef\n', [], environment(''));
    expect(without.code).toBe(1);
    expect(without.err).toMatch(/^line 3: label: .*set HUBSPOT_ACCESS_TOKEN/);
    expect(`${away.err}${away.out}`).not.toContain(TOKEN);
    const [, id = ''] = /--resume (\S+)/.exec(away.err) ?? [];
    const resumed = await enqueue('away.csv', 'from,to,label\n1,2,\n3,4,Decision maker\n', ['--resume', id]);
    expect(resumed).toMatchObject({ code: 0, err: '' }); // at once: the record says that nobody enqueues it
    expect(await queued()).toEqual([
      'HUBSPOT_DEFINED:279 × 1',
      'HUBSPOT_DEFINED:279 × 1',
      'USER_DEFINED:36 × 1',
    ]);
  });
});

describe('the gateway', () => {
  const inputOf = (id: number, more: object = {}) => ({ from: { id }, to: { id }, ...more });
  const reversed = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 280 }];

  it('takes labels and inputs without types, warns in a header and once in the log, and refuses unknown labels', async () => {
    const gateway = await startGateway({ ...environment(), PATH: process.env.PATH ?? '' });
    try {
      const inputs = [inputOf(1, { label: 'Decision maker' }), inputOf(2), inputOf(3, { types: reversed })];
      for (let time = 0; time < 2; time++) {
        const accepted = await gateway.post(inputs);
        expect(accepted.status).toBe(201);
        expect(accepted.headers.get('x-association-warnings')).toMatch(
          /^HUBSPOT_DEFINED:280 is from companies/,
        );
      }
      expect((await gateway.post([inputOf(1)])).headers.has('x-association-warnings')).toBe(false);
      expect(gateway.output().match(/"event":"type"/g)).toHaveLength(1);
      const before = await queued();
      const refused = await gateway.post([inputOf(1), inputOf(2, { label: 'Decision makr' })]);
      expect(refused.status).toBe(400);
      expect(refused.body.errors).toEqual([
        {
          in: 'inputs[1].label',
          message: expect.stringMatching(/^inputs\[1\]\.label: .*did you mean "Decision maker"\?/),
        },
      ]);
      expect(await queued()).toEqual(before);
      expect(labelCalls()).toBe(1);
    } finally {
      await gateway.end('SIGTERM');
    }
  });

  it('answers 503 with Retry-After when HubSpot cannot be asked, and enqueues nothing', async () => {
    rig.simulator.script({ kind: 'status', status: 429, match: { endpoint: 'labels' } });
    const hubspot = { accessToken: TOKEN, baseUrl: rig.simulator.url };
    const server = await openServer(rig.redisUrl, rig.prefix, { hubspot });
    const inputs = [inputOf(1), inputOf(2, { label: 'Decision maker' })];
    const response = await server.app.inject({ method: 'POST', url: CREATE, payload: { inputs } });
    expect(response.statusCode).toBe(503);
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(5);
    expect(response.json<ReplyBody>()).toMatchObject({
      category: 'SERVICE_UNAVAILABLE',
      message: expect.stringContaining('429 from HubSpot'),
    });
    expect(await queued()).toEqual([]);
    await server.close();
  });

  it('spends one call on 50,000 inputs with labels', async () => {
    const hubspot = { accessToken: TOKEN, baseUrl: rig.simulator.url };
    const server = await openServer(rig.redisUrl, rig.prefix, { hubspot });
    const inputs = Array.from({ length: 50_000 }, (_, id) =>
      inputOf(id, id % 2 ? { label: 'Decision maker' } : {}),
    );
    const response = await server.app.inject({ method: 'POST', url: CREATE, payload: { inputs } });
    expect(response.statusCode).toBe(201);
    expect(labelCalls()).toBe(1);
    expect(await queued()).toHaveLength(100);
    await server.close();
  });
});
