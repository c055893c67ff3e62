/** The processes of a measurement: the built command line, the peers. None outlives the bench. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sleep } from '../../src/shared/runtime/wait.js';
import { atEnd, isEnding } from './cleanup.js';

const STARTS_WITHIN_MS = 20_000;
/** SHUTDOWN_TIMEOUT_MS is 25 s; a process that takes longer is killed. */
const ENDS_WITHIN_MS = 30_000;
/** Longest time for an order. */
const ANSWERS_WITHIN_MS = 180_000;

const running = new Set<ChildProcess>();
const directory = mkdtempSync(path.join(tmpdir(), 'association-queue-bench-'));
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

export type Env = Readonly<Record<string, string>>;
export type Started = {
  readonly child: ChildProcess;
  /** time from its start to the line that reports it */
  readonly startMs: number;
  /** everything it has printed */
  said(): string;
  /** Sends SIGTERM and waits. @throws Error if the process must be killed or exits with an error */
  stop(): Promise<void>;
};

/**
 * Starts a node process whose output goes to a file, so that no process spends time on reading it.
 * @param env the whole environment: nothing is inherited
 */
export async function start(args: readonly string[], env: Env, isUp: RegExp): Promise<Started> {
  const since = performance.now();
  const name = `node ${args.join(' ')}`;
  const { child, ended, said } = launch((env, output) => {
    return spawn(process.execPath, args, { env, stdio: ['ignore', output, output] });
  }, env);
  while (!isUp.test(said())) {
    if (child.exitCode !== null || performance.now() - since > STARTS_WITHIN_MS)
      throw new Error(`${name} did not start:\n${said()}`);
    await sleep(5);
  }
  const startMs = performance.now() - since;
  return {
    child,
    startMs,
    said,
    async stop() {
      child.kill('SIGTERM');
      const insist = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
      await ended;
      clearTimeout(insist);
      if (child.exitCode !== 0)
        throw new Error(`${name} ended with ${child.exitCode ?? child.signalCode}:\n${said()}`);
    },
  };
}

export type Forked = {
  /** sends an order and waits for the answer. @throws Error if the process ends instead, or takes too long */
  ask<Answer>(order: object): Promise<Answer>;
  /** disconnects, and waits until the process has ended */
  stop(): Promise<void>;
  /** kill -9 */
  kill(): void;
};

/** Starts a node module that answers each message with one message. */
export function startForked(module: string, env: Env): Forked {
  const { child, ended, said } = launch((env, output) => {
    return fork(module, { env, stdio: ['ignore', output, output, 'ipc'] });
  }, env);
  return {
    async ask(order) {
      const answered = new AbortController();
      const exited = once(child, 'exit', { signal: answered.signal }).then(() => {
        throw new Error(`${path.basename(module)} ended before it answered:\n${said()}`);
      });
      exited.catch(() => {}); // it is aborted after every good answer
      const message = once(child, 'message', { signal: answered.signal });
      const late = setTimeout(() => child.kill('SIGKILL'), ANSWERS_WITHIN_MS);
      child.send(order);
      try {
        return (await Promise.race([message, exited]))[0];
      } finally {
        clearTimeout(late);
        answered.abort();
      }
    },
    kill: () => void child.kill('SIGKILL'),
    async stop() {
      if (child.connected) child.disconnect();
      const insist = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
      await ended;
      clearTimeout(insist);
    },
  };
}

type Launch = (env: Env, output: number) => ChildProcess;

function launch(spawned: Launch, env: Env): Pick<Started, 'child' | 'said'> & { ended: Promise<void> } {
  if (isEnding()) throw new Error('the bench is ending');
  const log = path.join(directory, `${Date.now()}-${Math.random()}.log`);
  const output = openSync(log, 'a');
  const child = spawned({ ...(process.env.PATH && { PATH: process.env.PATH }), ...env }, output);
  closeSync(output);
  running.add(child);
  const forget = atEnd(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const ended = once(child, 'exit').then(() => {
    running.delete(child);
    forget();
  });
  return { child, ended, said: () => readFileSync(log, 'utf8') };
}

/** The largest memory of the process so far, in MiB; undefined except on Linux. */
export function peakMemory({ child }: Started): number | undefined {
  try {
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024;
  } catch {
    return undefined;
  }
}
