/** What do many replicas of one account cost, which can all do the work of one? And what if the one that works is killed? */
import { MAX_INPUTS_PER_CALL } from '../src/shared/contract/association.js';
import { sleep } from '../src/shared/runtime/wait.js';
import { nowMs } from '../src/simulator/state.js';
import { jobs, OBJECT_PAIR, pairAt, TYPES } from './support/associations.js';
import { type Installation, withInstallation } from './support/installation.js';
import { fromRoot } from './support/paths.js';
import { ReplicaHosts } from './support/replica-hosts.js';
import type { Answer, Options, Question, Row } from './support/row.js';
import { type SimulatorProcess, withSimulator } from './support/simulator.js';
import { until } from './support/until.js';

const LIMIT = { calls: 100, windowMs: 10_000 };
const PAIRS_PER_JOB = 500;
const GOAL = { timesTheCalls: 1.2, throughput: 0.95 };
/** A further build whose replicas are measured in turn with ours. */
const OTHER = process.env.BENCH_OTHER_BUILD;

type Plan = {
  readonly replicas: readonly number[];
  readonly trickles: readonly { readonly perSecond: number; readonly seconds: number }[];
  readonly backlog: number;
  readonly kills: boolean;
};
const FULL: Plan = {
  replicas: [1, 2, 20, 50],
  trickles: [
    { perSecond: 5, seconds: 40 },
    { perSecond: 50, seconds: 20 },
  ],
  backlog: 1_000_000,
  kills: true,
};
const QUICK: Plan = {
  replicas: [1, 10],
  trickles: [{ perSecond: 50, seconds: 8 }],
  backlog: 100_000,
  kills: false,
};
const planOf = ({ quick }: Options): Plan => (quick ? QUICK : FULL);
/** What arrives after the kill. */
const KILL = { perSecond: 5, seconds: 15 };

export const replicas: Question = {
  title: 'Replicas: many of one account',
  seconds: { full: 770, quick: 75 },
  method: options => {
    const { trickles, backlog } = planOf(options);
    return [
      `Replicas with all their parts, several in each process, at the real Redis; the simulator has HubSpot's limit (${LIMIT.calls} calls per ${LIMIT.windowMs / 1_000} s).`,
      `Jobs of one association, ${trickles.map(({ perSecond, seconds }) => `${perSecond} a second for ${seconds} s`).join(', ')}, at the same moments in each case; then a backlog of ${backlog.toLocaleString('en')} in jobs of ${PAIRS_PER_JOB}.`,
      'Under lock: the most associations of active jobs at any moment. Commands: those that the replicas send. Killed: kill -9 of the replica that works, while 5 associations a second arrive; how long those of the time after it wait at most.',
      OTHER === undefined ? '' : '"Before": the same with another build.',
    ]
      .join(' ')
      .trim();
  },
  async run(options, answer) {
    const builds = [
      { name: '', build: fromRoot('dist') },
      ...(OTHER ? [{ name: 'before: ', build: OTHER }] : []),
    ];
    for (const { name, build } of builds) {
      let one: Figures | undefined;
      for (const count of planOf(options).replicas) {
        const figures = await measure(options, count, build);
        one ??= figures;
        const what = `${name}${count} replica${count === 1 ? '' : 's'}`;
        describe(what, figures, name === '' && count > 1 ? one : undefined, answer);
        options.say(`${what}: ${inShort(figures)}`);
      }
    }
  },
};

type Figures = {
  readonly trickles: readonly { perSecond: number; callsEach: number; commands: number }[];
  readonly refused: number;
  readonly perSecond: number;
  readonly underLock: number;
  readonly commands: number;
  readonly killedMs: number | undefined;
};

function measure(options: Options, count: number, build: string): Promise<Figures> {
  const { trickles, backlog, kills } = planOf(options);
  return withSimulator(LIMIT, simulator =>
    withInstallation(options, async installation => {
      const hosts = await ReplicaHosts.start(count, {
        ...{ build, redisUrl: options.redisUrl, prefix: installation.prefix, hubspotUrl: simulator.url },
      });
      try {
        await drip(installation, { perSecond: 50, seconds: 1 }); // the first jobs include connecting and compilation
        await installation.drained();
        const dripped = [];
        let refused = 0;
        for (const trickle of trickles) {
          await quiet(simulator);
          const before = await hosts.commands();
          const enqueued = await drip(installation, trickle);
          const sent = (await hosts.commands()) - before;
          await installation.drained();
          const calls = await simulator.calls();
          refused += calls.filter(({ status }) => status === 429).length;
          dripped.push({
            perSecond: trickle.perSecond,
            callsEach: calls.length / enqueued.size,
            commands: sent / trickle.seconds,
          });
        }
        await quiet(simulator);
        const backlogged = await drain(installation, simulator, hosts, backlog);
        refused += backlogged.refused;
        const killedMs = kills && count > 1 ? await kill(installation, simulator, hosts) : undefined;
        return { ...backlogged, trickles: dripped, refused, killedMs };
      } finally {
        await hosts.stop();
      }
    }),
  );
}

/** Waits until the quota's window is empty, and clears the ledger. */
async function quiet(simulator: SimulatorProcess): Promise<void> {
  await sleep(LIMIT.windowMs);
  await simulator.reset();
}

/** Numbers of the associations go on over all trickles, because HubSpot keeps one association of each. */
let number = 10_000_000;

/** Jobs of one association, at random but reproducible moments. @returns when each was enqueued (epoch ms), by its left id */
async function drip(
  installation: Installation,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<ReadonlyMap<string, number>> {
  const enqueued = new Map<string, number>();
  const added: Promise<unknown>[] = [];
  const since = performance.now();
  let seed = 1;
  for (let next = since; next < since + seconds * 1_000; ) {
    await sleep(next - performance.now());
    const pair = pairAt(number++);
    enqueued.set(pair[0], nowMs());
    added.push(installation.add([{ version: 1, ...OBJECT_PAIR, types: TYPES, pairs: [pair] }]));
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    next += (-Math.log(1 - seed / 0x80000000) * 1_000) / perSecond;
  }
  await Promise.all(added);
  return enqueued;
}

async function drain(
  installation: Installation,
  simulator: SimulatorProcess,
  hosts: ReplicaHosts,
  count: number,
): Promise<Pick<Figures, 'perSecond' | 'underLock' | 'commands' | 'refused'>> {
  await installation.queue.pause();
  await installation.add(jobs(count, [PAIRS_PER_JOB]));
  const before = { created: await installation.created(), commands: await hosts.commands() };
  const since = performance.now();
  await installation.queue.resume();
  let active = 0;
  const isDone = async () => {
    active = Math.max(active, await installation.queue.getActiveCount());
    return (await installation.created()) >= before.created + count;
  };
  await until('the backlog is created', isDone, 100);
  const seconds = (performance.now() - since) / 1_000;
  const calls = await simulator.calls();
  return {
    perSecond: count / seconds,
    underLock: active * PAIRS_PER_JOB,
    commands: ((await hosts.commands()) - before.commands) / seconds,
    refused: calls.filter(({ status }) => status === 429).length,
  };
}

/** Places fall half a minute after a backlog. */
const ONE_PLACE_MS = 35_000;

/** @returns the longest time that an association waited which was enqueued after the kill */
async function kill(
  installation: Installation,
  simulator: SimulatorProcess,
  hosts: ReplicaHosts,
): Promise<number> {
  await sleep(ONE_PLACE_MS);
  await simulator.reset();
  hosts.killFirst();
  const enqueued = await drip(installation, KILL);
  const all = async () => {
    const created = new Set((await simulator.created()).map(({ from }) => from));
    return [...enqueued.keys()].every(from => created.has(from));
  };
  await until('what was enqueued after the kill is created', all, 200);
  const calls = await simulator.calls();
  let most = 0;
  for (const { from, call } of await simulator.created()) {
    const { at = Number.NaN, ms = Number.NaN } = calls[call - 1] ?? {};
    most = Math.max(most, at + ms - (enqueued.get(from) ?? Number.POSITIVE_INFINITY));
  }
  return most;
}

const inShort = ({ trickles, perSecond, underLock, refused }: Figures): string =>
  [
    ...trickles.map(one => `${one.callsEach.toFixed(3)} calls each at ${one.perSecond}/s`),
    `${Math.round(perSecond)}/s with a backlog, ${underLock} under lock, ${refused} refused`,
  ].join(', ');

function describe(what: string, figures: Figures, one: Figures | undefined, answer: Answer): void {
  const rows: Row[] = figures.trickles.map(({ perSecond, callsEach }, at) => ({
    what: `${what}, ${perSecond} a second: calls per association`,
    unit: '',
    values: [callsEach],
    main: true,
    ...(one && {
      goal: { at: 'most', value: GOAL.timesTheCalls * (one.trickles[at]?.callsEach ?? 0) } as const,
    }),
  }));
  rows.push(
    {
      what: `${what}, backlog: associations a second`,
      unit: '/s',
      values: [figures.perSecond],
      main: true,
      ...(one && { goal: { at: 'least', value: GOAL.throughput * one.perSecond } as const }),
    },
    {
      what: `${what}: 429s`,
      unit: '',
      values: [figures.refused],
      ...(one && { goal: { at: 'most', value: one.refused } as const }),
    },
    {
      what: `${what}, backlog: most associations under lock`,
      unit: '',
      values: [figures.underLock],
      ...(one && {
        goal: { at: 'most', value: 2 * LIMIT.calls * MAX_INPUTS_PER_CALL } as const,
      }),
    },
    ...figures.trickles.map(({ perSecond, commands }) => ({
      what: `${what}, ${perSecond} a second: commands to Redis`,
      unit: '/s',
      values: [commands],
    })),
    { what: `${what}, backlog: commands to Redis`, unit: '/s', values: [figures.commands] },
  );
  if (figures.killedMs !== undefined)
    rows.push({ what: `${what}, killed: longest wait`, unit: 'ms', values: [figures.killedMs] });
  answer(...rows);
}
