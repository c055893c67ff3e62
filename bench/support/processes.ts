/** The processes that a measurement needs: the built command line, the peers. None outlives the bench. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sleep } from '../../src/shared/wait.js';

const STARTS_WITHIN_MS = 20_000;
/** SHUTDOWN_TIMEOUT_MS is 25 s; whoever takes longer is killed. */
const ENDS_WITHIN_MS = 30_000;

const running = new Set<ChildProcess>();
const directory = mkdtempSync(path.join(tmpdir(), 'association-queue-bench-'));
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

export type Started = {
  readonly child: ChildProcess;
  /** from its start to the line that says so */
  readonly startMs: number;
  /** everything it has printed */
  said(): string;
  /** SIGTERM, and waits. @throws Error when it does not end by itself and well */
  stop(): Promise<void>;
};

/**
 * Starts a node process whose output goes to a file, so that nobody spends time on reading it.
 * @param env all of it: nothing else of ours is inherited
 */
export async function start(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  isUp: RegExp,
): Promise<Started> {
  const log = path.join(directory, `${running.size}-${Date.now()}-${Math.random()}.log`);
  const file = openSync(log, 'a');
  const since = performance.now();
  const child = spawn(process.execPath, args, {
    env: { ...(process.env.PATH && { PATH: process.env.PATH }), ...env },
    stdio: ['ignore', file, file],
  });
  closeSync(file);
  running.add(child);
  const ended = once(child, 'exit').then(() => running.delete(child));
  const said = () => readFileSync(log, 'utf8');
  while (!isUp.test(said())) {
    if (child.exitCode !== null || performance.now() - since > STARTS_WITHIN_MS)
      throw new Error(`node ${args.join(' ')} did not start:\n${said()}`);
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
        throw new Error(
          `node ${args.join(' ')} ended with ${child.exitCode ?? child.signalCode}:\n${said()}`,
        );
    },
  };
}
