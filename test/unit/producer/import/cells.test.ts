/** Cells of a record, compared with csv-parse. */
import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { cellsOf, quotedCell, textOf, wellFormedCells } from '../../../../src/producer/import/cells.js';

describe('wellFormedCells', () => {
  it('reads a record as csv-parse does, or leaves it to csv-parse', () => {
    const text = fc.string({ unit: fc.constantFrom('"', '"', ',', 'a', ' ', '\n', '\r'), maxLength: 12 });
    fc.assert(
      fc.property(text, record => {
        const cells = wellFormedCells(record, ',');
        if (cells && record !== '') expect([cells]).toEqual(parse(record));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['"a","b ""c""",d,', ['a', 'b "c"', 'd', '']],
    ['"a\nb","",', ['a\nb', '', '']],
    ['a,"b', undefined],
    ['a,"b"c', undefined],
    ['a"b,c', undefined],
    ['"a",b\nc', undefined],
    ['="66", ="77" ,x', ['="66"', ' ="77" ', 'x']],
    ['="a,b",c', undefined],
    ['="a"b,c', undefined],
  ])('reads %j itself only if it is well-formed', (record, cells) => {
    expect(wellFormedCells(record, ',')).toEqual(cells);
  });
});

it("Excel's text form says what is in it, whether it is quoted or not", () => {
  for (const cell of ['="0066"', ' ="0066" ', '=" 0066"', '0066 ']) expect(textOf(cell)).toBe('0066');
  expect(cellsOf('"=""66""",="77"', ',').cells?.map(textOf)).toEqual(['66', '77']);
  expect(['=""', '=66', '="', '=A1&"x"'].map(textOf)).toEqual(['', '=66', '="', '=A1&"x"']);
});

it('cells are read again as they were written, and a fault is named', () => {
  const cells = ['a;b', 'x"y', 'one\ntwo', '', 'plain'];
  expect(cellsOf(cells.map(cell => quotedCell(cell, ';')).join(';'), ';')).toEqual({ cells });
  expect(cellsOf('a"b', ';').fault).toMatch(/^not CSV: /);
  expect(cellsOf('"a"\nb', ';').fault).toBe('not one CSV record');
});
