/** `association-queue enqueue FILE`, from the file to Redis. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { EnqueueOptions } from '../../src/producer/import/options.js';
import { runEnqueue } from '../../src/producer/main.js';
import { ConfigError } from '../../src/shared/contract/errors.js';
import { useRedis } from '../support/redis.js';

const test = useRedis(import.meta.url);
const directory = mkdtempSync(path.join(tmpdir(), 'enqueue-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const place = path.join(directory, name);
  writeFileSync(place, text);
  return place;
}
async function run(
  options: EnqueueOptions,
  stdin = '',
  redisUrl = test.url,
  queuePrefix = test.newPrefix(),
  signal?: AbortSignal,
) {
  const said = { out: '', err: '' };
  const sink = (key: 'out' | 'err') =>
    ({
      write(text: string) {
        said[key] += text;
        return true;
      },
    }) as unknown as NodeJS.WriteStream;
  const terminal = { stdin: Readable.from([Buffer.from(stdin)]), stdout: sink('out'), stderr: sink('err') };
  const { code } = await runEnqueue({ redisUrl, queuePrefix }, options, terminal, signal);
  // first comes the id of the request, if there is one
  const [, requestId, out = ''] = /^(?:request (\S+)\n)?([\s\S]*)$/.exec(said.out) ?? [];
  return { code, out, err: said.err, requestId, jobs: await queued() };
}
async function queued(): Promise<unknown[]> {
  const key = `${test.prefix}:hubspot-associations`;
  const ids = (await test.redis.lrange(`${key}:wait`, 0, -1)).reverse();
  return Promise.all(
    ids.map(async id => JSON.parse((await test.redis.hget(`${key}:${id}`, 'data')) ?? 'null')),
  );
}
const ONE_CALL = '1 call to HubSpot, a few seconds at the quota (100 calls in 10 s)\n';
const OPTIONS = { from: 'contacts', to: 'companies', type: ['HUBSPOT_DEFINED:279'] };

describe('enqueue', () => {
  it('enqueues a CSV file and reports it', async () => {
    const place = file(
      'good.csv',
      '\uFEFFfrom,to,category,typeId\r\n101,202,,\r\n103,204,USER_DEFINED,36\r\n',
    );
    const { code, out, err, jobs } = await run({ file: place, ...OPTIONS, source: 'crm-import' });
    expect({ code, out, err }).toEqual({
      code: 0,
      out: `${ONE_CALL}enqueued 2 associations in 2 jobs (0 lines refused)\n`,
      err: '',
    });
    expect(jobs).toEqual([
      {
        version: 1,
        fromObjectType: 'contacts',
        toObjectType: 'companies',
        types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
        pairs: [['101', '202']],
        source: 'crm-import',
        requestId: expect.any(String),
      },
      expect.objectContaining({
        types: [{ associationCategory: 'USER_DEFINED', associationTypeId: 36 }],
        pairs: [['103', '204']],
      }),
    ]);
  });

  it('lists refused lines, enqueues the others, and exits 1', async () => {
    const place = file(
      'bad.jsonl',
      '{"from":1,"to":2}\n\nnonsense\n{"from":9007199254740993,"to":2}\n{"from":3,"to":4}',
    );
    const { code, out, err, jobs } = await run({ file: place, ...OPTIONS });
    expect(code).toBe(1);
    expect(out).toBe(`${ONE_CALL}enqueued 2 associations in 1 jobs (2 lines refused)\n`);
    expect(err.split('\n')).toEqual([
      expect.stringMatching(/^line 3: not JSON/),
      expect.stringMatching(/^line 4: from: 9007199254740993 .* give the id as a string$/),
      '',
    ]);
    expect(jobs).toMatchObject([
      {
        pairs: [
          ['1', '2'],
          ['3', '4'],
        ],
      },
    ]);
  });

  it.each([false, true])('reads NDJSON from stdin (strict: %s)', async strict => {
    const before = readdirSync(tmpdir()).filter(name => name.startsWith('association-queue-'));
    const line =
      '{"from":"1","to":"2","types":["WORK:5"],"fromObjectType":"0-1","toObjectType":"0-2","error":{}}\n';
    const { code, out, jobs } = await run({ file: '-', strict }, line);
    expect([code, out]).toEqual([0, `${ONE_CALL}enqueued 1 associations in 1 jobs (0 lines refused)\n`]);
    expect(jobs).toMatchObject([{ fromObjectType: '0-1', toObjectType: '0-2', pairs: [['1', '2']] }]);
    const after = readdirSync(tmpdir()).filter(name => name.startsWith('association-queue-'));
    expect(after.filter(name => !before.includes(name) && !name.includes('redis'))).toEqual([]);
  });

  it('--strict refuses all when any line is bad', async () => {
    const place = file('strict.csv', 'from,to\n1,2\n3,\n');
    const { code, out, err, jobs } = await run({ file: place, ...OPTIONS, strict: true });
    expect([code, out]).toEqual([1, 'enqueued 0 associations in 0 jobs (1 lines refused)\n']);
    expect(err).toBe('line 3: to: "" is not a record id\n');
    expect(jobs).toEqual([]);
  });

  it('lists all problems of the options and the file at once', async () => {
    const missing = path.join(directory, 'missing.md');
    const bad = { from: 'a/b', to: '', type: ['WORK', 'X:1'], label: ' ', source: 'x'.repeat(201) };
    const options = { file: missing, ...bad };
    const error = await run(options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).problems).toEqual([
      expect.stringContaining('--from "a/b"'),
      expect.stringContaining('--to ""'),
      expect.stringContaining('--label " " is empty'),
      expect.stringContaining('--type "WORK"'),
      expect.stringContaining('--type "X:1"'),
      expect.stringContaining('--source'),
      expect.stringContaining('missing.md: the name must end in .csv, .tsv, .txt, .ndjson, .jsonl'),
      expect.stringContaining('missing.md does not exist'),
    ]);
  });

  it('a dry run says what would be enqueued, without Redis, and writes the refused lines', async () => {
    const place = file(
      'export.csv',
      '"Record ID";"Associated Company IDs"\r\n51;"8801;8802"\r\n1.01E+11;7\r\n52.0;8803\r\n53;\r\n',
    );
    const refused = path.join(directory, 'refused.csv');
    const options = { file: place, from: 'contacts', fixIds: true, refused, dryRun: true };
    const { code, out, err, jobs } = await run(options, '', 'redis://127.0.0.1:1');
    expect([code, jobs]).toEqual([1, []]);
    expect(out.split('\n')).toEqual([
      'dry run: nothing is enqueued',
      '3 associations in 2 lines (1 line refused)',
      'contacts → companies, HUBSPOT_DEFINED:279 (unlabelled): 3 associations',
      '1 call to HubSpot, a few seconds at the quota (100 calls in 10 s)',
      '',
    ]);
    expect(err.split('\n')).toEqual([
      'warning: reading from contacts in "Record ID" to companies in "Associated Company IDs"',
      'warning: 1 id repaired (--fix-ids): "52.0" as 52',
      'warning: 1 line has no associated record and is skipped',
      'line 3: from: "1.01E+11": Excel has rounded this id: format the column as text and export again',
      expect.stringMatching(
        /^warning: nobody knows whether the file was enqueued before: Redis at redis:\/\/127\.0\.0\.1:1 is away/,
      ),
      '',
    ]);
    expect(readFileSync(refused, 'utf8').split('\n')).toEqual([
      'line;error;Record ID;Associated Company IDs',
      expect.stringMatching(/^3;"from: .*";1.01E\+11;7$/),
      '',
    ]);
  });

  it('a dry run warns of types that look wrong, and says which label it cannot look up', async () => {
    const wrong = file('wrong.csv', 'from,to,category,typeId\n1,2,HUBSPOT_DEFINED,280\n');
    const warned = await run({ file: wrong, ...OPTIONS, dryRun: true });
    expect(warned.code).toBe(0);
    expect(warned.err).toMatch(
      /^warning: HUBSPOT_DEFINED:280 is from companies to contacts, not from contacts/,
    );
    const labelled = file('labelled.csv', 'from,to,label\n1,2,\n3,4,Chef\n');
    const stopped = await run({ file: labelled, ...OPTIONS, dryRun: true }, '', 'redis://127.0.0.1:1');
    expect(stopped.code).toBe(3);
    expect(stopped.err).toMatch(/^warning: stopped after line 0: the labels .* cannot be looked up: Redis/m);
  });

  it('a dry run says that the file was enqueued before, as the import would', async () => {
    const place = file('twice.csv', 'from,to\n1,2\n');
    const prefix = test.newPrefix();
    const options = { file: place, ...OPTIONS };
    const dry = { ...options, dryRun: true };
    expect(await run(dry, '', test.url, prefix)).toMatchObject({ code: 0, err: '' });
    const { requestId } = await run(options, '', test.url, prefix);
    const before = `warning: ${place} was enqueued before: request ${requestId} of `;
    const told = await run(dry, '', test.url, prefix);
    expect([told.code, told.err]).toEqual([1, expect.stringContaining(before)]);
    expect(told.err).toMatch(/; if it is meant to be enqueued again, add --again\n$/);
    const again = await run({ ...dry, again: true }, '', test.url, prefix);
    expect([again.code, again.err]).toEqual([0, expect.stringMatching(/1 queued\)\n$/)]);
    expect(await run({ ...dry, type: ['WORK:1'] }, '', test.url, prefix)).toMatchObject({ code: 0, err: '' });
  });

  it('a file is the same whether its options are given or guessed, for the import and for a dry run', async () => {
    const place = file('guessed.csv', 'contact_id,company_id,note\n1,2,\n');
    const prefix = test.newPrefix();
    const { code, requestId } = await run({ file: place }, '', test.url, prefix);
    expect(code).toBe(0);
    const before = `${place} was enqueued before: request ${requestId} of `;
    const given: EnqueueOptions = { file: place, from: 'contact', to: '0-2', type: ['HUBSPOT_DEFINED:279'] };
    const more = { toColumn: 'company_id', ignoreColumn: ['note'], delimiter: ',', encoding: 'utf8' };
    for (const options of [
      { file: place, from: 'contacts', to: 'companies' },
      given,
      { ...given, ...more },
    ]) {
      const told = await run({ ...options, dryRun: true }, '', test.url, prefix);
      expect([told.code, told.err]).toEqual([1, expect.stringContaining(before)]);
      await expect(run(options, '', test.url, prefix)).rejects.toThrow(before);
    }
    const others = [{ type: ['WORK:1'] }, { from: 'deals', fromColumn: 'contact_id' }, { fixIds: true }];
    for (const other of others) {
      const told = await run({ ...given, ...other, dryRun: true }, '', test.url, prefix);
      expect([told.code, told.err]).toEqual([0, expect.not.stringContaining('enqueued before')]);
    }
  });

  it('--resume refuses options that it would ignore', async () => {
    const options = { file: file('resume.csv', 'from,to\n1,2\n'), resume: 'r', name: 'x', source: 'crm' };
    const error = await run({ ...options, priority: 'high', dryRun: true }).catch(
      (reason: unknown) => reason,
    );
    expect((error as ConfigError).problems).toEqual([
      '--dry-run tells nothing of what a --resume would do: leave one of them out',
      ...['name', 'source', 'priority'].map(
        name => `--${name} cannot change with --resume: leave it out, the request has its own`,
      ),
    ]);
  });

  it('that is told to stop enqueues nothing more and exits 3, also while it checks or tries', async () => {
    const options = { file: file('stop.csv', 'from,to\n1,2\n'), ...OPTIONS };
    const stop = AbortSignal.abort('stopped by SIGTERM');
    for (const more of [{}, { strict: true }, { dryRun: true }]) {
      const stopped = await run({ ...options, ...more }, '', test.url, test.newPrefix(), stop);
      expect([stopped.code, stopped.jobs]).toEqual([3, []]);
      expect(stopped.err).toContain('stopped by SIGTERM');
      expect(stopped.err).not.toContain('--resume');
    }
  });

  it('reads CSV from standard input in an encoding that it is told', async () => {
    const options = { file: '-', format: 'csv', encoding: 'latin1', delimiter: ';', ...OPTIONS };
    const { code, jobs } = await run(options, 'Straße;from;to\n;1;2\n');
    expect(code).toBe(0);
    expect(jobs).toMatchObject([{ pairs: [['1', '2']] }]);
  });

  it('options that say nothing about the file, and files that are none, are problems', async () => {
    const place = file('some.ndjson', '{"from":1,"to":2}\n');
    const bad = { delimiter: 'ab', encoding: 'klingon', toColumn: 'x', format: 'xml', refused: place };
    const error = await run({ file: place, ...bad, from: 'compnies' }).catch((reason: unknown) => reason);
    expect((error as ConfigError).problems).toEqual([
      expect.stringContaining('--from "compnies" is not an object type'),
      '--delimiter "ab" is not one character (such as ; or tab)',
      '--encoding "klingon" is not an encoding (such as utf-8, utf-16le, latin1, windows-1252)',
      '--format "xml" is not one of csv, ndjson',
      '--refused names the file that is read: give another one',
      '--delimiter is for CSV only',
      '--to-column is for CSV only',
    ]);
    const workbook = await run({ file: file('a.xlsx', 'PK') }).catch((reason: unknown) => reason);
    expect((workbook as ConfigError).problems).toEqual([
      expect.stringMatching(/a\.xlsx is a workbook: save the sheet as "CSV UTF-8"$/),
    ]);
  });

  it('asks for the options that the file makes necessary', async () => {
    const place = file('bare.csv', 'from,to,toObjectType\n1,2,deals\n');
    const error = await run({ file: place }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).problems).toEqual([expect.stringMatching(/^--from is missing/)]);
  });
});

const onLinux = existsSync('/proc/self/status') ? it : it.skip;
onLinux('a million lines on standard input take less than 200 MB', async () => {
  const LINES = 1_000_000;
  const AT_ONCE = 1_000;
  const args = ['dist/cli.js', 'enqueue', '-', '--from', 'contacts', '--to', 'companies', '--type', 'WORK:1'];
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, REDIS_URL: test.url, QUEUE_PREFIX: test.newPrefix() },
  });
  const exited = once(child, 'exit');
  let said = '';
  child.stdout.on('data', chunk => {
    said += chunk;
  });
  let peakKb = 0;
  for (let first = 0; first < LINES; first += AT_ONCE) {
    const lines = Array.from({ length: AT_ONCE }, (_, at) => {
      return `{"from":"${100_000_001 + first + at}","to":"${500_000_001 + first + at}"}\n`;
    });
    if (!child.stdin.write(lines.join(''))) await once(child.stdin, 'drain');
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    peakKb = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
  }
  child.stdin.end();
  expect(await exited).toEqual([0, null]);
  expect(said.replace(/^request \S+\n/, '')).toBe(
    '500 calls to HubSpot, about 50 s at the quota (100 calls in 10 s)\nenqueued 1000000 associations in 2000 jobs (0 lines refused)\n',
  );
  expect(peakKb).toBeGreaterThan(40_000);
  expect(peakKb).toBeLessThan(200_000);
});
