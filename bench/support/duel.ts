/** What is measured of somebody who works off associations: us or a peer. Pure but for the simulator that is asked. */
import type { Load } from './associations.js';
import { type SimulatorProcess, spanMs } from './simulator.js';

/** Associations a second. */
export type Rate = {
  /** from the first call that enqueues to everything settled, at work while it is enqueued; NaN where it was not asked */
  readonly whole: number;
  /** from the begin of the work on a filled queue to everything settled */
  readonly settled: number;
  /** from the first call's arrival to the last one's answer, by the simulator's clock */
  readonly called: number;
};
export type Rates = { readonly [key in keyof Rate]: number[] };

export const noRates = (): Rates => ({ whole: [], settled: [], called: [] });

export function push(rates: Rates, rate: Rate): void {
  for (const key of ['whole', 'settled', 'called'] as const) rates[key].push(rate[key]);
}

/** Somebody who can be measured: puts a load into a queue, then works it off; both say how long that took. */
export type Contender = {
  readonly title: string;
  enqueue(load: Load): Promise<unknown>;
  settle(): Promise<SettledLoad>;
  /** both at the same time; who has no queue has it ready */
  atOnce(load: Load): Promise<SettledLoad>;
};
type SettledLoad = { readonly ms: number; readonly created: number };

/**
 * One round. @param isWhole measure the two at the same time, too
 * @throws Error unless all of it was created, by the contender's word and by the simulator's ledger
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
