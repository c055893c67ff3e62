/** How many associations does Redis acknowledge per second, compared with one job for each association? */
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createProducer } from '../src/producer/create-producer.js';
import type { Association } from '../src/shared/contract/association.js';
import { JOB_NAME } from '../src/shared/contract/keys.js';
import { associations } from './support/associations.js';
import { Installation } from './support/installation.js';
import { newPrefix, removeKeys } from './support/keys.js';
import { type Options, type Question, type Row, ratios } from './support/row.js';

const FULL = { rounds: 7, ours: 200_000, theirs: 50_000 };
const QUICK = { rounds: 2, ours: 100_000, theirs: 10_000 };
const planOf = ({ quick }: Options) => (quick ? QUICK : FULL);
const GOALS = { rate: 150_000, ratio: 7 };
const JOBS_PER_BULK = 1_000;

/** @returns milliseconds from the first call to the last acknowledgement */
type Way = (options: Options, items: readonly Association[]) => Promise<number>;
const WAYS = ['enqueue', 'enqueueMany', 'add', 'addBulk'] as const;
type Rates = Readonly<Record<(typeof WAYS)[number], number[]>>;

export const enqueue: Question = {
  title: 'Enqueue: acknowledged associations a second',
  seconds: { full: 60, quick: 5 },
  method: options => {
    const { rounds, ours, theirs } = planOf(options);
    return [
      `One process, no worker. ${rounds} rounds after one that does not count, in each of them in turn:`,
      `${ours.toLocaleString('en')} concurrent calls of enqueue() awaited together; enqueueMany() of the same number;`,
      `and, as most people would write it, ${theirs.toLocaleString('en')} concurrent Queue.add() with one association each (fewer, because it is slower; awaited together, on one connection that pipelines them), and the same number by addBulk() of ${JOBS_PER_BULK.toLocaleString('en')} jobs at a time.`,
      'The associations exist before the clock starts. Each way has a connection of its own, open before. The number of associations in the queue is checked afterwards. Ratios are taken within a round.',
    ].join(' ');
  },
  async run(options, answer) {
    const { rounds, ours, theirs } = planOf(options);
    const [many, few] = [[...associations(ours)], [...associations(theirs)]];
    const rates: Rates = { enqueue: [], enqueueMany: [], add: [], addBulk: [] };
    for (let round = 0; round <= rounds; round++) {
      const ofRound = {
        enqueue: perSecond(ours, await byEnqueue(options, many)),
        enqueueMany: perSecond(ours, await byEnqueueMany(options, many)),
        add: perSecond(theirs, await byQueueAdd(options, few)),
        addBulk: perSecond(theirs, await byAddBulk(options, few)),
      };
      if (round === 0) continue;
      for (const way of WAYS) rates[way].push(ofRound[way]);
      const text = WAYS.map(way => `${way}() ${Math.round(ofRound[way] / 1_000)}k/s`).join(', ');
      options.say(`round ${round}: ${text}`);
    }
    answer(...rows(rates));
  },
};

const rows = ({ enqueue, enqueueMany, add, addBulk }: Rates): Row[] => [
  { what: 'enqueue(), concurrent', unit: '/s', values: enqueue, goal: { at: 'least', value: GOALS.rate } },
  { what: 'enqueueMany()', unit: '/s', values: enqueueMany },
  { what: 'Queue.add(), one job each', unit: '/s', values: add },
  { what: 'Queue.addBulk(), one job each', unit: '/s', values: addBulk },
  {
    what: 'enqueue() ÷ Queue.add()',
    unit: '×',
    values: ratios(enqueue, add),
    goal: { at: 'least', value: GOALS.ratio },
    main: true,
  },
  { what: 'enqueueMany() ÷ Queue.addBulk()', unit: '×', values: ratios(enqueueMany, addBulk), main: true },
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

/** Also checks that the producer made full jobs. */
async function checkQueued({ queue }: Installation, count: number): Promise<void> {
  const jobs = await queue.getWaiting(0, -1);
  const found = jobs.reduce((sum, job) => sum + (job.data as { pairs: unknown[] }).pairs.length, 0);
  if (found !== count) throw new Error(`${count} associations were acknowledged, ${found} are in the queue`);
}

const byQueueAdd: Way = (options, items) =>
  withQueue(options, items.length, async queue => {
    await Promise.all(items.map(item => queue.add(JOB_NAME, item)));
  });

const byAddBulk: Way = (options, items) =>
  withQueue(options, items.length, async queue => {
    for (let first = 0; first < items.length; first += JOBS_PER_BULK)
      await queue.addBulk(items.slice(first, first + JOBS_PER_BULK).map(data => ({ name: JOB_NAME, data })));
  });

async function withQueue(
  { redisUrl }: Options,
  count: number,
  use: (queue: Queue<Association>) => Promise<void>,
): Promise<number> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const prefix = newPrefix();
  const queue = new Queue<Association>('one-by-one', { connection: redis, prefix });
  try {
    await queue.waitUntilReady();
    const since = performance.now();
    await use(queue);
    const ms = performance.now() - since;
    const queued = await queue.getWaitingCount();
    if (queued !== count) throw new Error(`${count} jobs were added, ${queued} are there`);
    return ms;
  } finally {
    await removeKeys(redis, prefix);
    await queue.close();
    redis.disconnect();
  }
}

const perSecond = (count: number, ms: number): number => (count / ms) * 1_000;
