/** Processes that get no CPU for short times: stopped and continued at random. For tests and `npm run faults`. */
import type { ChildProcess } from 'node:child_process';
import { sleep } from '../../src/shared/runtime/wait.js';

export type Starvation = {
  /** of each stop, ms */
  readonly shortestMs: number;
  readonly longestMs: number;
  /** longest time between two stops, ms */
  readonly everyMs: number;
};

/** Stops the process again and again until `signal` is aborted; it goes on after that. @returns how often */
export async function starve(child: ChildProcess, how: Starvation, signal: AbortSignal): Promise<number> {
  const { shortestMs, longestMs, everyMs } = how;
  let stops = 0;
  while (!signal.aborted) {
    await sleep(Math.random() * everyMs, signal);
    if (signal.aborted || !child.kill('SIGSTOP')) break;
    stops += 1;
    await sleep(shortestMs + Math.random() * (longestMs - shortestMs));
    child.kill('SIGCONT');
  }
  return stops;
}
