/** The measurement of one contender, us or a peer. Pure except for the requests to the simulator. */
import type { Load } from './associations.js';
import { type SimulatorProcess, spanMs } from './simulator.js';

/** Rates in associations per second. */
export type Rate = {
  /** from the first enqueueing call until everything is settled, with work and enqueueing at the same time; NaN if not measured */
  readonly whole: number;
  /** from the start of the work on a filled queue until everything is settled */
  readonly settled: number;
  /** from the arrival of the first call to the answer of the last, on the simulator's clock */
  readonly called: number;
};
export type Rates = { readonly [key in keyof Rate]: number[] };

export const noRates = (): Rates => ({ whole: [], settled: [], called: [] });

export function push(rates: Rates, rate: Rate): void {
  for (const key of ['whole', 'settled', 'called'] as const) rates[key].push(rate[key]);
}

/** A contender: puts a load into a queue, then works it off, and reports how long each step took. */
export type Contender = {
  readonly title: string;
  enqueue(load: Load): Promise<unknown>;
  settle(): Promise<SettledLoad>;
  /** both at the same time; a contender without a queue has the load ready */
  atOnce(load: Load): Promise<SettledLoad>;
};
type SettledLoad = { readonly ms: number; readonly created: number };

/**
 * One round. @param isWhole also measures both steps at the same time
 * @throws Error unless everything was created, according to the contender and to the simulator's ledger
 */
export async function measureRate(
  contender: Contender,
  simulator: SimulatorProcess,
  count: number,
  isWhole = false,
): Promise<Rate> {
  const load = { count, badPerMille: 0 };
  const rateOf = async (settled: SettledLoad): Promise<number> => {
    const { created: arrived } = await simulator.totals();
    if (settled.created !== count || arrived !== count)
      throw new Error(
        `${contender.title}: of ${count} associations it counts ${settled.created}, and ${arrived} have arrived`,
      );
    return (count / settled.ms) * 1_000;
  };
  await contender.enqueue(load);
  await simulator.reset();
  const settled = await rateOf(await contender.settle());
  const called = (count / spanMs(await simulator.calls())) * 1_000;
  if (!isWhole) return { settled, called, whole: Number.NaN };
  await simulator.reset();
  return { settled, called, whole: await rateOf(await contender.atOnce(load)) };
}
