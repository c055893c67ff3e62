/** What does a queue cost: bytes of Redis per association, memory of a worker, time to fill the queue? */
import { createProducer } from '../src/producer/create-producer.js';
import type { JobData } from '../src/shared/contract/association.js';
import { associations, jobs } from './support/associations.js';
import { type Installation, withInstallation } from './support/installation.js';
import { type Env, peakMemory } from './support/processes.js';
import type { Answer, Options, Question } from './support/row.js';
import { type SimulatorProcess, withSimulator } from './support/simulator.js';

type Backlog = { readonly count: number; readonly rounds: number };
/** The jobs in a worker's queue. */
type Diet = { readonly what: string; readonly jobs: () => Iterable<JobData> };
type Plan = { readonly backlogs: readonly Backlog[]; readonly diets: readonly Diet[] };

const FULL: Plan = {
  backlogs: [
    { count: 100_000, rounds: 5 },
    { count: 1_000_000, rounds: 5 },
    { count: 10_000_000, rounds: 1 },
  ],
  diets: [
    { what: 'jobs of 1', jobs: () => jobs(60_000, [1]) },
    { what: 'jobs of 10', jobs: () => jobs(400_000, [10]) },
    { what: 'jobs of 1, 10 and 500 in turn', jobs: () => jobs(600_000, [1, 10, 500]) },
    { what: 'jobs of 1, then jobs of 500', jobs: onesThenLarge },
    { what: 'jobs of 5,000', jobs: () => jobs(1_000_000, [5_000]) },
  ],
};
const QUICK: Plan = { backlogs: [{ count: 100_000, rounds: 1 }], diets: [] };
const planOf = ({ quick }: Options): Plan => (quick ? QUICK : FULL);

/** The worker's memory is measured while it handles this many associations; by then it has reached its maximum. */
const WATCHED = 1_000_000;
const COMPACT: Env = { COMPACT_HEAP: 'true' };
const GOALS = { bytesAt: 10_000_000, bytes: 30, megabytes: 300 };

export const memory: Question = {
  title: 'Memory: Redis, worker, and the time to fill a queue',
  seconds: { full: 190, quick: 3 },
  method: options => {
    const diets = planOf(options).diets.map(({ what }) => what);
    return [
      'Associations with ids of 9 digits through enqueueMany() (jobs of 500), no worker. used_memory of Redis after it minus before, with nobody else at work in that Redis, divided by their number; everything is removed in between.',
      `Then a worker starts on that backlog; its memory is the most it has held (VmHWM) when it has worked off the first ${WATCHED.toLocaleString('en')}, or all, without a limit of calls; "COMPACT_HEAP": the same with that setting.`,
      diets.length > 0 ? `The same for other jobs: ${diets.join('; ')}.` : '',
    ]
      .join(' ')
      .trim();
  },
  run: (options, answer) =>
    withSimulator(undefined, async simulator => {
      const { backlogs, diets } = planOf(options);
      for (const backlog of backlogs) await fill(options, simulator, backlog, answer);
      for (const diet of diets) await feed(options, simulator, diet, answer);
    }),
};

async function fill(
  options: Options,
  simulator: SimulatorProcess,
  { count, rounds }: Backlog,
  answer: Answer,
): Promise<void> {
  const what = `${count.toLocaleString('en')} queued`;
  const [bytes, seconds, peaks]: [number[], number[], number[]] = [[], [], []];
  let compact: number | undefined;
  for (let round = 1; round <= rounds; round++)
    await withInstallation(options, async installation => {
      const filled = await enqueue(options, installation, count);
      const peak = await watch(installation, simulator, Math.min(count, WATCHED));
      if (count >= 2 * WATCHED) compact = await watch(installation, simulator, 2 * WATCHED, COMPACT);
      bytes.push(filled.bytes);
      seconds.push(filled.seconds);
      if (peak !== undefined) peaks.push(peak);
      options.say(
        `${what}: ${filled.bytes.toFixed(1)} bytes each, enqueued in ${filled.seconds.toFixed(1)} s, worker ${peak?.toFixed(0) ?? '?'} MiB`,
      );
    });
  const most = (value: number) => ({ at: 'most', value }) as const;
  const isGoal = count === GOALS.bytesAt;
  answer(
    {
      what: `${what}: Redis`,
      unit: 'bytes each',
      values: bytes,
      main: true,
      ...(isGoal && { goal: most(GOALS.bytes) }),
    },
    { what: `${what}: time to enqueue them`, unit: 's', values: seconds },
  );
  if (peaks.length === 0) return;
  const goal = most(GOALS.megabytes);
  answer({ what: `${what}: worker`, unit: 'MiB', values: peaks, goal, main: true });
  if (compact !== undefined)
    answer({ what: `${what}: worker, COMPACT_HEAP`, unit: 'MiB', values: [compact], goal });
}

async function enqueue(
  { redisUrl }: Options,
  installation: Installation,
  count: number,
): Promise<{ bytes: number; seconds: number }> {
  const producer = createProducer({ redisUrl, prefix: installation.prefix });
  try {
    await producer.connected();
    const before = await installation.usedMemory();
    const since = performance.now();
    await producer.enqueueMany(associations(count));
    const seconds = (performance.now() - since) / 1_000;
    return { seconds, bytes: ((await installation.usedMemory()) - before) / count };
  } finally {
    await producer.close();
  }
}

async function feed(
  options: Options,
  simulator: SimulatorProcess,
  { what, jobs }: Diet,
  answer: Answer,
): Promise<void> {
  for (const [name, env] of [['worker', {}] as const, ['worker, COMPACT_HEAP', COMPACT] as const]) {
    const peak = await withInstallation(options, async installation => {
      let count = 0;
      await installation.add(counted(jobs(), size => (count += size)));
      return watch(installation, simulator, Math.min(count, WATCHED), env);
    });
    if (peak === undefined) return options.say(`${what}: this system does not tell a process' memory`);
    options.say(`${what}: ${name} ${Math.round(peak)} MiB`);
    const goal = { at: 'most', value: GOALS.megabytes } as const;
    answer({ what: `${what}: ${name}`, unit: 'MiB', values: [peak], goal });
  }
}

/** Runs a worker on the queue until this many associations are created. @returns its largest memory, MiB */
async function watch(
  installation: Installation,
  simulator: SimulatorProcess,
  created: number,
  env: Env = {},
): Promise<number | undefined> {
  await simulator.reset();
  const [worker] = await installation.startWorkers(simulator.url, env);
  await installation.createdReaches(created);
  const peak = worker && peakMemory(worker);
  await installation.stopWorkers();
  return peak;
}

/** Jobs of another size than the jobs before them. */
function* onesThenLarge(): Generator<JobData> {
  yield* jobs(20_000, [1]);
  yield* jobs(1_000_000, [500]);
}

function* counted(jobs: Iterable<JobData>, add: (size: number) => void): Generator<JobData> {
  for (const job of jobs) {
    add(job.pairs.length);
    yield job;
  }
}
