/** Chunks of a file: what is in them, and up to which line. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
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

it('sha256Of hashes the bytes of the whole source', async () => {
  const expected = createHash('sha256').update('from,to\n1,2\n').digest('hex');
  expect(await sha256Of(source('from,to\n', '1,2\n'))).toBe(expected);
});
