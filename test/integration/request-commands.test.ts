/** A request as a person follows it, with real processes: enqueue, wait, show, export, repair, enqueue again, retry. */
import { execFile } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { startCommand } from '../support/process.js';
import { useRig } from '../support/rig.js';

const rig = useRig(import.meta.url);
const directory = mkdtempSync(path.join(tmpdir(), 'requests-'));
afterAll(() => rmSync(directory, { recursive: true }));

type Ended = { status: number; stdout: string; stderr: string };

/** Runs a command to its end. */
const run = (...args: string[]): Promise<Ended> =>
  new Promise(resolve => {
    const env = { PATH: process.env.PATH, ...rig.place };
    execFile(process.execPath, ['dist/cli.js', ...args], { env }, (error, stdout, stderr) =>
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
  });
const requests = (...args: string[]) => run('requests', ...args);

function fileWith(name: string, text: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  return file;
}
const idIn = ({ stdout }: Ended): string => /^request (\S+)$/m.exec(stdout)?.[1] ?? '';
const OPTIONS = ['--from', 'contacts', '--to', 'companies', '--type', 'HUBSPOT_DEFINED:279'];

/** 40 lines, of which HubSpot refuses 3. */
function links(): string {
  const line = (at: number) => `${at % 15 === 7 ? 999_000_000 + at : 1_000 + at};Person ${at};${5_000 + at}`;
  return ['Record ID;Name;Company', ...Array.from({ length: 40 }, (_, at) => line(at)), ''].join('\n');
}
const COLUMNS = ['--from-column', 'Record ID', '--to-column', 'Company'];

describe('a request from a file', () => {
  test('is followed to its end, its rejected lines are exported, repaired and enqueued again', async () => {
    await rig.start();
    const file = fileWith('links.csv', links());
    const enqueued = await run('enqueue', file, ...OPTIONS, ...COLUMNS);
    const id = idIn(enqueued);
    expect([enqueued.status, id]).toEqual([0, expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    const start = id.slice(0, 8);

    const early = await requests('wait', start, '--timeout', '1');
    expect(early).toMatchObject({
      status: 3,
      stdout: `request ${id} open: created 0, rejected 0, cancelled 0, queued 40\n`,
    });
    expect(early.stderr).toContain('No worker is alive while 40 wait');
    expect(early.stderr).toContain('time is up: the request goes on without this command');

    rig.startWorker();
    const waited = await requests('wait', start, '--timeout', '30');
    expect(waited).toMatchObject({
      status: 1,
      stdout: `request ${id} done: created 37, rejected 3, cancelled 0\n`,
    });
    const shown = await requests('show', start, '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({
      ...{ id, name: 'links.csv', account: 'default', via: 'file', state: 'done', refusedLines: 0 },
      ...{ accepted: 40, created: 37, rejected: 3, cancelled: 0, queued: 0 },
      rejections: [{ category: 'OBJECT_NOT_FOUND', count: 3 }],
    });
    const [listed] = JSON.parse((await requests('list', '--state', 'done', '--json')).stdout);
    expect(listed).toMatchObject({ id, name: 'links.csv', created: 37 });

    const moved = path.join(directory, 'moved.csv');
    renameSync(file, moved);
    const lost = await requests('export', start);
    expect([lost.status, lost.stdout]).toEqual([2, '']);
    expect(lost.stderr).toContain('--file says where it is now');
    const exported = await requests('export', start, '--file', moved);
    expect([exported.status, exported.stdout.split('\n')]).toEqual([
      0,
      [
        'line;error;Record ID;Name;Company',
        expect.stringMatching(/^9;.*OBJECT_NOT_FOUND.*;999000007;Person 7;5007$/),
        expect.stringMatching(/^24;.*;999000022;Person 22;5022$/),
        expect.stringMatching(/^39;.*;999000037;Person 37;5037$/),
        '',
      ],
    ]);
    expect(exported.stderr).toContain('exported 3 rejected associations with the columns of');

    const repaired = fileWith('repaired.csv', exported.stdout.replaceAll(/;999000/g, ';100'));
    const again = await run('enqueue', repaired, ...OPTIONS, ...COLUMNS, '--wait');
    expect([again.status, again.stderr]).toEqual([0, expect.not.stringContaining('not read: "error"')]);
    expect(again.stdout).toMatch(/^request \S+ done: created 3, rejected 0, cancelled 0$/m);
    expect(rig.simulator.ledger.createdCount()).toBe(40);

    const failures = await run('failures', 'list', '--request', start, '--json');
    expect(JSON.parse(failures.stdout)).toMatchObject({ associations: 3 });

    const retried = await requests('retry', start);
    expect(retried).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Put back .* 3 associations/),
    });
    expect(await requests('wait', id)).toMatchObject({ status: 1, stdout: waited.stdout });
    expect((await requests('show', id)).stdout).toMatch(/requests export .*\n.*requests retry /);

    // what is discarded can be neither exported nor retried, and nothing offers it
    const filter = ['--request', start, '--category', 'OBJECT_NOT_FOUND', '--yes'];
    expect((await run('failures', 'discard', ...filter)).stdout).toMatch(/^Discarded 3 associations/);
    const after = (await requests('show', id)).stdout;
    expect(after).toMatch(/rejected +3 +3 of them discarded$/m);
    expect(after).not.toContain('association-queue');
    expect((await requests('export', start, '--file', moved)).stderr).toBe(
      'nothing to export\n3 more were rejected and discarded\n',
    );
    expect((await requests('retry', start)).stdout).toBe(
      'Nothing to retry.\n3 more were rejected and discarded.\n',
    );
    const unknown = await requests('list', '--after', 'nobody');
    expect([unknown.status, unknown.stdout]).toEqual([2, '']);
    expect((await requests('list', '--after', start)).stdout).not.toContain(start);
  });

  test('is found by the beginning of its id by every command, and what is unknown is said', async () => {
    await rig.start();
    rig.startWorker();
    const id = idIn(await run('enqueue', fileWith('found.csv', links()), ...OPTIONS, ...COLUMNS, '--wait'));
    const start = id.slice(0, 4);
    const listed = await run('failures', 'list', '--request', start, '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject({ associations: 3 });
    expect((await run('failures', 'export', '--request', start)).stderr).toMatch(/^exported 3 associations/);

    const wrong = await run('failures', 'retry', '--request', start, '--category', 'OBJECT_NOTFOUND');
    expect(wrong.stdout).toBe(
      'Nothing to retry: no rejection has the category OBJECT_NOTFOUND: did you mean OBJECT_NOT_FOUND?\n',
    );
    const other = await run('failures', 'list', '--category', 'TIMEOUT');
    expect(other.stdout).toMatch(/no rejection has the category TIMEOUT; there are OBJECT_NOT_FOUND\.\n$/);

    const nobody = /there is no request "zz".* requests list shows them\. .*only its whole id finds/;
    for (const verb of ['list', 'export', 'retry', 'discard']) {
      const yes = verb === 'discard' ? ['--yes'] : [];
      const unknown = await run('failures', verb, '--request', 'zz', ...yes);
      expect([verb, unknown.status, unknown.stdout]).toEqual([verb, 2, '']);
      expect(unknown.stderr).toMatch(nobody);
    }
    expect((await requests('show', 'zz')).stderr).toMatch(nobody);
    const whole = await requests('show', id.replace(/^.{8}/, '00000000'));
    expect(whole.stderr).not.toContain('whole id');

    // rejections outlive the record of their request
    await rig.redis.del(rig.keys.requests + id);
    await rig.redis.zrem(rig.keys.requestList, id);
    const left = await run('failures', 'list', '--request', id, '--json');
    expect(JSON.parse(left.stdout)).toMatchObject({ associations: 3 });
  });

  test('is waited for while Redis is away; Ctrl-C ends the wait and not the request', async () => {
    await rig.start({ ownRedis: true });
    const file = fileWith('away.csv', links());
    const id = idIn(await run('enqueue', file, ...OPTIONS, ...COLUMNS));
    const [one, other] = [1, 2].map(() => startCommand('requests', rig.place, [], ['wait', id]));
    await eventually(() => {
      for (const wait of [one, other]) expect(wait?.output()).toContain('  open  accepted 40 ');
    });
    expect(await one?.end('SIGINT')).toBe(3);
    expect(one?.output()).toContain('interrupted: the request goes on without this command');

    await rig.server.kill();
    await eventually(() => expect(other?.output()).toMatch(/Redis at .* cannot be used: .*; trying again/));
    await rig.server.startAgain();
    rig.startWorker();
    expect(await other?.exit()).toBe(1);
    expect(other?.output()).toContain(`request ${id} done: created 37, rejected 3, cancelled 0`);
  });
});
