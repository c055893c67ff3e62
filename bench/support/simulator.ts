/** The HubSpot stand-in in a process of its own, and its ledger: what really arrived, and when. */
import { ADMIN_PATH } from '../../src/simulator/admin.js';
import type { CallRecord, Ledger } from '../../src/simulator/ledger.js';
import { CLI } from './paths.js';
import { start } from './processes.js';

export type SimulatorProcess = {
  readonly url: string;
  totals(): Promise<ReturnType<Ledger['summary']>>;
  calls(): Promise<CallRecord[]>;
  /** forgets ledger and limits */
  reset(): Promise<void>;
  stop(): Promise<void>;
};

export type Limit = { readonly calls: number; readonly windowMs: number };

const LATENCY_MS = 50;

/** @param limit as HubSpot's; undefined = none */
export async function startSimulatorProcess(limit?: Limit): Promise<SimulatorProcess> {
  const args = ['simulator', '--port', '0', '--latency-ms', LATENCY_MS];
  args.push('--rate-limit-calls', limit?.calls ?? 0, '--rate-limit-window-ms', limit?.windowMs ?? 10_000);
  const { said, stop } = await start([CLI, ...args.map(String)], {}, /listening on \S+\n/);
  const url = /listening on (\S+)/.exec(said())?.[1] ?? '';
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`${url}${ADMIN_PATH}${path}`, { method });
    if (!response.ok) throw new Error(`the simulator answered ${response.status} to ${method} ${path}`);
    return response;
  };
  return {
    url,
    stop,
    totals: async () => (await (await ask('ledger')).json()) as ReturnType<Ledger['summary']>,
    async calls() {
      const lines = (await (await ask('ledger/calls.ndjson')).text()).split('\n');
      return lines.filter(line => line !== '').map(line => JSON.parse(line) as CallRecord);
    },
    reset: async () => void (await (await ask('reset', 'POST')).text()),
  };
}

/** From the first call's arrival to the last one's answer. */
export function spanMs(calls: readonly CallRecord[]): number {
  const first = Math.min(...calls.map(({ at }) => at));
  return Math.max(...calls.map(({ at, ms }) => at + ms)) - first;
}
