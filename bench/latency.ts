/** How long does a single association of an idle queue take to reach HubSpot? */
import { createProducer, type Producer } from '../src/producer/producer.js';
import { sleep } from '../src/shared/wait.js';
import { nowMs } from '../src/simulator/state.js';
import { associationAt } from './support/associations.js';
import { withInstallation } from './support/installation.js';
import { type Options, type Question, quantile, type Row } from './support/row.js';
import { type SimulatorProcess, startSimulatorProcess } from './support/simulator.js';

const SINGLES = { full: 60, quick: 12 };
const LINGER_MS = 250; // the default of BATCH_LINGER_MS
const LATENCY_GOAL_MS = LINGER_MS + 50;

/** Epoch ms, as the ledger has them. */
type Moments = { readonly called: number; readonly acknowledged: number };

export const latency: Question = {
  title: 'Latency: a single association of an idle queue',
  method: ({ quick }) =>
    `One worker process with the default BATCH_LINGER_MS of ${LINGER_MS}, idle for 0.2 to 0.5 s before each of ${quick ? SINGLES.quick : SINGLES.full} single associations. From the call of enqueue(), and from its acknowledgement, to the arrival of the batch at the simulator (its ledger; same machine, same clock).`,
  async run(options) {
    const simulator = await startSimulatorProcess();
    try {
      return await withInstallation(options, async installation => {
        await installation.startWorkers(simulator.url);
        const producer = createProducer({ redisUrl: options.redisUrl, prefix: installation.prefix });
        try {
          await producer.connected();
          return await measure(producer, simulator, options);
        } finally {
          await producer.close();
        }
      });
    } finally {
      await simulator.stop();
    }
  },
};

async function measure(
  producer: Producer,
  simulator: SimulatorProcess,
  { quick, say }: Options,
): Promise<Row[]> {
  const count = quick ? SINGLES.quick : SINGLES.full;
  await single(producer, simulator, 0); // the first one also pays for connections and compilation
  const moments: Moments[] = [];
  while (moments.length < count) {
    moments.push(await single(producer, simulator, moments.length + 1));
    if (moments.length % 10 === 0) say(`${moments.length} of ${count} singles`);
  }
  const arrivals = (await simulator.calls()).slice(1).map(({ at }) => at);
  if (arrivals.length !== count) throw new Error(`${count} singles made ${arrivals.length} calls`);
  const since = (moment: keyof Moments) =>
    moments.map((single, index) => (arrivals[index] ?? Number.NaN) - single[moment]);
  const goal = { at: 'most', value: LATENCY_GOAL_MS } as const;
  const [called, acknowledged] = [since('called'), since('acknowledged')];
  return [
    { what: 'from the call of enqueue() to arrival', unit: 'ms', values: called, goal },
    { what: 'from the call to arrival, p99', unit: 'ms', values: [quantile(called, 0.99)], goal, main: true },
    { what: 'from the acknowledgement to arrival', unit: 'ms', values: acknowledged },
    { what: 'from the acknowledgement to arrival, p99', unit: 'ms', values: [quantile(acknowledged, 0.99)] },
  ];
}

/** One association, and its way to the end: until it is in the ledger and the worker is idle again. */
async function single(producer: Producer, simulator: SimulatorProcess, index: number): Promise<Moments> {
  const called = nowMs();
  await producer.enqueue(associationAt(index));
  const acknowledged = nowMs();
  await sleep(LINGER_MS);
  while ((await simulator.totals()).created <= index) await sleep(20);
  await sleep(200 + 300 * Math.random());
  return { called, acknowledged };
}
