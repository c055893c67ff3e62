/** Commands of the built package as separate processes: their output and their exit. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from '@jest/globals';
import { eventually } from './eventually.js';

/** exit code, or the signal that ended it */
export type ProcessEnd = number | NodeJS.Signals | null;

export type CliProcess = {
  readonly process: ChildProcess;
  /** everything it has printed so far */
  output(): string;
  /** waits for the end */
  exit(): Promise<ProcessEnd>;
  /** sends the signal and waits for the end; a process that has ended is only asked how */
  end(signal?: NodeJS.Signals): Promise<ProcessEnd>;
};

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

/**
 * @param env its whole environment, in addition to PATH
 * @param nodeOptions of its command line
 */
export function startCommand(
  command: string,
  env: Readonly<Record<string, string>>,
  nodeOptions: readonly string[] = [],
  args: readonly string[] = [],
): CliProcess {
  const child = spawn(process.execPath, [...nodeOptions, 'dist/cli.js', command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      output += chunk;
    });
  const exited = once(child, 'exit');
  const exit = async (): Promise<ProcessEnd> => {
    const [code, by] = (await exited) as [number | null, NodeJS.Signals | null];
    return code ?? by;
  };
  return {
    process: child,
    output: () => output,
    exit,
    async end(signal = 'SIGTERM') {
      // a process that is still loading has no handler yet and would die of the signal
      if (signal === 'SIGTERM')
        await eventually(() => expect(output.includes('"event":"started"') || hasEnded(child)).toBe(true));
      if (!hasEnded(child)) child.kill(signal);
      return exit();
    },
  };
}

/** A command that serves HTTP, once it reports that it is ready. */
export async function startServing(
  command: string,
  env: Readonly<Record<string, string>>,
): Promise<CliProcess & { readonly url: string }> {
  const child = startCommand(command, env);
  try {
    const url = await eventually(() => {
      const found = /"event":"started","url":"([^"]+)"/.exec(child.output())?.[1];
      if (found || hasEnded(child.process)) return found;
      throw new Error(`${command} has not started`);
    });
    if (url === undefined) throw new Error(`${command} has not started: ${child.output()}`);
    await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200));
    return { ...child, url };
  } catch (error) {
    child.process.kill('SIGKILL');
    throw error;
  }
}
