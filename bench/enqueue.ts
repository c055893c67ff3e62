/** How many associations a second does Redis acknowledge, compared with one job for each? */
import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createProducer } from '../src/producer/producer.js';
import type { Association } from '../src/shared/association.js';
import { JOB_NAME } from '../src/shared/queue.js';
import { associations } from './support/associations.js';
import { Installation } from './support/installation.js';
import { type Options, type Question, type Row, ratios } from './support/row.js';

const FULL = { rounds: 7, ours: 200_000, theirs: 50_000 };
const QUICK = { rounds: 3, ours: 200_000, theirs: 20_000 };

/** @returns milliseconds from the first call to the last acknowledgement */
type Way = (options: Options, items: readonly Association[]) => Promise<number>;

export const enqueue: Question = {
  title: 'Enqueue: acknowledged associations a second',
  method: options => {
    const { rounds, ours, theirs } = options.quick ? QUICK : FULL;
    return [
      `One process, no worker. ${rounds} rounds after one that does not count, in each of them in turn:`,
      `${ours.toLocaleString('en')} concurrent calls of enqueue() awaited together; enqueueMany() of the same number;`,
      `and, as most people would write it, ${theirs.toLocaleString('en')} concurrent Queue.add() with one association each (fewer, because it is slower; awaited together, on one connection that pipelines them).`,
      'The associations exist before the clock starts. Each way has a connection of its own, open before. The number of associations in the queue is checked afterwards. Ratios are taken within a round.',
    ].join(' ');
  },
  async run(options) {
    const { rounds, ours, theirs } = options.quick ? QUICK : FULL;
    const items = [...associations(ours)];
    const [single, many, add]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round <= rounds; round++) {
      const rates = [
        perSecond(ours, await byEnqueue(options, items)),
        perSecond(ours, await byEnqueueMany(options, items)),
        perSecond(theirs, await byQueueAdd(options, items.slice(0, theirs))),
      ] as const;
      if (round === 0) continue;
      single.push(rates[0]);
      many.push(rates[1]);
      add.push(rates[2]);
      const [one, two, three] = rates.map(rate => `${Math.round(rate / 1_000)}k/s`);
      options.say(`round ${round}: enqueue() ${one}, enqueueMany() ${two}, Queue.add() ${three}`);
    }
    return rows(single, many, add);
  },
};

const rows = (single: number[], many: number[], add: number[]): Row[] => [
  { what: 'enqueue(), concurrent', unit: '/s', values: single, goal: { at: 'least', value: 100_000 } },
  { what: 'enqueueMany()', unit: '/s', values: many },
  { what: 'Queue.add(), one job each', unit: '/s', values: add },
  {
    what: 'enqueue() ÷ Queue.add()',
    unit: '×',
    values: ratios(single, add),
    goal: { at: 'least', value: 5 },
    main: true,
  },
  { what: 'enqueueMany() ÷ Queue.add()', unit: '×', values: ratios(many, add), main: true },
];

const byEnqueue: Way = (options, items) =>
  withProducer(options, items.length, async producer => {
    await Promise.all(items.map(item => producer.enqueue(item)));
  });

const byEnqueueMany: Way = (options, items) =>
  withProducer(options, items.length, async producer => {
    await producer.enqueueMany(items);
  });

async function withProducer(
  options: Options,
  count: number,
  use: (producer: ReturnType<typeof createProducer>) => Promise<void>,
): Promise<number> {
  const installation = new Installation(options);
  const producer = createProducer({ redisUrl: options.redisUrl, prefix: installation.prefix });
  try {
    await producer.connected();
    const since = performance.now();
    await use(producer);
    const ms = performance.now() - since;
    await checkQueued(installation, count);
    return ms;
  } finally {
    await producer.close();
    await installation.end();
  }
}

/** Also that full jobs were made of them. */
async function checkQueued({ queue }: Installation, count: number): Promise<void> {
  const jobs = await queue.getWaiting(0, -1);
  const found = jobs.reduce((sum, job) => sum + (job.data as { pairs: unknown[] }).pairs.length, 0);
  if (found !== count) throw new Error(`${count} associations were acknowledged, ${found} are in the queue`);
}

const byQueueAdd: Way = async ({ redisUrl }, items) => {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue('one-by-one', {
    connection: redis,
    prefix: `bench-${randomUUID().slice(0, 8)}`,
  });
  try {
    await queue.waitUntilReady();
    const since = performance.now();
    await Promise.all(items.map(item => queue.add(JOB_NAME, item)));
    const ms = performance.now() - since;
    const queued = await queue.getWaitingCount();
    if (queued !== items.length) throw new Error(`${items.length} jobs were added, ${queued} are there`);
    return ms;
  } finally {
    await queue.obliterate({ force: true, count: 10_000 });
    await queue.close();
    redis.disconnect();
  }
};

const perSecond = (count: number, ms: number): number => (count / ms) * 1_000;
