/** `npm run demo` at a small size: it ends with the right line, and however it ends it leaves nothing behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis.js';

const script = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url));
const { url, redis } = useRedis(import.meta.url);
let temporary: string;
let child: ChildProcess;

beforeEach(() => {
  temporary = mkdtempSync(path.join(os.tmpdir(), 'demo-test-'));
});
afterEach(() => {
  child.kill('SIGKILL');
  rmdirSync(temporary); // throws if it is not empty
});

function startDemo() {
  child = spawn(process.execPath, [script, '--associations', '4000'], {
    env: { PATH: process.env.PATH, REDIS_URL: url, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const demo = {
    output: '',
    pid: child.pid,
    /** also of its child processes, which share its pipes */
    code: new Promise(resolve => child.once('close', resolve)),
  };
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', text => {
      demo.output += text;
    });
  return demo;
}

const keys = (pid: number | undefined) => redis.keys(`demo-${pid}-*`);

test('the demo ends with the sum of all associations and leaves nothing behind', async () => {
  const demo = startDemo();
  const code = await demo.code;
  // the whole output first, because it says which check of the demo failed
  expect(demo.output).not.toMatch(/FAIL/);
  expect(demo.output).toMatch(/\naccepted 4000 = created (\d+) \+ rejected (\d+) \+ queued 0\n$/);
  expect(code).toBe(0);
  expect(await keys(demo.pid)).toEqual([]);
});

test('the demo leaves nothing behind when Ctrl-C ends it', async () => {
  const demo = startDemo();
  await eventually(() => expect(demo.output).toMatch(/lines refused/));
  const directory = readdirSync(temporary)[0] ?? '';
  expect(readdirSync(path.join(temporary, directory))).toContain('worker-2.log');
  expect(await keys(demo.pid)).not.toEqual([]);
  child.kill('SIGINT');
  expect(await demo.code).toBe(130);
  expect(await keys(demo.pid)).toEqual([]);
});
