/** How many bytes of Redis does a queued association take? */
import { createProducer } from '../src/producer/producer.js';
import { associations } from './support/associations.js';
import { withInstallation } from './support/installation.js';
import type { Options, Question, Row } from './support/row.js';

const COUNTS = [
  { count: 100_000, rounds: 3 },
  { count: 1_000_000, rounds: 1 },
];

export const memory: Question = {
  title: 'Memory: bytes of Redis for a queued association',
  method: () =>
    'Associations with ids of 9 digits through enqueueMany() (jobs of 500), no worker. used_memory of Redis after it minus before, with nobody else at work in that Redis, divided by their number; everything is removed in between.',
  async run(options) {
    const rows: Row[] = [];
    for (const { count, rounds } of options.quick ? COUNTS.slice(0, 1) : COUNTS) {
      const values: number[] = [];
      while (values.length < rounds) values.push(await bytesEach(options, count));
      const what = `${count.toLocaleString('en')} associations queued`;
      rows.push({ what, unit: 'bytes each', values, goal: { at: 'most', value: 40 }, main: true });
      options.say(`${what}: ${values.map(value => value.toFixed(1)).join(', ')} bytes each`);
    }
    return rows;
  },
};

const bytesEach = (options: Options, count: number): Promise<number> =>
  withInstallation(options, async installation => {
    const producer = createProducer({ redisUrl: options.redisUrl, prefix: installation.prefix });
    try {
      await producer.connected();
      const before = await installation.usedMemory();
      await producer.enqueueMany(associations(count));
      return ((await installation.usedMemory()) - before) / count;
    } finally {
      await producer.close();
    }
  });
