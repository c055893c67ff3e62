/** What do bad inputs cost, and are good inputs rejected because of them? */
import type { JobData } from '../src/shared/contract/association.js';
import type { SimulatorOptions } from '../src/simulator/options.js';
import { countBad, isBad, type Load } from './support/associations.js';
import { type Installation, withInstallation } from './support/installation.js';
import { byProducer } from './support/ours.js';
import { PEERS, type PeerName, type PeerProcess, withPeers } from './support/peers.js';
import { withPostgres } from './support/postgres.js';
import type { Answer, Options, Question } from './support/row.js';
import { type SimulatorProcess, withSimulator } from './support/simulator.js';

/** The share of bad inputs, and how HubSpot answers a call with one. */
type Refusal = SimulatorOptions['refusal'];
type Case = { readonly badPerMille: number; readonly refusal: Refusal };
type Plan = {
  readonly rounds: number;
  readonly cases: readonly Case[];
  /** number of associations, chosen so that about 100 of them are bad */
  readonly counts: Readonly<Record<number, number>>;
  readonly peers: Readonly<Partial<Record<PeerName, number>>>;
};
const WORDS: Readonly<Record<Refusal, string>> = {
  whole: 'refusals with names',
  'whole-unnamed': 'refusals without names',
  partial: '207',
};
const REFUSALS = Object.keys(WORDS) as Refusal[];
const FULL: Plan = {
  rounds: 5,
  cases: [10, 1].flatMap(badPerMille => REFUSALS.map(refusal => ({ badPerMille, refusal }))),
  counts: { 10: 20_000, 1: 100_000 },
  peers: {
    'hubspot-sdk-unlimited': 20_000,
    'bullmq-single': 4_000,
    'bullmq-batches': 20_000,
    'pg-boss': 20_000,
  },
};
const QUICK: Plan = {
  rounds: 1,
  cases: [{ badPerMille: 1, refusal: 'whole-unnamed' }],
  counts: { 1: 10_000 },
  peers: { 'bullmq-batches': 6_000 },
};
const planOf = ({ quick }: Options): Plan => (quick ? QUICK : FULL);

/** Short pauses between attempts, because pauses cost time and not calls. */
const SETTINGS = { RETRY_BACKOFF_MS: '100' };
/** Goal: calls for each bad input, in addition to the calls of full batches, with one unnamed bad input in a thousand. */
const CALLS_GOAL = 30;

export const quality: Question = {
  title: 'Mixed quality: bad inputs among good ones',
  seconds: { full: 300, quick: 10 },
  method: options => {
    const { rounds, counts, peers } = planOf(options);
    const ours = Object.entries(counts).map(
      ([perMille, count]) => `${count.toLocaleString('en')} with ${Number(perMille) / 10} % bad ones`,
    );
    const theirs = Object.entries(peers).map(([name, count]) => `${name} ${count.toLocaleString('en')}`);
    return [
      'Bad: one of the two records does not exist. The simulator answers a call with bad inputs in one of three ways: 400 that names them, 400 that names nobody, 207 that names them beside the results of the others.',
      `We: ${ours.join(', ')}, enqueueMany(), one worker, RETRY_BACKOFF_MS 100 (shorter pauses, the same calls), ${rounds} round${rounds === 1 ? '' : 's'}. Peers: one round (${theirs.join(', ')}).`,
      'Calls and created associations are those of the simulator\'s ledger. "Good ones not created" is what was lost or wrongly rejected; for us it is also checked, pair by pair, that exactly the bad ones are in the failed set. "Calls per bad input": the calls beyond what full batches of all inputs need, ÷ bad inputs.',
      'The SDK in a loop drops a refused call; the batches by hand and pg-boss leave out whom HubSpot names and halve what it refuses without names, as a careful user writes it (support/careful-create.ts).',
    ].join(' ');
  },
  run: (options, answer) =>
    withPostgres(options.say, answer, postgres =>
      withSimulator(undefined, async simulator => {
        const names = Object.keys(planOf(options).peers) as PeerName[];
        const surroundings = {
          hubspotUrl: simulator.url,
          redisUrl: options.redisUrl,
          postgresUrl: postgres?.url,
        };
        await withPeers(names, surroundings, async peers => {
          for (const one of planOf(options).cases) {
            await simulator.set({ refusal: one.refusal });
            await measureUs(options, simulator, one, answer);
            for (const peer of peers) await measurePeer(options, simulator, one, peer, answer);
          }
        });
      }),
    ),
};

type Figures = {
  readonly callsPerCreated: number;
  readonly callsPerBad: number;
  /** good associations that do not exist afterwards */
  readonly missing: number;
};

async function measureUs(
  options: Options,
  simulator: SimulatorProcess,
  one: Case,
  answer: Answer,
): Promise<void> {
  const { rounds, counts } = planOf(options);
  const load = { count: counts[one.badPerMille] ?? 0, badPerMille: one.badPerMille };
  const figures: Figures[] = [];
  const rejected: number[] = [];
  while (figures.length < rounds) {
    await withInstallation(options, async installation => {
      await byProducer(options, installation)(load);
      await simulator.reset();
      await installation.startWorkers(simulator.url, SETTINGS);
      await installation.drained(true);
      figures.push(await read(simulator, load));
      rejected.push(await wronglyRejected(installation, load));
    });
    say(options, one, 'we', figures.at(-1));
  }
  const isGoal = one.badPerMille === 1 && one.refusal === 'whole-unnamed';
  const values = (key: keyof Figures) => figures.map(each => each[key]);
  const none = { at: 'most', value: 0 } as const;
  const what = (text: string) => `${describe(one)}: ${text}`;
  const most = { at: 'most', value: CALLS_GOAL } as const;
  answer(
    { what: what('we, calls per 1,000 created'), unit: '', values: values('callsPerCreated') },
    {
      what: what('we, calls per bad input'),
      unit: '',
      values: values('callsPerBad'),
      main: isGoal,
      ...(isGoal && { goal: most }),
    },
    {
      what: what('we, good ones not created'),
      unit: '',
      values: values('missing'),
      goal: none,
      main: isGoal,
    },
    { what: what('we, wrongly rejected'), unit: '', values: rejected, goal: none },
  );
}

async function measurePeer(
  options: Options,
  simulator: SimulatorProcess,
  one: Case,
  peer: PeerProcess,
  answer: Answer,
): Promise<void> {
  const load = { count: planOf(options).peers[peer.name] ?? 0, badPerMille: one.badPerMille };
  await peer.enqueue(load);
  await simulator.reset();
  const settled = await peer.settle();
  const figures = await read(simulator, load);
  if (settled.created + settled.failed !== load.count)
    throw new Error(`${peer.title} has given ${settled.created + settled.failed} of ${load.count} an end`);
  say(options, one, peer.title, figures);
  const what = `${describe(one)}: ${PEERS[peer.name].title}`;
  answer(
    { what: `${what}, calls per 1,000 created`, unit: '', values: [figures.callsPerCreated] },
    {
      what: `${what}, good ones not created`,
      unit: '%',
      values: [(figures.missing / (load.count - countBad(load))) * 100],
    },
  );
}

async function read(simulator: SimulatorProcess, load: Load): Promise<Figures> {
  const { calls, created } = await simulator.totals();
  const bad = countBad(load);
  const needed = Math.ceil(load.count / 2_000);
  return {
    callsPerCreated: (calls / created) * 1_000,
    callsPerBad: (calls - needed) / bad,
    missing: load.count - bad - created,
  };
}

/** @returns good pairs in the failed set. @throws Error if a bad pair is missing there, or counted wrongly */
async function wronglyRejected(installation: Installation, load: Load): Promise<number> {
  const failed = await installation.queue.getFailed(0, -1);
  const pairs = failed.flatMap(({ data }) =>
    ((data as JobData).rejected ?? []).flatMap(({ pairs }) => pairs),
  );
  const [bad, counted] = [pairs.filter(isBad).length, await installation.rejected()];
  if (bad !== countBad(load) || counted !== pairs.length)
    throw new Error(
      `of ${countBad(load)} bad ones ${bad} are in the failed set; of ${pairs.length} in it, ${counted} are counted`,
    );
  return pairs.length - bad;
}

const describe = ({ badPerMille, refusal }: Case): string => `${badPerMille / 10} % bad, ${WORDS[refusal]}`;

function say({ say }: Options, one: Case, who: string, figures: Figures | undefined): void {
  if (!figures) return;
  const { callsPerBad, missing } = figures;
  say(
    `${describe(one)}: ${who} ${callsPerBad.toFixed(1)} calls per bad input, ${missing} good ones not created`,
  );
}
