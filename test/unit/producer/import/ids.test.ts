/** Ids in cells: several, formatted as numbers, rounded. */
import { describe, expect, it } from '@jest/globals';
import { IdFault, IdReader, repairedId } from '../../../../src/producer/import/ids.js';

const read = (cell: unknown, fix = false) => {
  const found = new IdReader(fix).read(cell);
  return found instanceof IdFault ? found.words : found;
};

describe('IdReader', () => {
  it.each(['101', '0101', '', 7, undefined, ['1', '2']])('takes %j as it is', cell => {
    expect(read(cell)).toBeUndefined();
  });

  it('reads several ids, whatever is around the separators', () => {
    expect(read('8801;8802')).toEqual(['8801', '8802']);
    expect(read('8801; 8802 ;;')).toEqual(['8801', '8802']);
    expect(read(';')).toBe('";" has no record id');
    expect(read('8801;a b')).toBe('"a b" is not a record id');
  });

  it.each(['1.01E+11', '1.23457e+11', '1,01E+11', '1E5', '-2.5e10'])('refuses %s, which is rounded', cell => {
    for (const fix of [false, true])
      expect(read(cell, fix)).toBe(
        `"${cell}": Excel has rounded this id: format the column as text and export again`,
      );
  });

  it.each([
    ['101.0', '101'],
    ['101.00', '101'],
    ['101,0', '101'],
    ['1,234', '1234'],
    ['1,234,567', '1234567'],
    ['1,234,000', '1234000'],
    ['1,234.0', '1234'],
    ['1.234', '1234'],
    ['1.234.567', '1234567'],
    ['1.234.567,00', '1234567'],
    ["1'234", '1234'],
    ['1\u202f234', '1234'],
  ])('refuses %s, and repairs it to %s when it is asked', (cell, id) => {
    expect(read(cell)).toMatch(new RegExp(`is written as a number.*or give --fix-ids to read ${id}$`));
    expect(read(cell, true)).toEqual([id]);
    expect(repairedId(cell)).toBe(id);
  });

  it.each([
    ['="0101"', ['0101']],
    ["'101", ['101']],
    ['=" 66 "', ['66']],
    ['="8801;8802"', ['8801', '8802']],
    ['="8801";="8802"; 8803', ['8801', '8802', '8803']],
    ['="x-17"', ['x-17']],
    ['=""', '"" is not a record id'],
    ['="1.01E+11"', expect.stringMatching(/^"1.01E\+11": Excel has rounded this id/)],
    ['="1,234"', expect.stringMatching(/^"1,234" is written as a number.* to read 1234$/)],
  ])('reads %s, which a spreadsheet takes for a text, as what it says', (cell, ids) => {
    expect(read(cell)).toEqual(ids);
  });

  it.each([
    ['1.000', /^"1.000" is 1 or 1000 times as much, depending on the country/],
    ['101.5', /is a number with a fraction, not a record id$/],
    ['-3.0', /is a number with a fraction/],
    ['8801,8802', /is not a record id: separate several ids by ;$/],
    ['NaN', /stands for an empty cell$/],
    ['(No value)', /stands for an empty cell$/],
    ['1\ufffd', /has a character that is not in this encoding: save the file as UTF-8/],
    ['a b', /^"a b" is not a record id$/],
  ])('refuses %s even when repairs are asked for', (cell, words) => {
    expect(read(cell, true)).toMatch(words);
  });

  it('leaves texts that are no numbers to HubSpot', () => {
    expect(read('x-17')).toEqual(['x-17']);
  });

  it('says how many ids it repaired, with examples', () => {
    const ids = new IdReader(true);
    expect(ids.repairs()).toEqual([]);
    ids.read('101.0');
    expect(ids.repairs()).toEqual(['1 id repaired (--fix-ids): "101.0" as 101']);
    for (const cell of ['1,234;="7"', '102.0', '103.0']) ids.read(cell);
    expect(ids.repairs()).toEqual([
      '4 ids repaired (--fix-ids): "101.0" as 101, "1,234" as 1234, "102.0" as 102, …',
    ]);
  });
});
