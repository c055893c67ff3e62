/** The HubSpot simulator in a separate process, and its ledger: what really arrived, and when. */
import { ADMIN_PATH } from '../../src/simulator/admin.js';
import type { Fault } from '../../src/simulator/faults.js';
import type { CallRecord, CreatedAssociation, Ledger } from '../../src/simulator/ledger.js';
import type { SimulatorOptions } from '../../src/simulator/options.js';
import { CLI } from './paths.js';
import { start } from './processes.js';

export type SimulatorProcess = {
  readonly url: string;
  totals(): Promise<ReturnType<Ledger['summary']>>;
  calls(): Promise<CallRecord[]>;
  created(): Promise<CreatedAssociation[]>;
  /** changes options from now on */
  set(options: Partial<SimulatorOptions>): Promise<void>;
  /** scripted faults for calls to come, see src/simulator/faults.ts */
  script(...faults: readonly Fault[]): Promise<void>;
  /** removes the scripted faults */
  mend(): Promise<void>;
  /** clears ledger and limits */
  reset(): Promise<void>;
  stop(): Promise<void>;
};

export type Limit = { readonly calls: number; readonly windowMs: number };

export const LATENCY_MS = 50;

/** @param limit calls per window; undefined = none */
export async function startSimulatorProcess(
  limit?: Limit,
  latencyMs = LATENCY_MS,
): Promise<SimulatorProcess> {
  const args = ['simulator', '--port', '0', '--latency-ms', latencyMs];
  args.push('--rate-limit-calls', limit?.calls ?? 0, '--rate-limit-window-ms', limit?.windowMs ?? 10_000);
  const { said, stop } = await start([CLI, ...args.map(String)], {}, /listening on \S+\n/);
  const url = /listening on (\S+)/.exec(said())?.[1] ?? '';
  const ask = async (path: string, method = 'GET', body?: object) => {
    const init = body ? { method, body: JSON.stringify(body) } : { method };
    const response = await fetch(`${url}${ADMIN_PATH}${path}`, init);
    if (!response.ok) throw new Error(`the simulator answered ${response.status} to ${method} ${path}`);
    return response.text();
  };
  const list = async <T>(path: string): Promise<T[]> => {
    const lines = (await ask(path)).split('\n');
    return lines.filter(line => line !== '').map(line => JSON.parse(line));
  };
  return {
    url,
    stop,
    totals: async () => JSON.parse(await ask('ledger')),
    calls: () => list('ledger/calls.ndjson'),
    created: () => list('ledger/created.ndjson'),
    set: async options => void (await ask('options', 'POST', options)),
    script: async (...faults) => void (await ask('faults', 'POST', faults)),
    mend: async () => void (await ask('faults', 'DELETE')),
    reset: async () => void (await ask('reset', 'POST')),
  };
}

/** A simulator for the time of `use`. */
export async function withSimulator<T>(
  limit: Limit | undefined,
  use: (simulator: SimulatorProcess) => Promise<T>,
): Promise<T> {
  const simulator = await startSimulatorProcess(limit);
  try {
    return await use(simulator);
  } finally {
    await simulator.stop();
  }
}

/** From the first call's arrival to the last one's answer. */
export function spanMs(calls: readonly CallRecord[]): number {
  const first = Math.min(...calls.map(({ at }) => at));
  return Math.max(...calls.map(({ at, ms }) => at + ms)) - first;
}
