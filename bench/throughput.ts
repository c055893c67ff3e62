/** How fast are associations created, compared with the alternatives? */
import { type Contender, measureRate, noRates, push, type Rates } from './support/duel.js';
import { type Installation, withInstallation } from './support/installation.js';
import { byJobs, byProducer, ours } from './support/ours.js';
import { type PeerName, type PeerProcess, withPeers } from './support/peers.js';
import { withPostgres } from './support/postgres.js';
import { type Answer, type Options, type Question, type Row, ratios } from './support/row.js';
import { type SimulatorProcess, withSimulator } from './support/simulator.js';

/** The load: jobs of these sizes in turn, with this many object pairs in turn. */
type Mix = {
  readonly title: string;
  readonly sizes: readonly number[];
  readonly objectPairs: number;
  readonly count: number;
  /** the peer that is measured before us in each round, and our goal as a ratio */
  readonly against: Partial<Readonly<Record<PeerName, number | undefined>>>;
};
type Plan = {
  readonly rounds: number;
  readonly ours: number;
  readonly peers: Readonly<Record<PeerName, number>>;
  readonly mixes: readonly Mix[];
};

/** Counts such that every round of every contender takes a few seconds. */
const FULL: Plan = {
  rounds: 5,
  ours: 1_000_000,
  peers: {
    'bare-axios': 400_000,
    'hubspot-sdk': 40_000,
    'hubspot-sdk-unlimited': 200_000,
    'bullmq-single': 5_000,
    'bullmq-batches': 40_000,
    'pg-boss': 60_000,
  },
  mixes: [
    { title: 'jobs of 500', sizes: [500], objectPairs: 1, count: 1_200_000, against: { 'bare-axios': 0.95 } },
    { title: 'jobs of 200', sizes: [200], objectPairs: 1, count: 1_200_000, against: { 'bare-axios': 0.95 } },
    { title: 'jobs of 10', sizes: [10], objectPairs: 1, count: 400_000, against: { 'bare-axios': 0.5 } },
    {
      title: 'jobs of 1',
      sizes: [1],
      objectPairs: 1,
      count: 100_000,
      against: { 'bare-axios': undefined, 'bullmq-batches': 3 },
    },
    {
      title: 'jobs of 1, 10 and 500 in turn',
      sizes: [1, 10, 500],
      objectPairs: 1,
      count: 400_000,
      against: { 'bare-axios': undefined },
    },
    {
      title: 'jobs of 500, 12 object pairs',
      sizes: [500],
      objectPairs: 12,
      count: 400_000,
      against: { 'bare-axios': undefined },
    },
  ],
};
const QUICK: Plan = {
  rounds: 2,
  ours: 120_000,
  peers: {
    'bare-axios': 120_000,
    'hubspot-sdk': 10_000,
    'hubspot-sdk-unlimited': 60_000,
    'bullmq-single': 1_000,
    'bullmq-batches': 6_000,
    'pg-boss': 6_000,
  },
  mixes: [
    { title: 'jobs of 500', sizes: [500], objectPairs: 1, count: 120_000, against: { 'bare-axios': 0.95 } },
    { title: 'jobs of 10', sizes: [10], objectPairs: 1, count: 40_000, against: { 'bare-axios': 0.5 } },
    {
      title: 'jobs of 1',
      sizes: [1],
      objectPairs: 1,
      count: 6_000,
      against: { 'bare-axios': undefined, 'bullmq-batches': 3 },
    },
  ],
};
const planOf = ({ quick }: Options): Plan => (quick ? QUICK : FULL);

type Measured = { readonly contender: Contender; readonly count: number; readonly rates: Rates };
type Peered = Measured & { readonly name: PeerName };
type Contest = Measured & { readonly mix: Mix; readonly neighbours: readonly Peered[] };

export const throughput: Question = {
  title: 'Throughput: against what people would use instead',
  seconds: { full: 540, quick: 42 },
  method: options => {
    const { rounds, mixes, ours: count, peers } = planOf(options);
    return [
      `Simulator: a process of its own, no limit, 50 ms latency. One worker process with 10 calls at once, and one process for each peer (bench/peers), all started before and warmed up by a round that does not count. ${rounds} rounds, everybody in turn in each: ${number(count)} associations by us, and so many by each peer that it takes a few seconds (${Object.entries(
        peers,
      )
        .map(([name, count]) => `${name} ${number(count)}`)
        .join(', ')}); rates are compared, within a round.`,
      'Twice in each round: "from enqueue to settled" is from the first call that enqueues to the last job completed, while the workers are up and work off what comes, as in life; "settled" is the work alone, from the resuming of a filled queue to the last job completed. What is enqueued exists before the clock starts, as do the batches of the two loops that have no queue: theirs are prepared, and both figures mean the same.',
      `Then jobs as any BullMQ client may write them (${mixes.map(mix => `${number(mix.count)} in ${mix.title}`).join('; ')}), worked off after a run of the bare loop each, jobs of 1 after one of the batches by hand, too; a filled queue, so "settled" alone is compared. "between calls" is the same by the simulator's clock alone: from the first call's arrival to the last one's answer.`,
      'Every round ends with the counts of both sides and of the simulator being equal.',
    ].join(' ');
  },
  run: (options, answer) =>
    withPostgres(options.say, answer, postgres =>
      withSimulator(undefined, simulator =>
        withInstallation(options, async installation => {
          await installation.queue.pause();
          const surroundings = {
            hubspotUrl: simulator.url,
            redisUrl: options.redisUrl,
            postgresUrl: postgres?.url,
          };
          const names = Object.keys(planOf(options).peers) as PeerName[];
          await withPeers(names, surroundings, async peers => {
            const [worker] = await installation.startWorkers(simulator.url);
            await measure(options, installation, simulator, peers, answer);
            const startMs = worker?.startMs ?? Number.NaN;
            answer({ what: 'start of a worker process (not in the above)', unit: 'ms', values: [startMs] });
          });
        }),
      ),
    ),
};

async function measure(
  options: Options,
  installation: Installation,
  simulator: SimulatorProcess,
  peers: readonly PeerProcess[],
  answer: Answer,
): Promise<void> {
  const plan = planOf(options);
  const us: Measured = {
    contender: ours('we', installation, byProducer(options, installation, { exists: true })),
    count: plan.ours,
    rates: noRates(),
  };
  const others = peers.map(peer => ({
    contender: peer,
    name: peer.name,
    count: plan.peers[peer.name],
    rates: noRates(),
  }));
  await inRounds(options, plan.rounds, simulator, [us, ...others], true);
  answer(...rowsOfPeers(us, others));

  const contests = plan.mixes.map((mix): Contest => {
    const fill = byJobs(installation, mix.sizes, mix.objectPairs);
    const neighbours = others
      .filter(({ name }) => name in mix.against)
      .map(other => ({ ...other, rates: noRates() }));
    const contender = ours(`worker, ${mix.title}`, installation, fill);
    return { contender, count: mix.count, rates: noRates(), mix, neighbours };
  });
  await inRounds(
    options,
    plan.rounds,
    simulator,
    contests.flatMap(contest => [...contest.neighbours, contest]),
    false,
  );
  answer(...contests.flatMap(rowsOfMix));
}

/** Measures all contenders in turn; the first round does not count. */
async function inRounds(
  { say }: Options,
  rounds: number,
  simulator: SimulatorProcess,
  measured: readonly Measured[],
  isWhole: boolean,
): Promise<void> {
  for (let round = 0; round <= rounds; round++)
    for (const { contender, count, rates } of measured) {
      const rate = await measureRate(contender, simulator, count, isWhole);
      if (round > 0) push(rates, rate);
      const whole = isWhole ? `, from enqueue ${number(rate.whole)}/s` : '';
      const when = round === 0 ? 'warm-up' : `round ${round}`;
      say(`${when}: ${contender.title} ${number(rate.settled)}/s${whole}`);
    }
}

function rowsOfPeers(us: Measured, others: readonly Peered[]): Row[] {
  const hasQueue = (name: PeerName) => !['bare-axios', 'hubspot-sdk', 'hubspot-sdk-unlimited'].includes(name);
  const rows: Row[] = [
    { what: 'we, from enqueue to settled', unit: '/s', values: us.rates.whole },
    { what: 'we, settled', unit: '/s', values: us.rates.settled },
  ];
  for (const { contender, name, rates } of others) {
    rows.push({ what: contender.title, unit: '/s', values: rates.whole });
    if (hasQueue(name)) rows.push({ what: `${contender.title}, settled`, unit: '/s', values: rates.settled });
  }
  for (const { contender, name, rates } of others) {
    const isCeiling = name === 'bare-axios';
    const what = `we ÷ ${contender.title}`;
    rows.push({
      what,
      unit: '×',
      values: ratios(us.rates.whole, rates.whole),
      main: true,
      ...(!isCeiling && { goal: { at: 'least', value: 1 } }),
    });
    rows.push({ what: `${what}, settled`, unit: '×', values: ratios(us.rates.settled, rates.settled) });
  }
  return rows;
}

function rowsOfMix({ contender, rates, neighbours, mix }: Contest): Row[] {
  const { title } = contender;
  return [
    { what: title, unit: '/s', values: rates.settled },
    ...neighbours.flatMap((neighbour): Row[] => {
      const what = `${title} ÷ ${neighbour.contender.title}`;
      const goal = mix.against[neighbour.name];
      const ratio: Row = {
        what,
        unit: '×',
        values: ratios(rates.settled, neighbour.rates.settled),
        main: true,
        ...(goal !== undefined && { goal: { at: 'least', value: goal } }),
      };
      if (neighbour.name !== 'bare-axios') return [ratio];
      const called = ratios(rates.called, neighbour.rates.called);
      return [ratio, { what: `${what}, between calls`, unit: '×', values: called }];
    }),
  ];
}

const number = (value: number): string => Math.round(value).toLocaleString('en');
