/** How fast does one worker drain a queue, compared with a loop that only posts? */
import { jobs } from './support/associations.js';
import { type BareAxios, startBareAxios } from './support/bare-axios-process.js';
import { type Installation, withInstallation } from './support/installation.js';
import { type Options, type Question, type Row, ratios } from './support/row.js';
import { type SimulatorProcess, spanMs, startSimulatorProcess } from './support/simulator.js';

/** What the worker drains: jobs of that size, associations in one round. The bare loop runs before each of them. */
type Load = { readonly pairsPerJob: number; readonly count: number };
type Plan = { readonly rounds: number; readonly bare: number; readonly loads: readonly Load[] };
const FULL: Plan = {
  rounds: 5,
  bare: 400_000,
  loads: [
    { pairsPerJob: 500, count: 400_000 },
    { pairsPerJob: 200, count: 400_000 },
    { pairsPerJob: 10, count: 200_000 },
    { pairsPerJob: 1, count: 40_000 },
  ],
};
const QUICK: Plan = {
  rounds: 3,
  bare: 160_000,
  loads: [
    { pairsPerJob: 500, count: 160_000 },
    { pairsPerJob: 200, count: 160_000 },
    { pairsPerJob: 1, count: 6_000 },
  ],
};
const GOAL_FROM = 200;

type Rates = {
  /** associations a second: from the start to everything settled */
  readonly settled: number[];
  /** from the first call's arrival to the last one's answer, by the simulator's clock */
  readonly called: number[];
};
type Contest = Load & { readonly ours: Rates; readonly bare: Rates };
const noRates = (): Rates => ({ settled: [], called: [] });

export const throughput: Question = {
  title: 'Throughput: a backlog drained by one worker, and a bare axios loop',
  method: options => {
    const { rounds, bare, loads } = options.quick ? QUICK : FULL;
    return [
      `Simulator: a process of its own, no limit, 50 ms latency. One worker process (10 calls at once) and one process with the bare loop`,
      `(prepared batches of 2,000, p-limit 10, keep-alive), both started before and warmed up by a round that does not count.`,
      `${rounds} rounds, in each: ${loads.map(load => describe(load, bare)).join('; ')}.`,
      `The worker's time runs from the resuming of a paused, filled queue to the last job completed in Redis; the loop's from its first post to its last parsed answer.`,
      `"between calls" is the same by the simulator's clock alone: from the first call's arrival to the last one's answer. Ratios are taken between neighbours.`,
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
  const { rounds, bare, loads } = quick ? QUICK : FULL;
  await installation.queue.pause();
  const [worker] = await installation.startWorkers(simulator.url);
  const contests = loads.map((load): Contest => ({ ...load, ours: noRates(), bare: noRates() }));
  for (let round = 0; round <= rounds; round++) {
    const isWarmUp = round === 0;
    for (const contest of contests) {
      const bareRates = await post(loop, simulator, bare);
      const rates = await drain(installation, simulator, contest);
      if (isWarmUp) continue;
      push(contest.bare, bareRates);
      push(contest.ours, rates);
      say(
        `round ${round}, jobs of ${contest.pairsPerJob}: ${thousands(rates.settled)}/s, bare loop ${thousands(bareRates.settled)}/s`,
      );
    }
    if (isWarmUp) say('warmed up');
  }
  const startMs = worker?.startMs ?? Number.NaN;
  return [
    { what: 'bare axios loop', unit: '/s', values: contests.flatMap(({ bare }) => bare.settled) },
    ...contests.flatMap(compare),
    { what: 'start of a worker process (not in the above)', unit: 'ms', values: [startMs] },
  ];
}

type Rate = { readonly settled: number; readonly called: number };

async function post(loop: BareAxios, simulator: SimulatorProcess, count: number): Promise<Rate> {
  await simulator.reset();
  const { ms, created } = await loop.post({ url: simulator.url, count });
  if (created !== count) throw new Error(`the bare loop created ${created} of ${count}`);
  return rate(count, ms, simulator);
}

async function drain(
  installation: Installation,
  simulator: SimulatorProcess,
  { count, pairsPerJob }: Load,
): Promise<Rate> {
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
  return rate(count, ms, simulator);
}

async function rate(count: number, ms: number, simulator: SimulatorProcess): Promise<Rate> {
  const perSecond = (ms: number) => (count / ms) * 1_000;
  return { settled: perSecond(ms), called: perSecond(spanMs(await simulator.calls())) };
}

function push(rates: Rates, { settled, called }: Rate): void {
  rates.settled.push(settled);
  rates.called.push(called);
}

function compare({ pairsPerJob, ours, bare }: Contest): Row[] {
  const what = `worker, jobs of ${pairsPerJob}`;
  const goal = pairsPerJob >= GOAL_FROM ? ({ at: 'least', value: 0.9 } as const) : undefined;
  return [
    { what, unit: '/s', values: ours.settled },
    {
      what: `${what} ÷ bare loop`,
      unit: '×',
      values: ratios(ours.settled, bare.settled),
      main: true,
      ...(goal && { goal }),
    },
    { what: `${what} ÷ bare loop, between calls`, unit: '×', values: ratios(ours.called, bare.called) },
  ];
}

const describe = ({ pairsPerJob, count }: Load, bare: number): string =>
  `${bare.toLocaleString('en')} associations by the bare loop, then ${count.toLocaleString('en')} by the worker in jobs of ${pairsPerJob}`;
const thousands = (rate: number): string => `${Math.round(rate / 1_000)}k`;
