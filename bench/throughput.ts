/** How fast does one worker drain a queue, compared with a loop that only posts? */
import { jobs } from './support/associations.js';
import { type BareAxios, startBareAxios } from './support/bare-axios-process.js';
import { type Installation, withInstallation } from './support/installation.js';
import { type Options, type Question, type Row, ratios } from './support/row.js';
import { type SimulatorProcess, spanMs, startSimulatorProcess } from './support/simulator.js';

/** Associations of one round, by pairs per job. */
type Sizes = Readonly<Record<number, number>>;
const FULL = { rounds: 5, bare: 600_000, sizes: { 500: 600_000, 200: 600_000, 10: 200_000, 1: 40_000 } };
const QUICK = { rounds: 3, bare: 200_000, sizes: { 500: 200_000, 200: 200_000, 1: 10_000 } };
const GOAL_FROM = 200;

type Rates = {
  /** associations a second: from the start to everything settled */
  readonly settled: number[];
  /** from the first call's arrival to the last one's answer, by the simulator's clock */
  readonly called: number[];
};
const noRates = (): Rates => ({ settled: [], called: [] });

export const throughput: Question = {
  title: 'Throughput: a backlog drained by one worker, and a bare axios loop',
  method: options => {
    const { rounds, bare, sizes } = options.quick ? QUICK : FULL;
    return [
      `Simulator: a process of its own, no limit, 50 ms latency. One worker process (10 calls at once) and one process with the bare loop`,
      `(prepared batches of 2,000, p-limit 10, keep-alive), both started before and warmed up by a round that does not count.`,
      `${rounds} rounds, in each: bare loop (${bare.toLocaleString('en')} associations), then ${describe(sizes)}.`,
      `The worker's time runs from the resuming of a paused, filled queue to the last job completed in Redis; the loop's from its first post to its last parsed answer.`,
      `"between calls" is the same by the simulator's clock alone: from the first call's arrival to the last one's answer. Ratios are taken within a round.`,
    ].join(' ');
  },
  async run(options) {
    const simulator = await startSimulatorProcess();
    const loop = startBareAxios();
    try {
      return await withInstallation(options, installation => measure(options, installation, simulator, loop));
    } finally {
      loop.stop();
      await simulator.stop();
    }
  },
};

async function measure(
  { quick, say }: Options,
  installation: Installation,
  simulator: SimulatorProcess,
  loop: BareAxios,
): Promise<Row[]> {
  const { rounds, bare, sizes } = quick ? QUICK : FULL;
  await installation.queue.pause();
  const [worker] = await installation.startWorkers(simulator.url);
  const bareRates = noRates();
  const ours = new Map(Object.keys(sizes).map(size => [Number(size), noRates()]));
  for (let round = 0; round <= rounds; round++) {
    const isWarmUp = round === 0;
    await simulator.reset();
    const { ms, created } = await loop.post({ url: simulator.url, count: bare });
    if (created !== bare) throw new Error(`the bare loop created ${created} of ${bare}`);
    if (!isWarmUp) await record(bareRates, bare, ms, simulator);
    for (const [pairsPerJob, rates] of ours) {
      const count = sizes[pairsPerJob as keyof typeof sizes] ?? 0;
      const ms = await drain(installation, simulator, count, pairsPerJob);
      if (!isWarmUp) await record(rates, count, ms, simulator);
    }
    const last = [bareRates, ...ours.values()].map(({ settled }) => perSecond(settled.at(-1)));
    say(isWarmUp ? 'warmed up' : `round ${round}: bare ${last[0]}, jobs of ${named(ours, last.slice(1))}`);
  }
  const startMs = worker?.startMs ?? Number.NaN;
  return [
    { what: 'bare axios loop', unit: '/s', values: bareRates.settled },
    ...[...ours].flatMap(([size, rates]) => compare(size, rates, bareRates)),
    { what: 'start of a worker process (not in the above)', unit: 'ms', values: [startMs] },
  ];
}

async function drain(
  installation: Installation,
  simulator: SimulatorProcess,
  count: number,
  pairsPerJob: number,
): Promise<number> {
  await installation.queue.pause();
  await installation.add(jobs(count, pairsPerJob));
  await simulator.reset();
  const before = await installation.created();
  const since = performance.now();
  await installation.queue.resume();
  await installation.drained();
  const ms = performance.now() - since;
  const [created, { created: arrived }] = [await installation.created(), await simulator.totals()];
  if (created - before !== count || arrived !== count)
    throw new Error(`of ${count} associations ${created - before} are counted and ${arrived} have arrived`);
  return ms;
}

async function record(rates: Rates, count: number, ms: number, simulator: SimulatorProcess): Promise<void> {
  rates.settled.push((count / ms) * 1_000);
  rates.called.push((count / spanMs(await simulator.calls())) * 1_000);
}

function compare(size: number, rates: Rates, bare: Rates): Row[] {
  const what = `worker, jobs of ${size}`;
  const ratio = { unit: '×', values: ratios(rates.settled, bare.settled) };
  const goal = size >= GOAL_FROM ? ({ at: 'least', value: 0.9 } as const) : undefined;
  return [
    { what, unit: '/s', values: rates.settled },
    { what: `${what} ÷ bare loop`, ...ratio, main: true, ...(goal && { goal }) },
    {
      what: `${what} ÷ bare loop, between calls`,
      unit: '×',
      values: ratios(rates.called, bare.called),
    },
  ];
}

const describe = (sizes: Sizes): string =>
  Object.entries(sizes)
    .reverse()
    .map(([size, count]) => `the worker with ${count.toLocaleString('en')} in jobs of ${size}`)
    .join(', ');
const perSecond = (rate = Number.NaN): string => `${Math.round(rate / 1_000)}k/s`;
const named = (ours: ReadonlyMap<number, Rates>, rates: readonly string[]): string =>
  [...ours.keys()].map((size, index) => `${size}: ${rates[index]}`).join(', ');
