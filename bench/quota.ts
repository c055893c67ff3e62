/** What share of the allowed calls do replicas use while there is a backlog, and do they keep the limit? */
import { createProducer } from '../src/producer/create-producer.js';
import { MAX_INPUTS_PER_CALL } from '../src/shared/contract/association.js';
import { sleep } from '../src/shared/runtime/wait.js';
import type { CallRecord } from '../src/simulator/ledger.js';
import { associations } from './support/associations.js';
import { withInstallation } from './support/installation.js';
import type { Options, Question, Row } from './support/row.js';
import { type SimulatorProcess, withSimulator } from './support/simulator.js';

const CALLS = 100;
/** Cases: the replicas' limit, and the calls that another program makes in each window. */
const THIRD = 33;

type Case = {
  readonly what: string;
  readonly replicas: number;
  /** RATE_LIMIT_CALLS of the replicas */
  readonly told: number;
  /** calls of the other program in a window */
  readonly others: number;
  /** goal for the share used; undefined = only shown */
  readonly goal?: number;
};
type Plan = { readonly windowMs: number; readonly windows: number; readonly cases: readonly Case[] };
const alone = (replicas: number): Case => ({
  what: `${replicas} replica${replicas === 1 ? '' : 's'}`,
  replicas,
  told: CALLS,
  others: 0,
  goal: 98,
});
const shared = { replicas: 2, others: THIRD };
const FULL: Plan = {
  windowMs: 10_000,
  windows: 6,
  cases: [
    alone(1),
    alone(2),
    alone(4),
    { ...shared, what: '2 replicas, a third taken, told so', told: CALLS - THIRD, goal: 98 },
    { ...shared, what: '2 replicas, a third taken, not told', told: CALLS },
  ],
};
const QUICK: Plan = { windowMs: 5_000, windows: 2, cases: [alone(2)] };
const planOf = ({ quick }: Options): Plan => (quick ? QUICK : FULL);
/** The measurement ends before the queue is empty, so that the last window has a backlog as well. */
const SPARE_WINDOWS = 0.5;
const GOALS = { refusedPerThousand: 1, fill: 99.5 };

export const quota: Question = {
  title: 'Quota: replicas under one limit, with a backlog',
  seconds: { full: 375, quick: 16 },
  method: options => {
    const { windows, windowMs, cases } = planOf(options);
    return [
      `The simulator lets ${CALLS} calls into any rolling window of ${windowMs / 1_000} s, counted by arrival, as HubSpot does, and answers 429 to the others; a backlog of jobs of 500 that outlasts ${windows} windows.`,
      'Replicas are up before the queue is resumed. Share used: calls that were let in from the first arrival on to the end of the last full window ÷ what is allowed in that time.',
      cases.some(({ others }) => others > 0)
        ? `"A third taken": another program makes ${THIRD} calls in each window, evenly, which count; told so, the replicas have RATE_LIMIT_CALLS=${CALLS - THIRD}, not told, ${CALLS}. The share is then that of both together, the 429s and the fill are ours.`
        : '',
    ]
      .join(' ')
      .trim();
  },
  async run(options, answer) {
    const plan = planOf(options);
    for (const one of plan.cases) {
      const figures = await measure(options, plan, one);
      answer(...describe(one, figures));
      options.say(
        `${one.what}: ${(figures.used * 100).toFixed(1)} % used, ${figures.refused} of ${figures.ours} refused, ` +
          `at most ${figures.most} in a window, batches ${(figures.fill * 100).toFixed(2)} % full`,
      );
    }
  },
};

type Figures = {
  /** share of the allowed calls that were admitted, of all programs */
  readonly used: number;
  /** our calls, and those of them that got a 429 */
  readonly ours: number;
  readonly refused: number;
  readonly most: number;
  readonly fill: number;
};

async function measure(options: Options, plan: Plan, { replicas, told, others }: Case): Promise<Figures> {
  const { windowMs, windows } = plan;
  return withSimulator({ calls: CALLS, windowMs }, simulator =>
    withInstallation(options, async installation => {
      await installation.queue.pause();
      const producer = createProducer({ redisUrl: options.redisUrl, prefix: installation.prefix });
      await producer.enqueueMany(associations((windows + 1.5) * CALLS * MAX_INPUTS_PER_CALL));
      await producer.close();
      const env = { RATE_LIMIT_CALLS: String(told), RATE_LIMIT_WINDOW_MS: String(windowMs) };
      await installation.startWorkers(simulator.url, env, replicas);
      const ending = new AbortController();
      const other = others > 0 ? callEvenly(simulator, windowMs / others, ending.signal) : undefined;
      if (other) await sleep(windowMs); // until the other program takes its share of every window
      await installation.queue.resume();
      await sleep((windows + SPARE_WINDOWS) * windowMs);
      ending.abort();
      await other;
      return await read(simulator, plan);
    }),
  );
}

/** Another program on the same account: small calls for another object pair. Its 429s are not counted. */
async function callEvenly(simulator: SimulatorProcess, gapMs: number, signal: AbortSignal): Promise<void> {
  const init = {
    method: 'POST',
    headers: { authorization: 'Bearer pat-other' },
    body: JSON.stringify({
      inputs: [
        {
          from: { id: '1' },
          to: { id: '2' },
          types: [{ associationCategory: 'USER_DEFINED', associationTypeId: 1 }],
        },
      ],
    }),
  };
  while (!signal.aborted) {
    const [response] = await Promise.all([
      fetch(`${simulator.url}${OTHERS_PATH}`, init),
      sleep(gapMs, signal),
    ]);
    await response.arrayBuffer();
  }
}
const OTHERS_PATH = '/crm/v4/associations/tickets/contacts/batch/create';

async function read(simulator: SimulatorProcess, { windows, windowMs }: Plan): Promise<Figures> {
  const isOurs = ({ path }: CallRecord) => path !== OTHERS_PATH;
  const all = await simulator.calls();
  const since = all.find(isOurs)?.at ?? 0;
  const calls = all.filter(({ at }) => at >= since && at < since + windows * windowMs);
  const ours = calls.filter(isOurs);
  const oursLetIn = ours.filter(({ counted }) => counted);
  const inputs = oursLetIn.reduce((sum, call) => sum + call.inputs, 0);
  return {
    used: calls.filter(({ counted }) => counted).length / (CALLS * windows),
    ours: ours.length,
    refused: ours.filter(({ status }) => status === 429).length,
    most: mostInWindow(calls, windowMs),
    fill: inputs / oursLetIn.length / MAX_INPUTS_PER_CALL,
  };
}

/** All calls that the replicas tried, including refused ones. */
function mostInWindow(calls: readonly CallRecord[], windowMs: number): number {
  let [most, first] = [0, 0];
  for (const [index, { at }] of calls.entries()) {
    while ((calls[first]?.at ?? at) <= at - windowMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

function describe({ what, goal }: Case, figures: Figures): Row[] {
  const least = (value: number | undefined) =>
    value === undefined ? {} : { goal: { at: 'least', value } as const };
  const most = (value: number) => (goal === undefined ? {} : { goal: { at: 'most', value } as const });
  return [
    {
      what: `${what}: allowed calls used`,
      unit: '%',
      values: [figures.used * 100],
      main: true,
      ...least(goal),
    },
    {
      what: `${what}: 429s per 1,000 calls`,
      unit: '',
      values: [(figures.refused / figures.ours) * 1_000],
      main: true,
      ...most(GOALS.refusedPerThousand),
    },
    { what: `${what}: most calls in any window`, unit: '', values: [figures.most], ...most(CALLS) },
    {
      what: `${what}: mean batch fill`,
      unit: '%',
      values: [figures.fill * 100],
      ...least(goal && GOALS.fill),
    },
    { what: `${what}: associations per call`, unit: '', values: [figures.fill * MAX_INPUTS_PER_CALL] },
  ];
}
