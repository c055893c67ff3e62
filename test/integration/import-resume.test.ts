/** An import that is killed or interrupted goes on after its last line, and enqueues every line once: real processes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { RequestReader } from '../../src/shared/state/requests.js';
import { eventually } from '../support/eventually.js';
import { startCommand } from '../support/process.js';
import { useQueue } from '../support/queue.js';
import { pairsInQueue } from '../support/requests.js';

const test = useQueue(import.meta.url);
const directory = mkdtempSync(path.join(tmpdir(), 'import-resume-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const LINES = 150_000;
const file = path.join(directory, 'links.csv');
writeFileSync(
  file,
  `from,to\n${Array.from({ length: LINES }, (_, id) => (id % 10_000 === 7 ? `bad id,${id}` : `${id + 1},7`)).join('\n')}\n`,
);
const GOOD = LINES - LINES / 10_000;
const OPTIONS = ['--from', 'contacts', '--to', 'companies', '--type', 'HUBSPOT_DEFINED:279'];

const enqueue = (...args: string[]) =>
  startCommand('enqueue', { REDIS_URL: test.url, QUEUE_PREFIX: test.prefix }, [], [file, ...args]);
const reader = () => new RequestReader(test.redis, test.keys);
const requestOf = (output: string) => /^request (\S+)$/m.exec(output)?.[1] ?? '';

/** @returns the request, once some of it is enqueued */
async function underWay(child: ReturnType<typeof enqueue>): Promise<string> {
  await eventually(async () => {
    const view = await reader().record(requestOf(child.output()));
    expect(view?.accepted ?? 0).toBeGreaterThan(0);
  });
  return requestOf(child.output());
}

it('kill -9 in the middle: the record has exactly what is in the queue, and --resume enqueues the rest once', async () => {
  const killed = enqueue(...OPTIONS);
  const id = await underWay(killed);
  await killed.end('SIGKILL');
  const record = await reader().record(id);
  expect(record?.accepted).toBeLessThan(GOOD);
  expect((await pairsInQueue(test)).pairs).toBe(record?.accepted);
  // every line up to this one, the header and refused lines among them
  expect((record?.line ?? 0) - 1 - (record?.refusedLines ?? 0)).toBe(record?.accepted);

  const early = enqueue('--resume', id);
  expect(await early.exit()).toBe(2);
  expect(early.output()).toContain('its process still enqueues it, or ended less than 15 s ago');
  await test.redis.hset(test.keys.requests + id, 'enqueueing', Date.now() - 1); // the lease is over
  expect(await reader().read(id)).toMatchObject({ state: 'interrupted', via: 'file', name: 'links.csv' });

  const resumed = enqueue('--resume', id);
  expect(await resumed.exit()).toBe(1); // lines were refused
  expect(requestOf(resumed.output())).toBe(id);
  expect(resumed.output()).toContain(`enqueued ${GOOD} associations in `);
  expect(resumed.output()).toContain(`(${LINES - GOOD} lines refused)`);
  expect(await pairsInQueue(test)).toEqual({ pairs: GOOD, different: GOOD });
  expect(await reader().read(id)).toMatchObject({
    ...{ state: 'open', accepted: GOOD, queued: GOOD, refusedLines: LINES - GOOD },
  });
}, 60_000);

it('Ctrl-C: the last line says how to go on; the same file is pointed out; --resume and --again take it', async () => {
  const stopped = enqueue(...OPTIONS);
  const id = await underWay(stopped);
  stopped.process.kill('SIGINT');
  expect(await stopped.exit()).toBe(3);
  const [, line] =
    /everything up to line (\d+) is enqueued or refused for sure; go on with: (.*)/.exec(stopped.output()) ??
    [];
  expect(stopped.output()).toContain(`enqueue ${file} --resume ${id}`);
  expect((await reader().record(id))?.line).toBe(Number(line));
  expect(await reader().read(id)).toMatchObject({
    state: 'interrupted',
    interrupted: 'interrupted by Ctrl-C',
  });

  const again = enqueue(...OPTIONS);
  expect(await again.exit()).toBe(2);
  expect(again.output()).toMatch(
    new RegExp(`was enqueued before: request ${id} .*interrupted.*--resume ${id}.*--again`),
  );
  const unknown = enqueue('--resume', 'unknown');
  expect(await unknown.exit()).toBe(2);
  expect(unknown.output()).toContain('--resume unknown: there is no such request');
  const other = enqueue('--resume', id, '--from', 'deals');
  expect(await other.exit()).toBe(2);
  expect(other.output()).toContain('other options are given than before');

  const resumed = enqueue('--resume', id);
  expect(await resumed.exit()).toBe(1);
  expect(await pairsInQueue(test)).toEqual({ pairs: GOOD, different: GOOD });
  const twice = enqueue(...OPTIONS, '--again', '--name', 'once more');
  expect(await twice.exit()).toBe(1);
  expect(await reader().read(requestOf(twice.output()))).toMatchObject({ name: 'once more', accepted: GOOD });
}, 60_000);
