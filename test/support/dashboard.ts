/** A dashboard for a test: a real process of the built package. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Setup, View } from '../../src/dashboard/view.js';
import { eventually } from './eventually.js';

export const OWN = { 'x-association-queue': '1', 'sec-fetch-site': 'same-origin' };

export type State = Omit<View, 'trouble'> & { setup: Setup };
export type DashboardProcess = {
  readonly url: string;
  readonly process: ChildProcess;
  output(): string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** as the page does it */
  post(path: string, headers?: Record<string, string>): Promise<Response>;
  state(): Promise<State>;
  end(): Promise<number | NodeJS.Signals | null>;
};

export async function startDashboard(env: Readonly<Record<string, string>>): Promise<DashboardProcess> {
  const child = spawn(process.execPath, ['dist/cli.js', 'dashboard'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, DASHBOARD_PORT: '0', ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      output += chunk;
    });
  const exited = once(child, 'exit');
  const url = await eventually(() => {
    const found = /"event":"started","url":"([^"]+)"/.exec(output)?.[1];
    if (found) return found;
    if (child.exitCode !== null) return '';
    throw new Error('the dashboard has not started');
  });
  if (!url) throw new Error(`the dashboard has not started: ${output}`);
  const get = (path: string, headers: Record<string, string> = {}) => fetch(url + path, { headers });
  await eventually(async () => {
    if ((await get('/readyz')).status !== 200) throw new Error('not ready');
  });
  return {
    url,
    process: child,
    output: () => output,
    get,
    post: (path, headers = OWN) => fetch(url + path, { method: 'POST', headers }),
    state: async () => (await (await get('/api/state')).json()) as State,
    async end() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const [code, by] = (await exited) as [number | null, NodeJS.Signals | null];
      return code ?? by;
    },
  };
}
