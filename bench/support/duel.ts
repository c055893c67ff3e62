/** What is measured of somebody who works off associations: us or a peer. Pure but for the simulator that is asked. */
import type { Load } from './associations.js';
import { type SimulatorProcess, spanMs } from './simulator.js';

/** Associations a second. */
export type Rate = {
  /** from the first call that enqueues to everything settled; enqueueing ends before the work begins */
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
  enqueue(load: Load): Promise<{ readonly ms: number }>;
  settle(): Promise<{ readonly ms: number; readonly created: number }>;
};

/** One round. @throws Error unless all of it was created, by the contender's word and by the simulator's ledger */
export async function measureRate(
  contender: Contender,
  simulator: SimulatorProcess,
  count: number,
): Promise<Rate> {
  const enqueued = await contender.enqueue({ count, badPerMille: 0 });
  await simulator.reset();
  const settled = await contender.settle();
  const { created: arrived } = await simulator.totals();
  if (settled.created !== count || arrived !== count)
    throw new Error(
      `${contender.title}: of ${count} associations it counts ${settled.created}, and ${arrived} have arrived`,
    );
  const perSecond = (ms: number) => (count / ms) * 1_000;
  return {
    whole: perSecond(enqueued.ms + settled.ms),
    settled: perSecond(settled.ms),
    called: perSecond(spanMs(await simulator.calls())),
  };
}
