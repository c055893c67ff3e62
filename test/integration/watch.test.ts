/** `stats --watch` on a real terminal: util-linux's `script` gives it one. Where that is missing, this is skipped. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { JOB_NAME } from '../../src/shared/contract/keys.js';
import { eventually } from '../support/eventually.js';
import { useQueue } from '../support/queue.js';
import { contactsToCompanies, goodPairs } from '../support/samples.js';

const on = useQueue(import.meta.url);
const { url, redis } = on;
const isThere = spawnSync('script', ['-qefc', 'true', '/dev/null']).status === 0;
if (!isThere) console.warn('no util-linux script, or no terminal for it: nothing is looked at on a terminal');
const testOnTerminal = isThere ? test : test.skip;

const ENTER = '\x1b[?1049h';
const LEAVE = '\x1b[?1049l';
// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is sent
const FRAME = /\x1b\[\?2026h\x1b\[H([\s\S]*?)\x1b\[\?2026l/g;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Runs a command on a terminal of 100 × 30. */
function onTerminal(command: string, env: Record<string, string> = {}) {
  const child = spawn(
    'script',
    ['-qefc', `stty cols 100 rows 30; tty; echo pid $$; exec ${command}`, '/dev/null'],
    {
      env: {
        PATH: process.env.PATH,
        TERM: 'xterm-256color',
        SHELL: '/bin/sh',
        REDIS_URL: url,
        QUEUE_PREFIX: on.prefix,
        ...env,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  children.push(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    output += text;
  });
  const exited = once(child, 'exit');
  return {
    child,
    output: () => output,
    frames: () => [...output.matchAll(FRAME)].map(([, text = '']) => text),
    pid: () => Number(/pid (\d+)/.exec(output)?.[1]),
    tty: () => /\/dev\/\S+/.exec(output)?.[0] ?? '',
    ended: async () => {
      await exited;
      return output;
    },
  };
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours
const words = (frame = '') => frame.replace(/\x1b\[[\d;]*[mK]/g, '');

testOnTerminal(
  'stats --watch draws a frame a second on a screen of its own, and Ctrl-C gives the terminal back',
  async () => {
    await on.queue.add(JOB_NAME, { ...contactsToCompanies, pairs: goodPairs(300) });
    const watch = onTerminal(`${process.execPath} dist/cli.js stats --watch`);
    await eventually(() => expect(watch.frames().length).toBeGreaterThan(1));
    expect(watch.output()).toContain(ENTER);
    expect(words(watch.frames()[0])).toContain('● No worker is alive while 300 wait; nothing is lost');
    expect(watch.frames()[0]?.split('\r\n')).toHaveLength(30);

    await redis.hset(on.keys.counters, { created: 1_234_567 });
    await eventually(() => expect(words(watch.frames().at(-1))).toContain('1,234,567'));
    execFileSync('stty', ['-F', watch.tty(), 'cols', '50', 'rows', '12']);
    await eventually(() => expect(watch.frames().at(-1)?.split('\r\n')).toHaveLength(12));
    for (const line of words(watch.frames().at(-1)).split('\r\n'))
      expect(line.length).toBeLessThanOrEqual(50);

    watch.child.stdin?.write('\x03');
    const output = await watch.ended();
    expect(watch.child.exitCode).toBe(0);
    expect(output.endsWith(`\x1b[?25h${LEAVE}`)).toBe(true);
    expect(output.split(ENTER)).toHaveLength(2);
  },
);

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours
const COLOUR = /\x1b\[[\d;]*m/;
testOnTerminal('colours on a terminal, and none with NO_COLOR', async () => {
  const [coloured, plain] = [{}, { NO_COLOR: '1' }].map(env =>
    onTerminal(`${process.execPath} dist/cli.js stats --watch`, env),
  );
  for (const watch of [coloured, plain])
    await eventually(() => expect(watch?.frames().length).toBeGreaterThan(0));
  expect(coloured?.frames()[0]).toMatch(COLOUR);
  expect(plain?.frames()[0]).not.toMatch(COLOUR);
});

testOnTerminal('stats --watch gives the terminal back on SIGTERM', async () => {
  const watch = onTerminal(`${process.execPath} dist/cli.js stats --watch`);
  await eventually(() => expect(watch.frames().length).toBeGreaterThan(0));
  process.kill(watch.pid(), 'SIGTERM');
  expect((await watch.ended()).endsWith(LEAVE)).toBe(true);
});

testOnTerminal('stats --watch gives the terminal back before it reports a crash', async () => {
  const crash = "data:text/javascript,process.on('SIGUSR2',()=>{throw new Error('what a pity')})";
  const watch = onTerminal(`${process.execPath} --import "${crash}" dist/cli.js stats --watch`);
  await eventually(() => expect(watch.frames().length).toBeGreaterThan(0));
  process.kill(watch.pid(), 'SIGUSR2');
  const output = await watch.ended();
  const after = output.slice(output.indexOf(LEAVE));
  expect(after).toContain('what a pity');
  expect(output.split(LEAVE)).toHaveLength(2);
  expect(watch.child.exitCode).toBe(1);
});

testOnTerminal('stats --watch prints lines where there is no screen to draw on (TERM=dumb)', async () => {
  const watch = onTerminal(`${process.execPath} dist/cli.js stats --watch`, { TERM: 'dumb' });
  await eventually(() =>
    expect(watch.output().match(/Idle: everything is decided/g)?.length).toBeGreaterThan(1),
  );
  expect(watch.output()).not.toContain(ENTER);
  watch.child.stdin?.write('\x03');
  await watch.ended();
});
