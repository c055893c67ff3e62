/** Chunks of a file: what is in them, and up to which line. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TypesOf } from '../../../../src/labels/type-resolver.js';
import {
  afterLine,
  type Chunk,
  readAssociations,
} from '../../../../src/producer/import/read-associations.js';
import { type Source, sha256Of } from '../../../../src/producer/import/source.js';
import { defaults } from '../../../support/parse-lines.js';

const source = (...pieces: readonly string[]): Source => ({
  format: 'csv',
  bytes: undefined,
  async *open() {
    for (const piece of pieces) yield new TextEncoder().encode(piece);
  },
});
const typesOf = (): never => {
  throw new Error('every line says its types');
};
const read = (...pieces: readonly string[]) =>
  readAssociations(source(...pieces), { defaults }, typesOf, { usable: async () => {} });
async function seen(chunks: AsyncIterable<Chunk>) {
  const all: { lines: number[]; refused: number[]; upTo: number }[] = [];
  for await (const { lines, refusals, upTo } of chunks)
    all.push({ lines, refused: refusals.map(({ line }) => line), upTo });
  return all;
}

describe('readAssociations', () => {
  it('says up to which line everything is yielded, and leaves out a record that goes on', async () => {
    expect(await seen(read('from,to,note\n1,2,\n3,4,"one\n', 'two"\n\nbad one,5,\n', '6,7,"open'))).toEqual([
      { lines: [2], refused: [], upTo: 2 },
      { lines: [3], refused: [6], upTo: 6 },
      { lines: [], refused: [], upTo: 6 },
      { lines: [], refused: [7], upTo: 7 },
    ]);
  });

  it('goes on after a line', async () => {
    const chunks = read('from,to\n1,2\nbad one,5\n3,4\n', '5,6\nx y,7\n');
    expect(await seen(afterLine(chunks, 3))).toEqual([
      { lines: [4], refused: [], upTo: 4 },
      { lines: [5], refused: [6], upTo: 6 },
      { lines: [], refused: [], upTo: 6 },
    ]);
  });
});

describe('a file without associations', () => {
  it.each<[string, string, readonly string[]]>([
    ['only a header', 'from,to\n\n', ['the file has no associations']],
    [
      'only lines that are skipped',
      'Record ID,Associated Company IDs\n1,\n',
      ['1 line has no associated record and is skipped', 'the file has no associations'],
    ],
    ['a refused line', 'from,to\nbad one,5\n', []],
    ['an association', 'from,to\n1,5\n', []],
  ])('is noted: %s', async (_, text, expected) => {
    const notes: string[] = [];
    const events = { usable: async () => {}, ended: (said: readonly string[]) => void notes.push(...said) };
    await seen(readAssociations(source(text), { defaults }, typesOf, events));
    expect(notes).toEqual(expected);
  });
});

describe('several labels in a cell', () => {
  const labelled = 'from,to,label\n1,2;3,Chef; Billing\n4,5;6,Chef;Nobody\n7,8,Chef\n';
  const ids: Readonly<Record<string, number>> = { Chef: 36, Billing: 37 };
  const resolve: TypesOf = ({ label = '', types = [] }) => {
    const associationTypeId = ids[label];
    if (associationTypeId === undefined) return { fault: `label: "${label}" is not a label` };
    return { types: [...types, { associationCategory: 'USER_DEFINED', associationTypeId }] };
  };

  it('become the types of one association; an unknown one refuses its line, once', async () => {
    const found: { ids: (number | undefined)[]; line: number | undefined }[] = [];
    const refused: unknown[] = [];
    const reading = { defaults: { fromObjectType: 'contacts', toObjectType: 'companies' } };
    const events = { usable: async () => {} };
    for await (const { associations, lines, refusals } of readAssociations(
      source(labelled),
      reading,
      resolve,
      events,
    )) {
      refused.push(...refusals);
      for (const [at, { types = [] }] of associations.entries())
        found.push({ ids: types.map(({ associationTypeId }) => associationTypeId), line: lines[at] });
    }
    expect(found).toEqual([
      { ids: [36, 37], line: 2 },
      { ids: [36, 37], line: 2 },
      { ids: [36], line: 4 },
    ]);
    expect(refused).toEqual([
      { line: 3, reasons: ['label: "Nobody" is not a label'], text: '4,5;6,Chef;Nobody' },
    ]);
  });
});

it('sha256Of hashes the bytes of the whole source', async () => {
  const expected = createHash('sha256').update('from,to\n1,2\n').digest('hex');
  expect(await sha256Of(source('from,to\n', '1,2\n'))).toBe(expected);
});

it('a table is read the same in every delimiter, encoding, quoting and line end', async () => {
  const note = fc.string({
    unit: fc.constantFrom('a', 'é', '"', ',', ';', '\t', '|', '\n', ' ', '€'),
    maxLength: 6,
  });
  const id = fc.integer({ min: 1, max: 2 ** 40 }).map(String);
  const form = fc.record({
    delimiter: fc.constantFrom(',', ';', '\t', '|'),
    lineEnd: fc.constantFrom('\n', '\r\n'),
    encoding: fc.constantFrom('utf8', 'utf16le'),
    quotesAll: fc.boolean(),
    trailing: fc.integer({ min: 0, max: 2 }),
    size: fc.integer({ min: 1, max: 64 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(id, id, note), { maxLength: 8 }), form, async (rows, how) => {
      const { delimiter, lineEnd, encoding, quotesAll, trailing, size } = how;
      const cell = (text: string) =>
        quotesAll || /["\n]/.test(text) || text.includes(delimiter)
          ? `"${text.replaceAll('"', '""')}"`
          : text;
      const line = (cells: readonly string[]) =>
        cells.map(cell).join(delimiter) + delimiter.repeat(trailing) + lineEnd;
      const text = line(['from', 'to', 'note']) + rows.map(line).join('');
      const bytes = Buffer.from(text, encoding as 'utf8');
      const input: Source = {
        format: 'csv',
        bytes: undefined,
        async *open() {
          for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
        },
      };
      const pairs: unknown[] = [];
      for await (const { associations, refusals } of readAssociations(input, { defaults }, typesOf, {
        usable: async () => {},
      })) {
        expect(refusals).toEqual([]);
        pairs.push(...associations.map(({ from, to }) => [from, to]));
      }
      expect(pairs).toEqual(rows.map(([from, to]) => [from, to]));
    }),
  );
});
