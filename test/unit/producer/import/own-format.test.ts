/** Lines in the format of their own file: refused ones, and those that HubSpot rejected. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CsvParser } from '../../../../src/producer/import/csv.js';
import type { Layout, LineParser, Reading } from '../../../../src/producer/import/line.js';
import { NdjsonParser } from '../../../../src/producer/import/ndjson.js';
import {
  originalLines,
  type RejectedPair,
  RejectedPairs,
} from '../../../../src/producer/import/original-lines.js';
import { headerText, lineText } from '../../../../src/producer/import/own-format.js';
import { RefusalGroups } from '../../../../src/producer/import/refusal-groups.js';
import { RefusedFile, refusedFileProblem } from '../../../../src/producer/import/refused-file.js';
import type { Source } from '../../../../src/producer/import/source.js';
import { defaults, pairsText, parseAll } from '../../../support/parse-lines.js';

/** @returns the refused lines of a text as --refused writes them */
function refusedText(parser: LineParser, text: string): string {
  const { refusals } = parseAll(parser, text);
  const layout = parser.layout();
  const lines = refusals.map(refusal =>
    lineText(layout, { ...refusal, message: refusal.reasons.join('; ') }),
  );
  return headerText({ ...layout, isPlain: true }) + lines.join('');
}

describe('refused lines', () => {
  it('of a CSV file keep their text, and are read again in the next round, without an error of the one before', () => {
    const text = 'from;to;"a;b"\n101.0;2;"x;""y"""\n3;4;\na b;5\n1;2;3;4\n7;"8;q\n';
    const once = refusedText(new CsvParser({ defaults }), text);
    expect(once.split('\n')).toEqual([
      'line;error;from;to;"a;b"',
      expect.stringMatching(/^2;"from: ""101.0"" is written as a number.*";101.0;2;"x;""y"""$/),
      '4;"from: ""a b"" is not a record id";a b;5',
      '5;4 cells, but the header has 3;1;2;3;4',
      '6;a quote is not closed;7;"8;q',
      '',
    ]);
    const again = new CsvParser({ defaults, fixIds: true });
    const parsed = parseAll(again, once.replace('7;"8;q', '7;8;q'));
    expect(parsed.problems).toEqual([]);
    expect(again.warnings()).toEqual(['columns that are not read: "a;b"']);
    expect(pairsText(parsed)).toEqual(['101>2', '7>8']);
    expect(
      refusedText(new CsvParser({ defaults, fixIds: true }), once)
        .split('\n')
        .slice(0, 2),
    ).toEqual(['line;error;from;to;"a;b"', '3;"from: ""a b"" is not a record id";a b;5']);
  });

  it('of an NDJSON file keep their text and their numbers, with the error of the last round', () => {
    const text = '{"from":9007199254740993,"to":2, "error":{"old":1}} \nnonsense\n{}\n{"from":1,"to":2}';
    const once = refusedText(new NdjsonParser({ defaults }), text).split('\n');
    expect(once[0]).toMatch(
      /^\{"from":9007199254740993,"to":2, "error":\{"old":1\},"error":\{"line":1,"message":"from: 9007199254740993 is not exactly/,
    );
    expect(JSON.parse(once[1] ?? '')).toEqual({
      error: { line: 2, message: expect.stringMatching(/^not JSON/), text: 'nonsense' },
    });
    expect(once[2]).toMatch(/^\{"error":\{"line":3/);
    expect(parseAll(new NdjsonParser({ defaults }), once.join('\n')).refusals).toHaveLength(3);
  });

  it('go into a file that is replaced, or goes on, with a mark if the input is not plain UTF-8', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'refused-'));
    const place = path.join(directory, 'refused.csv');
    const layout: Layout = { format: 'csv', header: ['from', 'to'], delimiter: ',', from: 0, to: 1 };
    const write = (line: number, goesOn: boolean, isPlain = true) => {
      const file = new RefusedFile(place, { goesOn });
      file.use({ ...layout, isPlain });
      file.write([]);
      if (line > 0) file.write([{ line, reasons: ['one', 'two'], text: 'é,' }]);
      file.close();
      return readFileSync(place, 'utf8');
    };
    expect(write(2, true)).toBe('line,error,from,to\n2,one; two,é,\n');
    expect(write(0, false)).toBe('line,error,from,to\n2,one; two,é,\n');
    expect(write(3, true)).toBe('line,error,from,to\n2,one; two,é,\n3,one; two,é,\n');
    expect(write(4, false, false)).toBe('\uFEFFline,error,from,to\n4,one; two,é,\n');
    expect(refusedFileProblem(place)).toBeUndefined();
    expect(refusedFileProblem(path.join(directory, 'no', 'x.csv'))).toMatch(
      /^--refused .* cannot be written: ENOENT/,
    );
    rmSync(directory, { recursive: true });
  });

  it('are grouped by reason, whatever the values in it, with the first ten numbers', () => {
    const groups = new RefusalGroups();
    const refuse = (line: number, ...reasons: string[]) => groups.add([{ line, reasons, text: '' }]);
    for (let line = 2; line < 14; line++) refuse(line, `from: "a \\"${line}" is not a record id`);
    refuse(14, 'to: "" is not a record id');
    for (const line of [15, 16]) refuse(line, 'not one CSV record', 'x');
    expect(groups.texts()).toEqual([
      '12 lines (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …): such as from: "a \\"2" is not a record id',
      'line 14: to: "" is not a record id',
      '2 lines (15, 16): not one CSV record; x',
    ]);
    for (let at = 0; at < 200; at++) refuse(100 + at, 'r'.repeat(at + 1));
    expect(groups.texts()).toHaveLength(101);
    expect(groups.texts().at(-1)).toMatch(/^103 lines \(197, .*, …\): for other reasons$/);
  });
});

describe('originalLines', () => {
  const error = {
    at: '2026-11-27T00:00:00Z',
    attempt: 1,
    category: 'OBJECT_NOT_FOUND',
    message: 'no such',
    pairs: 1,
  };
  const pair = (from: string, to: string, more: Partial<RejectedPair> = {}): RejectedPair => ({
    ...{
      fromObjectType: 'contacts',
      toObjectType: 'companies',
      from,
      to,
      types: [...(defaults.types ?? [])],
      error,
    },
    ...more,
  });
  const source = (text: string, format: Source['format'] = 'csv'): Source => ({
    format,
    bytes: undefined,
    async *open() {
      for (let at = 0; at < text.length; at += 7) yield new TextEncoder().encode(text.slice(at, at + 7));
    },
  });
  async function written(from: Source, rejected: RejectedPairs, reading: Reading = { defaults }) {
    let text = '';
    for await (const part of originalLines(from, reading, rejected)) text += part;
    return text;
  }

  it('writes the rejected lines of a CSV file with all their columns; of several ids only the rejected ones', async () => {
    const text = 'name,from,to\n"Ann, A",0101,202\nBo,103,"7;8;9"\nCy,104,5;6\nDi,105,1\n';
    const other = { ...error, category: 'VALIDATION_ERROR', message: 'bad "id"' };
    const rejected = new RejectedPairs([
      pair('101', '202'),
      pair('103', '8'),
      pair('104', '5'),
      pair('104', '6', { error: other }),
      pair('105', '1', { types: [{ associationCategory: 'WORK', associationTypeId: 1 }] }),
      pair('999', '1'),
    ]);
    expect(await written(source(text), rejected)).toBe(
      [
        'line,error,name,from,to',
        '2,OBJECT_NOT_FOUND: no such,"Ann, A",0101,202',
        '3,OBJECT_NOT_FOUND: no such,Bo,103,8',
        '4,"104 to 5: OBJECT_NOT_FOUND: no such; 104 to 6: VALIDATION_ERROR: bad ""id""",Cy,104,5;6',
        '',
      ].join('\n'),
    );
    expect(rejected.missing().map(({ from }) => from)).toEqual(['105', '999']);
  });

  it('a pair that stands in several lines, and was rejected in each, is missing in none', async () => {
    const rejected = new RejectedPairs([pair('1', '2'), pair('1', '2'), pair('3', '4')]);
    const text = await written(source('from,to\n1,2\n9,9\n="1",2\n'), rejected);
    expect(text.split('\n').slice(1)).toEqual([
      '2,OBJECT_NOT_FOUND: no such,1,2',
      '4,OBJECT_NOT_FOUND: no such,="1",2',
      '',
    ]);
    expect(rejected.missing()).toEqual([pair('3', '4')]);
  });

  it('begins with a byte order mark like its file, because Excel needs it', async () => {
    const text = '\uFEFFfrom,to,name\n1,2,Änne\n';
    const found = await written(source(text), new RejectedPairs([pair('1', '2')]));
    expect(found).toBe('\uFEFFline,error,from,to,name\n2,OBJECT_NOT_FOUND: no such,1,2,Änne\n');
    expect(await written(source(text.slice(1)), new RejectedPairs([]))).toBe('line,error,from,to,name\n');
  });

  it('writes those of an NDJSON file with their own fields, and HubSpot as the error', async () => {
    const lines = [
      '{"from":"1","to":"2;3","label":"Chef","fromObjectType":"0-1"}',
      '{"From":{"id":4},"to":5}',
      '{"from":6,"to":7}',
    ];
    const rejected = new RejectedPairs([pair('1', '3'), pair('4', '5')]);
    const text = await written(source(lines.join('\n'), 'ndjson'), rejected);
    const about = {
      at: error.at,
      attempt: 1,
      category: 'OBJECT_NOT_FOUND',
      message: 'OBJECT_NOT_FOUND: no such',
    };
    expect(
      text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
    ).toEqual([
      { from: '1', to: '3', label: 'Chef', fromObjectType: '0-1', error: { line: 1, ...about } },
      { From: { id: 4 }, to: 5, error: { line: 2, ...about } },
    ]);
    expect(rejected.missing()).toEqual([]);
  });
});
