/** Ids from a job's text to the request and the answer: what the fast code says, JSON and texts say, too. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ASSOCIATION_CATEGORIES } from '../../src/shared/contract/association.js';
import { parseJobData } from '../../src/shared/contract/job-schema.js';
import { JobReader } from '../../src/shared/contract/job-text.js';
import { readJson } from '../../src/shared/contract/json.js';
import { Pairs } from '../../src/shared/contract/pairs.js';
import { requestBody } from '../../src/worker/calls/request-body.js';
import { listsAll } from '../../src/worker/calls/results.js';
import { columnsOf, createdBody, type Input, inputOf } from '../support/worker-samples.js';

const digits = fc.oneof(
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 1, max: 2 ** 31 + 10 }),
  fc.integer({ min: 1, max: 10 ** 15 - 1 }),
  fc.constantFrom(10 ** 8 - 1, 10 ** 8, 10 ** 8 + 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 10 ** 15 - 1),
);
const types = fc.array(
  fc.record({
    associationCategory: fc.constantFrom(...ASSOCIATION_CATEGORIES),
    associationTypeId: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  }),
  { minLength: 1, maxLength: 3 },
);

describe('reading a job', () => {
  const pairs = (id: fc.Arbitrary<unknown>) => fc.array(fc.tuple(id, id), { minLength: 1, maxLength: 8 });
  const plainPairs = pairs(digits.map(String));
  // whatever else may stand there, and what is made to mislead
  const oddId = fc.oneof(
    { weight: 5, arbitrary: digits.map(String) },
    fc.constantFrom(
      '0',
      '007',
      '1e3',
      ' 1',
      '1 ',
      '-1',
      '',
      '1234567890123456',
      '٣',
      'a"b',
      'x],["1"',
      5,
      null,
    ),
  );
  const misleading = fc.constantFrom<unknown>(
    { pairs: [['1', '2']] },
    [{ pairs: [['1', '2']] }, { pairs: [] }],
    '"pairs":[["1","2"]]',
    '\\',
    'pairs',
    0,
  );
  const key = fc.constantFrom(
    'extra',
    'source',
    'requestId',
    'pairs',
    '"pairs"',
    'x"pairs',
    'rejected',
    'created',
    'errors',
  );
  const fields = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: plainPairs.map((value): [string, unknown] => ['pairs', value]) },
      { weight: 2, arbitrary: pairs(oddId).map((value): [string, unknown] => ['pairs', value]) },
      { weight: 1, arbitrary: fc.constant<[string, unknown]>(['pairs', []]) },
      { weight: 2, arbitrary: fc.tuple(key, misleading) },
      { weight: 2, arbitrary: fc.string().map((value): [string, unknown] => ['source', value]) },
    ),
    { minLength: 1, maxLength: 3 },
  );
  const head = types.map((value): [string, unknown][] => [
    ['version', 1],
    ['fromObjectType', 'contacts'],
    ['toObjectType', '2-7'],
    ['types', value],
  ]);
  // by hand, because an object has no key twice and its keys no escapes
  const json = fc
    .tuple(
      head,
      fields,
      fc.boolean(),
      fc.constantFrom('', ' ', '\n\t '),
      fc.constantFrom('', '', '', ',', '}', ']'),
    )
    .map(([first, others, turned, space, more]) => {
      const all = turned ? [...others, ...first] : [...first, ...others];
      const texts = all.map(([name, value]) => {
        const text = JSON.stringify(value).replaceAll('],[', `],${space}[`).replaceAll('","', `",${space}"`);
        return `${JSON.stringify(name).replace('a', turned ? 'a' : space ? '\\u0061' : 'a')}:${space}${text}`;
      });
      return `{${texts.join(`,${space}`)}}${more}`;
    });

  it('is what JSON.parse and the schema make of it, whatever stands there', () => {
    const reader = new JobReader();
    let scanned = 0;
    let odd = 0;
    fc.assert(
      fc.property(json, text => {
        const checked = parseJobData(readJson(text));
        const read = reader.read(text);
        if ('faults' in read) {
          expect(checked).toEqual({ ok: false, faults: read.faults });
          return;
        }
        const { head, pairs, history } = read;
        expect(checked).toEqual({ ok: true, data: { ...head, ...history, pairs: pairs.toTexts() } });
        if (!reader.scan(text)) return;
        scanned += 1;
        if (pairs.texts.length > 0) odd += 1;
      }),
      { numRuns: 20_000 },
    );
    // the fast reader does read what is usual, with odd ids, too
    expect(scanned).toBeGreaterThan(500);
    expect(odd).toBeGreaterThan(30);
  });

  it.each([
    '{"version":1,"fromObjectType":"a","toObjectType":"b","types":[{"associationCategory":"WORK","associationTypeId":1}],"pairs":[["1","2"]],"created":4}',
    '{"x":{"pairs":[["1","2"]]},"\\u0070airs":0,"version":1,"fromObjectType":"a","toObjectType":"b","types":[{"associationCategory":"WORK","associationTypeId":1}]}',
    '{"x":{"pairs":[["1","2"]]},"pairs":[],"version":1,"fromObjectType":"a","toObjectType":"b","types":[{"associationCategory":"WORK","associationTypeId":1}]}',
    '{"version":1,"pairs":[["1","2"]',
    '"pairs":[["1","2"]]',
    '',
  ])('nothing is scanned of %s', text => {
    expect(new JobReader().scan(text)).toBeUndefined();
  });
});

/** Does the body list all of them? Told by texts. */
function listsTexts(body: { results: unknown[]; errors?: unknown[] }, inputs: readonly Input[]): boolean {
  const idOf = (id: unknown) =>
    typeof id === 'number' || typeof id === 'string' ? String(id).replace(/^0+(?=\d+$)/, '') : '?';
  const listed = new Set(
    (body.results as { fromObjectId: unknown; toObjectId: unknown }[]).map(
      ({ fromObjectId, toObjectId }) => `${idOf(fromObjectId)} ${idOf(toObjectId)}`,
    ),
  );
  const wanted = new Set(inputs.map(({ from, to }) => `${from} ${to}`));
  return (
    !body.errors &&
    inputs.every(({ from, to }) => {
      if (listed.has(`${from} ${to}`)) return true;
      return listed.has(`${to} ${from}`) && !wanted.has(`${to} ${from}`);
    })
  );
}

it('an answer lists all inputs, or does not', () => {
  const few = fc.oneof(
    fc.integer({ min: 1, max: 4 }).map(String),
    digits.map(String),
    fc.constantFrom('a', 'b', '0', '-1', '-2', '1.5', '1234567890123456', '9007199254740991', 'NaN'),
  );
  let complete = 0;
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(few, few), { minLength: 1, maxLength: 12, selector: String }),
      fc.array(fc.tuple(few, few), { maxLength: 3 }),
      fc.constantFrom(0, 0, 0, 1, 2),
      fc.constantFrom<(id: string) => unknown>(
        id => (Number.isFinite(Number(id)) ? Number(id) : id),
        String,
        id => `0${id}`,
        id => ({ id }),
        id => Number(id) + 0.5,
      ),
      fc.boolean(),
      fc.boolean(),
      (pairs, extras, missing, write, isTurned, hasErrors) => {
        const inputs = pairs.map(([from, to]) => inputOf(from, to));
        const results = [...extras, ...pairs.slice(missing).reverse()].map(([from, to]) => ({
          fromObjectId: write(isTurned ? to : from),
          toObjectId: write(isTurned ? from : to),
        }));
        const body = { ...createdBody([]), results, ...(hasErrors && { errors: [{ message: 'no' }] }) };
        const expected = listsTexts(body, inputs);
        if (expected) complete += 1;
        expect(listsAll(body, columnsOf(inputs))).toBe(expected);
      },
    ),
    { numRuns: 4_000 },
  );
  expect(complete).toBeGreaterThan(300);
});

it('an id has one form from the job to the request to the answer, however it is written', () => {
  const id = fc.oneof(fc.constant(0), digits);
  const written = fc
    .tuple(id, fc.integer({ min: 0, max: 3 }), fc.boolean())
    .map(([number, zeros, asNumber]) => ({
      number,
      json: asNumber ? number : '0'.repeat(zeros) + number,
    }));
  const types = [{ associationCategory: 'WORK', associationTypeId: 1 }] as const;
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(written, written), {
        minLength: 1,
        maxLength: 6,
        selector: ([from, to]) => `${from.number} ${to.number}`,
      }),
      fc.boolean(),
      (pairs, answersWithZeros) => {
        const job = { version: 1, fromObjectType: 'a', toObjectType: 'b', types };
        const text = JSON.stringify({ ...job, pairs: pairs.map(([from, to]) => [from.json, to.json]) });
        const checked = parseJobData(readJson(text));
        if (!checked.ok) throw new Error(checked.faults.join());
        const ids = pairs.flatMap(([from, to]) => [from.number, to.number]);
        expect(checked.data.pairs.flat()).toEqual(ids.map(String));
        expect(new JobReader().scan(text)?.pairs.ids ?? ids).toEqual(ids);
        expect(Pairs.of(checked.data.pairs).ids).toEqual(ids);
        const columns = columnsOf(checked.data.pairs.map(([from, to]) => inputOf(from, to, types)));
        const sent = JSON.parse(requestBody(columns).toString()) as {
          inputs: { from: object; to: object }[];
        };
        expect(sent.inputs.flatMap(({ from, to }) => [from, to])).toEqual(
          ids.map(id => ({ id: String(id) })),
        );
        const answered = (number: number) => (answersWithZeros ? `00${number}` : number);
        const results = pairs.map(([from, to]) => ({
          fromObjectId: answered(from.number),
          toObjectId: answered(to.number),
        }));
        const body = { ...createdBody([]), results };
        expect(listsAll(body, columns)).toBe(true);
      },
    ),
    { numRuns: 1_000 },
  );
});
