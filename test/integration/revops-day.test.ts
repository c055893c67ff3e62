/**
 * A day of somebody who has an export of HubSpot and a spreadsheet, with real processes: dry run, repair, import, Ctrl-C
 * half-way, resume, wait, export of the rejected lines with their own columns, repair, import again. Every count is exact,
 * and every association is created once.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { RequestReader } from '../../src/shared/state/requests.js';
import { eventually } from '../support/eventually.js';
import { startCommand } from '../support/process.js';
import { useRig } from '../support/rig.js';

const rig = useRig(import.meta.url);
const directory = mkdtempSync(path.join(tmpdir(), 'day-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const LINES = 100_000;
const IDS_PER_LINE = 3;
const ASSOCIATIONS = LINES * IDS_PER_LINE;
const FIRST_CONTACT = 100_000_000_001;
const FIRST_COMPANY = 500_000_001;
/** Companies that HubSpot does not have (any more). */
const MISSING = 880;
const STEP = Math.floor(ASSOCIATIONS / MISSING);

const contact = (line: number) => String(FIRST_CONTACT + line);
const company = (n: number) => String(FIRST_COMPANY + n);
const missing = Array.from({ length: MISSING }, (_, n) => company(n * STEP));
/** The n-th missing company, after somebody has looked up its new id. */
const renewed = (n: number) => String(900_000_001 + n);
const renewedIds = new Map(missing.map((id, n) => [id, renewed(n)]));
/** Lines whose contact a spreadsheet has rounded. */
const ROUNDED = [11, 50_000, LINES - 1];

function exported(idOf: (line: number) => string): string {
  const lines = ['"Record ID";"First Name";"Associated Company IDs"'];
  for (let line = 0; line < LINES; line++) {
    const companies = [0, 1, 2].map(n => company(line * IDS_PER_LINE + n)).join(';');
    lines.push(`"${idOf(line)}";"Ann ""${line}""";"${companies}"`);
  }
  return `\uFEFF${lines.join('\r\n')}\r\n`;
}
const file = path.join(directory, 'contacts.csv');
const ARGS = [file, '--from', 'contacts', '--to', 'companies'];

type Ran = { readonly code: number | string; readonly out: string; readonly err: string };
/** Runs a command to its end. */
const run = (...args: readonly string[]): Promise<Ran> =>
  new Promise(resolve => {
    const env = { PATH: process.env.PATH, ...rig.place };
    const options = { env, maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, ['dist/cli.js', ...args], options, (error, out, err) =>
      resolve({ code: error?.code ?? 0, out, err }),
    );
  });
const show = async (id: string) => JSON.parse((await run('requests', 'show', id, '--json')).out);
const idOf = (printed: string) => /^request (\S+)$/m.exec(printed)?.[1] ?? '';

it('A file with Excel ids is tried, repaired, interrupted, resumed, and its rejected lines are repaired and enqueued again', async () => {
  await rig.start({ ownRedis: true, simulator: { missing } });

  // the dry run finds the rounded ids and enqueues nothing
  writeFileSync(
    file,
    exported(line => (ROUNDED.includes(line) ? '1.01E+11' : contact(line))),
  );
  const tried = await run('enqueue', ...ARGS, '--dry-run');
  expect(tried.code).toBe(1);
  expect(tried.err).toContain('Excel has rounded this id: format the column as text and export again');
  expect(tried.out).toContain(`${ASSOCIATIONS - 3 * IDS_PER_LINE} associations`);
  const requests = new RequestReader(rig.redis, rig.keys);
  expect([await rig.queue.getWaitingCount(), (await requests.list()).requests]).toEqual([0, []]);

  // the repaired file, interrupted half-way
  writeFileSync(file, exported(contact));
  const importing = startCommand('enqueue', { ...rig.place }, [], ARGS);
  await eventually(async () => {
    const [request] = (await requests.list()).requests;
    expect(request?.accepted).toBeGreaterThan(0);
  });
  await rig.redis.client('PAUSE', 500, 'WRITE'); // it cannot end before the signal
  expect(await importing.end('SIGINT')).toBe(3);
  const id = idOf(importing.output());
  expect(importing.output()).toContain(`--resume ${id}`);
  const half = await show(id);
  expect(half).toMatchObject({ state: 'interrupted', via: 'file', name: 'contacts.csv', created: 0 });
  expect(half.accepted).toBeGreaterThan(0);
  expect(half.accepted).toBeLessThan(ASSOCIATIONS);
  expect(half.queued).toBe(half.accepted);

  // the same file again is pointed out; --resume goes on from where it stopped
  expect((await run('enqueue', ...ARGS)).err).toContain(id);
  const resumed = await run('enqueue', ...ARGS, '--resume', id);
  expect(resumed).toMatchObject({ code: 0 });
  expect(await show(id)).toMatchObject({ state: 'open', accepted: ASSOCIATIONS, queued: ASSOCIATIONS });

  rig.startWorker();
  expect((await run('requests', 'wait', id)).code).toBe(1);
  expect(await show(id)).toMatchObject({
    ...{
      state: 'done',
      accepted: ASSOCIATIONS,
      created: ASSOCIATIONS - MISSING,
      rejected: MISSING,
      queued: 0,
    },
    rejections: [{ count: MISSING }],
  });

  // the rejected lines have their own columns, each with the ids that were rejected only
  const { out: rejected } = await run('requests', 'export', id);
  const again = path.join(directory, 'again.csv');
  const [header = '', ...lines] = rejected
    .replace(/^\uFEFF/, '')
    .trimEnd()
    .split(/\r?\n/);
  expect(header).toContain('Record ID');
  expect(header).toContain('First Name');
  expect(lines).toHaveLength(MISSING);
  let repaired = rejected;
  for (const [old, fresh] of renewedIds)
    repaired = repaired.replace(new RegExp(`"?${old}"?(?=[;,\\r\\n])`), fresh);
  writeFileSync(again, repaired);
  const second = await run('enqueue', again, ...ARGS.slice(1));
  expect(second).toMatchObject({ code: 0 });
  expect(second.out).toContain(`enqueued ${MISSING} associations`);
  expect((await run('requests', 'wait', idOf(second.out))).code).toBe(0);

  const { ledger } = rig.simulator;
  expect(ledger.createdCount()).toBe(ASSOCIATIONS);
  expect(ledger.duplicates).toBe(0);
  expect(await rig.totals()).toMatchObject({ created: ASSOCIATIONS, rejected: MISSING });
});
