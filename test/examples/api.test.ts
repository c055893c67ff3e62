/**
 * The examples in the docstrings of the library, as a reader copies them: compiled in strict mode, and run one after the
 * other in one process, with a real Redis, a worker and the simulator. A line that ends with `// prints: …` prints just that.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Consumer } from '../support/consumer.js';
import { useRig } from '../support/rig.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const rig = useRig(import.meta.url);

type Entry = { readonly name: string; readonly doc: { readonly examples: readonly string[] } };
const { readApi } = (await import(`${root}scripts/api-reference.mjs`)) as { readApi(): readonly Entry[] };

const examples = readApi().flatMap(({ name, doc }) =>
  doc.examples.map((code, at) => ({ name: at === 0 ? name : `${name}-${at + 1}`, code })),
);
const printed = (code: string): string[] =>
  [...code.matchAll(/\/\/ prints: (.*)$/gm)].map(([, text = '']) => text);

/** Runs each module after the other; what it prints, and how it failed. */
const RUNNER = `
import { format } from 'node:util';
const results = {};
for (const name of process.argv.slice(2)) {
  const lines = [];
  console.log = (...words) => lines.push(format(...words));
  let error;
  try {
    await import('./' + name + '.js');
  } catch (failure) {
    error = String(failure?.stack ?? failure);
  }
  results[name] = { lines, error };
}
process.stdout.write(JSON.stringify(results));
`;

let consumer: Consumer;
beforeAll(() => {
  consumer = new Consumer();
  consumer.write('run.mjs', RUNNER);
  for (const { name, code } of examples) consumer.write(`${name}.ts`, `${code}\nexport {};\n`);
});
afterAll(() => consumer.end());
beforeEach(() =>
  rig.start({
    simulator: {
      labels: [
        {
          fromObjectType: 'contacts',
          toObjectType: 'companies',
          category: 'USER_DEFINED',
          typeId: 36,
          label: 'Decision maker',
        },
      ],
    },
  }),
);

describe('the examples in the docstrings', () => {
  it('compile in strict mode, run, and print what they say', async () => {
    await consumer.compile();
    rig.startWorker();
    const names = examples.map(({ name }) => name);
    const output = await consumer.run('run.mjs', names, { ...rig.place, ...rig.hubspot });
    const results = JSON.parse(output) as { [name: string]: { lines: string[]; error?: string } };
    const expected = examples.map(({ name, code }) => [name, { lines: printed(code) }]);
    expect(results).toEqual(Object.fromEntries(expected));
  });
});
