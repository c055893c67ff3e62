/** The short ways for ids of plain digits say what the long ways say, or nothing at all. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ASSOCIATION_CATEGORIES, parseJobData } from '../../src/shared/contract/association.js';
import { PlainJobReader } from '../../src/shared/contract/job-text.js';
import { readJson } from '../../src/shared/contract/json.js';
import { NumberPairs, PairSet } from '../../src/worker/batches/pair-set.js';
import { plainRequestBody, requestBody } from '../../src/worker/calls/request-body.js';
import { listsAll, listsAllPlain } from '../../src/worker/calls/results.js';
import { createdBody, inputOf } from '../support/worker-samples.js';

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
    const reader = new PlainJobReader();
    let read = 0;
    fc.assert(
      fc.property(json, text => {
        const plain = reader.read(text);
        if (!plain) return;
        read += 1;
        const checked = parseJobData(readJson(text));
        const { head, ids } = plain;
        const numbers = new NumberPairs(ids);
        const pairs = Array.from({ length: numbers.length }, (_, at) => numbers.at(at));
        expect(checked).toEqual({ ok: true, data: { ...head, pairs } });
      }),
      { numRuns: 20_000 },
    );
    expect(read).toBeGreaterThan(500); // it does read what is plain
  });

  it.each([
    '{"version":1,"fromObjectType":"a","toObjectType":"b","types":[{"associationCategory":"WORK","associationTypeId":1}],"pairs":[["1","2"]],"created":4}',
    '{"x":{"pairs":[["1","2"]]},"\\u0070airs":0,"version":1,"fromObjectType":"a","toObjectType":"b","types":[{"associationCategory":"WORK","associationTypeId":1}]}',
    '{"x":{"pairs":[["1","2"]]},"pairs":[],"version":1,"fromObjectType":"a","toObjectType":"b","types":[{"associationCategory":"WORK","associationTypeId":1}]}',
    '{"version":1,"pairs":[["1","2"]',
    '"pairs":[["1","2"]]',
    '',
  ])('nothing is read of %s', text => {
    expect(new PlainJobReader().read(text)).toBeUndefined();
  });
});

it('the request has the same bytes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(types, fc.array(fc.tuple(digits, digits), { minLength: 1, maxLength: 8 })), {
        minLength: 1,
        maxLength: 3,
      }),
      groups => {
        const inputs = groups.flatMap(([its, pairs]) =>
          pairs.map(([from, to]) => inputOf(String(from), String(to), its)),
        );
        const columns = {
          ids: Float64Array.from(groups.flatMap(([, pairs]) => pairs.flat())),
          types: groups.map(([its]) => its),
          counts: groups.map(([, pairs]) => pairs.length),
        };
        expect(plainRequestBody(columns).toString()).toBe(requestBody(inputs));
      },
    ),
    { numRuns: 500 },
  );
});

it('an answer lists all inputs, or does not, alike', () => {
  const few = fc.oneof(fc.integer({ min: 1, max: 4 }), digits);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(few, few), { minLength: 1, maxLength: 12, selector: String }),
      fc.array(fc.tuple(few, few), { maxLength: 3 }),
      fc.constantFrom(0, 0, 0, 1, 2),
      fc.constantFrom<(id: number) => unknown>(
        Number,
        String,
        id => `0${id}`,
        id => ({ id }),
        id => id + 0.5,
      ),
      fc.boolean(),
      (pairs, extras, missing, write, hasErrors) => {
        const inputs = pairs.map(([from, to]) => inputOf(String(from), String(to)));
        const results = [...extras, ...pairs.slice(missing).reverse()].map(([from, to]) => ({
          fromObjectId: write(from),
          toObjectId: write(to),
        }));
        const body = { ...createdBody([]), results, ...(hasErrors && { errors: [{ message: 'no' }] }) };
        const columns = { ids: Float64Array.from(pairs.flat()), types: [], counts: [] };
        expect(listsAllPlain(body, columns)).toBe(listsAll(body, inputs));
      },
    ),
    { numRuns: 2_000 },
  );
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
        const plain = new PlainJobReader().read(text);
        if (plain) expect(plain.ids).toEqual(ids);
        const inputs = checked.data.pairs.map(([from, to]) => inputOf(from, to, types));
        const columns = { ids: Float64Array.from(ids), types: [types], counts: [pairs.length] };
        expect(plainRequestBody(columns).toString()).toBe(requestBody(inputs));
        const answered = (number: number) => (answersWithZeros ? `00${number}` : number);
        const results = pairs.map(([from, to]) => ({
          fromObjectId: answered(from.number),
          toObjectId: answered(to.number),
        }));
        const body = { ...createdBody([]), results };
        expect(listsAll(body, inputs)).toBe(true);
        expect(listsAllPlain(body, columns)).toBe(true);
      },
    ),
    { numRuns: 1_000 },
  );
});

it('a set of record pairs holds what was added since it was cleared', () => {
  const rounds = fc.array(fc.array(fc.tuple(digits, digits), { maxLength: 40 }), { maxLength: 5 });
  fc.assert(
    fc.property(rounds, all => {
      const set = new PairSet(40);
      for (const round of all) {
        set.clear();
        const model = new Set<string>();
        for (const [from, to] of round) {
          expect(set.has(from, to)).toBe(model.has(`${from} ${to}`));
          expect(set.add(from, to)).toBe(!model.has(`${from} ${to}`));
          model.add(`${from} ${to}`);
        }
      }
    }),
  );
});
