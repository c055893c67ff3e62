/** How much of the allowed calls do replicas use while there is a backlog, and do they keep the limit? */
import { createProducer } from '../src/producer/producer.js';
import { MAX_INPUTS_PER_CALL } from '../src/shared/association.js';
import { sleep } from '../src/shared/wait.js';
import type { CallRecord } from '../src/simulator/ledger.js';
import { associations } from './support/associations.js';
import { withInstallation } from './support/installation.js';
import type { Options, Question, Row } from './support/row.js';
import { type Limit, type SimulatorProcess, startSimulatorProcess } from './support/simulator.js';

const CALLS = 100;
type Plan = { readonly windowMs: number; readonly windows: number; readonly replicas: readonly number[] };
const FULL: readonly Plan[] = [
  { windowMs: 5_000, windows: 6, replicas: [1, 2, 4] },
  { windowMs: 10_000, windows: 6, replicas: [1, 2, 4] },
];
const QUICK: readonly Plan[] = [{ windowMs: 5_000, windows: 5, replicas: [2] }];
/** Workers leave the queue with work in it: the last window is one of a backlog, too. */
const SPARE_WINDOWS = 0.5;

export const quota: Question = {
  title: 'Quota: replicas under one limit, with a backlog',
  method: options => {
    const plans = (options.quick ? QUICK : FULL).map(
      ({ windowMs, windows }) => `${windows} windows of ${windowMs / 1_000} s`,
    );
    return [
      `The simulator lets ${CALLS} calls into any rolling window, counted by arrival, as HubSpot does, and answers 429 to the others; ${plans.join(', and ')}, each with its own backlog of jobs of 500 that outlasts them.`,
      'Replicas are up before the queue is resumed. Share used: calls that were let in from the first arrival on to the end of the last full window ÷ what is allowed in that time.',
    ].join(' ');
  },
  async run(options) {
    const rows: Row[] = [];
    for (const plan of options.quick ? QUICK : FULL)
      for (const replicas of plan.replicas) {
        const limit = { calls: CALLS, windowMs: plan.windowMs };
        const figures = await measure(options, limit, plan.windows, replicas);
        rows.push(...describe(limit, replicas, figures));
        options.say(
          `${replicas} × worker, ${limit.calls} calls per ${limit.windowMs} ms: ${(figures.used * 100).toFixed(1)} % used, ` +
            `${figures.refused} refused, at most ${figures.most} in a window, batches ${(figures.fill * 100).toFixed(2)} % full`,
        );
      }
    return rows;
  },
};

type Figures = {
  readonly used: number;
  readonly refused: number;
  readonly most: number;
  readonly fill: number;
};

async function measure(options: Options, limit: Limit, windows: number, replicas: number): Promise<Figures> {
  const simulator = await startSimulatorProcess(limit);
  try {
    return await withInstallation(options, async installation => {
      await installation.queue.pause();
      const producer = createProducer({ redisUrl: options.redisUrl, prefix: installation.prefix });
      await producer.enqueueMany(associations((windows + 2) * limit.calls * MAX_INPUTS_PER_CALL));
      await producer.close();
      const env = {
        RATE_LIMIT_CALLS: String(limit.calls),
        RATE_LIMIT_WINDOW_MS: String(limit.windowMs),
      };
      await installation.startWorkers(simulator.url, env, replicas);
      await installation.queue.resume();
      await sleep((windows + SPARE_WINDOWS) * limit.windowMs);
      return await read(simulator, limit, windows);
    });
  } finally {
    await simulator.stop();
  }
}

async function read(simulator: SimulatorProcess, limit: Limit, windows: number): Promise<Figures> {
  const all = await simulator.calls();
  const until = (all[0]?.at ?? 0) + windows * limit.windowMs;
  const calls = all.filter(({ at }) => at < until);
  const letIn = calls.filter(({ counted }) => counted);
  const inputs = letIn.reduce((sum, call) => sum + call.inputs, 0);
  return {
    used: letIn.length / (limit.calls * windows),
    refused: calls.filter(({ status }) => status === 429).length,
    most: mostInWindow(calls, limit.windowMs),
    fill: inputs / letIn.length / MAX_INPUTS_PER_CALL,
  };
}

/** Refused ones too: what the replicas tried. */
function mostInWindow(calls: readonly CallRecord[], windowMs: number): number {
  let [most, first] = [0, 0];
  for (const [index, { at }] of calls.entries()) {
    while ((calls[first]?.at ?? at) <= at - windowMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

function describe({ calls, windowMs }: Limit, replicas: number, figures: Figures): Row[] {
  const what = `${windowMs / 1_000} s window, ${replicas} replica${replicas === 1 ? '' : 's'}`;
  return [
    {
      what: `${what}: allowed calls used`,
      unit: '%',
      values: [figures.used * 100],
      goal: { at: 'least', value: 97 },
      main: true,
    },
    {
      what: `${what}: 429s`,
      unit: '',
      values: [figures.refused],
      goal: { at: 'most', value: 0 },
      main: true,
    },
    {
      what: `${what}: most calls in any window`,
      unit: '',
      values: [figures.most],
      goal: { at: 'most', value: calls },
    },
    {
      what: `${what}: mean batch fill`,
      unit: '%',
      values: [figures.fill * 100],
      goal: { at: 'least', value: 99.5 },
    },
  ];
}
