/** Do speed and memory stay the same with a larger backlog and with many object pairs? */

import { type Installation, withInstallation } from './support/installation.js';
import { byJobs, byProducer } from './support/ours.js';
import { peakMemory, type Started } from './support/processes.js';
import { type Answer, median, type Options, type Question, type Row, ratios } from './support/row.js';
import { type SimulatorProcess, withSimulator } from './support/simulator.js';

type Backlog = {
  readonly count: number;
  /** associations of a stretch, over which a rate is measured */
  readonly stretch: number;
  /** stretches, one after the other */
  readonly stretches: number;
  /** queues */
  readonly fills: number;
};
type Plan = {
  readonly backlogs: readonly Backlog[];
  readonly objectPairs: readonly number[];
  readonly pairsCount: number;
  readonly rounds: number;
};
const FULL: Plan = {
  backlogs: [
    { count: 100_000, stretch: 100_000, stretches: 1, fills: 5 },
    { count: 1_000_000, stretch: 500_000, stretches: 2, fills: 3 },
    { count: 10_000_000, stretch: 500_000, stretches: 6, fills: 1 },
  ],
  objectPairs: [1, 12, 50, 200],
  pairsCount: 400_000,
  rounds: 5,
};
const QUICK: Plan = {
  backlogs: [
    { count: 100_000, stretch: 100_000, stretches: 1, fills: 1 },
    { count: 400_000, stretch: 200_000, stretches: 2, fills: 1 },
  ],
  objectPairs: [],
  pairsCount: 0,
  rounds: 0,
};
const planOf = ({ quick }: Options): Plan => (quick ? QUICK : FULL);
/** Goals: share of the rate of one million that ten million must reach, and of one object pair that 200 must reach. */
const FLAT = 0.9;
const GOAL_MEGABYTES = 300;

export const growth: Question = {
  title: 'Growth: larger backlogs, more object pairs',
  seconds: { full: 220, quick: 7 },
  method: options => {
    const { backlogs, objectPairs, pairsCount, rounds } = planOf(options);
    const text = backlogs.map(({ count, stretch, stretches, fills }) => {
      const begun = stretch * stretches < count ? ' first' : '';
      return `${number(count)} (${fills} × the${begun} ${stretches} × ${number(stretch)})`;
    });
    return [
      'One worker process, simulator with 50 ms latency and no limit.',
      `Backlog: enqueueMany() into a paused queue, the worker is up, the queue is resumed; rates over stretches of associations counted as created: ${text.join(', ')}. The simulator forgets its ledger after each stretch, so that its own growth is not measured; a stretch that empties its queue includes its last, partial calls.`,
      objectPairs.length > 0
        ? `Object pairs: ${number(pairsCount)} associations in jobs of 500 whose object pairs alternate from job to job, ${objectPairs.join(', ')} of them; ${rounds} rounds in turn after one that does not count. Ratios compare medians for backlogs, rounds for object pairs.`
        : '',
    ]
      .join(' ')
      .trim();
  },
  run: (options, answer) =>
    withSimulator(undefined, async simulator => {
      const { backlogs, objectPairs } = planOf(options);
      await ofBacklogs(options, simulator, backlogs, answer);
      if (objectPairs.length > 0) await ofObjectPairs(options, simulator, answer);
    }),
};

async function ofBacklogs(
  options: Options,
  simulator: SimulatorProcess,
  backlogs: readonly Backlog[],
  answer: Answer,
): Promise<void> {
  const medians: number[] = [];
  for (const backlog of backlogs) {
    const [rates, peaks]: [number[], number[]] = [[], []];
    for (let fill = 0; fill < backlog.fills; fill++)
      await withInstallation(options, async installation => {
        const [worker] = await installation.startWorkers(simulator.url);
        await installation.queue.pause();
        await byProducer(options, installation)({ count: backlog.count, badPerMille: 0 });
        const { stretch, stretches } = backlog;
        rates.push(...(await inStretches(installation, simulator, stretch, stretches)).rates);
        peaks.push(...peakOf(worker));
      });
    medians.push(median(rates));
    answer(...rowsOf(`backlog of ${number(backlog.count)}`, rates, peaks));
    options.say(`backlog of ${number(backlog.count)}: ${number(median(rates))}/s`);
  }
  const [last = Number.NaN, before = Number.NaN] = medians.reverse();
  const [largest, smaller] = backlogs.map(({ count }) => number(count)).reverse();
  answer({
    what: `rate with ${largest} queued ÷ with ${smaller}`,
    unit: '×',
    values: [last / before],
    main: !options.quick, // its backlogs end before the worker is warm
    ...(!options.quick && { goal: { at: 'least', value: FLAT } }),
  });
}

type Stretches = {
  /** associations per second, for each stretch */
  readonly rates: number[];
  /** mean inputs of a call, for each stretch */
  readonly fills: number[];
};

async function inStretches(
  installation: Installation,
  simulator: SimulatorProcess,
  stretch: number,
  stretches: number,
): Promise<Stretches> {
  const [rates, fills]: [number[], number[]] = [[], []];
  await simulator.reset();
  let since = performance.now();
  await installation.queue.resume();
  for (let n = 1; n <= stretches; n++) {
    const until = await installation.createdReaches(n * stretch);
    rates.push((stretch / (until - since)) * 1_000);
    since = until;
    fills.push((await simulator.totals()).meanInputs);
    await simulator.reset();
  }
  return { rates, fills };
}

async function ofObjectPairs(options: Options, simulator: SimulatorProcess, answer: Answer): Promise<void> {
  const { objectPairs, pairsCount, rounds } = planOf(options);
  const found = objectPairs.map(pairs => ({
    pairs,
    rates: [] as number[],
    fills: [] as number[],
    peaks: [] as number[],
  }));
  for (let round = 0; round <= rounds; round++)
    // a separate installation: memory of an earlier load would hide the memory of this one
    for (const { pairs, rates, fills, peaks } of found)
      await withInstallation(options, async installation => {
        const [worker] = await installation.startWorkers(simulator.url);
        await installation.queue.pause();
        await byJobs(installation, [500], pairs)({ count: pairsCount, badPerMille: 0 });
        const measured = await inStretches(installation, simulator, pairsCount, 1);
        const text = measured.rates.map(number).join(', ');
        options.say(`${round === 0 ? 'warm-up' : `round ${round}`}: ${pairs} object pairs ${text}/s`);
        if (round === 0) return;
        rates.push(...measured.rates);
        fills.push(...measured.fills);
        peaks.push(...peakOf(worker));
      });
  for (const { pairs, rates, fills, peaks } of found) {
    const what = `${pairs} object pair${pairs === 1 ? '' : 's'}`;
    answer(...rowsOf(what, rates, peaks), { what: `${what}: inputs of a call`, unit: '', values: fills });
  }
  const [first, last] = [found[0], found.at(-1)];
  if (!first || !last) return;
  answer({
    what: `rate with ${last.pairs} object pairs ÷ with ${first.pairs}`,
    unit: '×',
    values: ratios(last.rates, first.rates),
    goal: { at: 'least', value: FLAT },
    main: true,
  });
}

const peakOf = (worker: Started | undefined): number[] => {
  const peak = worker && peakMemory(worker);
  return peak === undefined ? [] : [peak];
};

function rowsOf(what: string, rates: readonly number[], peaks: readonly number[]): Row[] {
  const rows: Row[] = [{ what: `${what}: settled`, unit: '/s', values: rates }];
  if (peaks.length > 0)
    rows.push({
      what: `${what}: worker's memory`,
      unit: 'MiB',
      values: peaks,
      goal: { at: 'most', value: GOAL_MEGABYTES },
    });
  return rows;
}

const number = (value: number): string => Math.round(value).toLocaleString('en');
