/** How long does an association of a trickle take from enqueue() until HubSpot reports that it is created? */
import type { Producer } from '../src/producer/api.js';
import { createProducer } from '../src/producer/create-producer.js';
import { sleep } from '../src/shared/runtime/wait.js';
import { nowMs } from '../src/simulator/state.js';
import { associationAt } from './support/associations.js';
import { withInstallation } from './support/installation.js';
import { type Answer, type Options, type Question, quantile } from './support/row.js';
import { LATENCY_MS, type SimulatorProcess, withSimulator } from './support/simulator.js';
import { until } from './support/until.js';

type Trickle = { readonly perSecond: number; readonly seconds: number };
const FULL: readonly Trickle[] = [
  { perSecond: 5, seconds: 60 },
  { perSecond: 50, seconds: 20 },
  { perSecond: 500, seconds: 15 },
];
const QUICK: readonly Trickle[] = [{ perSecond: 50, seconds: 4 }];
const planOf = ({ quick }: Options) => (quick ? QUICK : FULL);

const LIMIT = { calls: 100, windowMs: 10_000 };
/** The defaults of a worker, because the bench's usual settings remove its limits. */
const DEFAULTS = { RATE_LIMIT_CALLS: '100', DAILY_CALL_LIMIT: '500000' };
const LINGER_MS = 250; // the default of BATCH_LINGER_MS
const GOAL = { perSecond: 5, ms: LINGER_MS + LATENCY_MS + 25 };

export const latency: Question = {
  title: 'Latency: single associations that trickle in',
  seconds: { full: 115, quick: 7 },
  method: options =>
    [
      `One worker process with its default settings (BATCH_LINGER_MS ${LINGER_MS}, 100 calls per 10 s, 500,000 a day); the simulator has HubSpot's limit and ${LATENCY_MS} ms latency.`,
      `Single calls of enqueue() at random moments (exponential gaps), on average ${planOf(options)
        .map(({ perSecond, seconds }) => `${perSecond} a second for ${seconds} s`)
        .join(', ')}.`,
      'From the call of enqueue() to the answer that says it is created (ledger of the simulator; same machine, same clock). Calls per association: all calls ÷ all associations.',
    ].join(' '),
  run: (options, answer) =>
    withSimulator(LIMIT, simulator =>
      withInstallation(options, async installation => {
        await installation.startWorkers(simulator.url, DEFAULTS);
        const producer = createProducer({ redisUrl: options.redisUrl, prefix: installation.prefix });
        try {
          await producer.connected();
          await producer.enqueue(associationAt(0)); // not measured: it includes connecting and compilation
          await installation.drained();
          for (const trickle of planOf(options)) await measure(producer, simulator, trickle, options, answer);
        } finally {
          await producer.close();
        }
      }),
    ),
};

async function measure(
  producer: Producer,
  simulator: SimulatorProcess,
  { perSecond, seconds }: Trickle,
  { say }: Options,
  answer: Answer,
): Promise<void> {
  await simulator.reset();
  const enqueued = await trickle(producer, perSecond, seconds);
  const all = async () => (await simulator.totals()).created >= enqueued.size;
  await until('all of the trickle is created', all, 50);
  await sleep(2 * LATENCY_MS); // for the last answer
  const calls = await simulator.calls();
  const ms = (await simulator.created()).map(({ from, call }) => {
    const { at = Number.NaN, ms = Number.NaN } = calls[call - 1] ?? {};
    return at + ms - (enqueued.get(from) ?? Number.NaN);
  });
  const perAssociation = calls.length / enqueued.size;
  const what = `${perSecond} a second`;
  const p99 = quantile(ms, 0.99);
  const goal = perSecond === GOAL.perSecond && ({ at: 'most', value: GOAL.ms } as const);
  answer(
    { what: `${what}: until created`, unit: 'ms', values: ms },
    { what: `${what}: until created, p99`, unit: 'ms', values: [p99], main: true, ...(goal && { goal }) },
    { what: `${what}: calls per association`, unit: '', values: [perAssociation] },
  );
  say(
    `${what}: p50 ${quantile(ms, 0.5).toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, ${perAssociation.toFixed(3)} calls each`,
  );
}

/** @returns when enqueue() was called (epoch ms), by the left record's id */
async function trickle(
  producer: Producer,
  perSecond: number,
  seconds: number,
): Promise<ReadonlyMap<string, number>> {
  const enqueued = new Map<string, number>();
  const acknowledged: Promise<unknown>[] = [];
  const since = performance.now();
  let next = since;
  while (next < since + seconds * 1_000) {
    await sleep(next - performance.now());
    const association = associationAt(enqueued.size + 1);
    enqueued.set(String(association.from), nowMs());
    acknowledged.push(producer.enqueue(association));
    next += (-Math.log(1 - Math.random()) * 1_000) / perSecond;
  }
  await Promise.all(acknowledged);
  return enqueued;
}
