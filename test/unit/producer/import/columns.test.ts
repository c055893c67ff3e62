/** Which column says what: options, our names, HubSpot's headers. */
import { describe, expect, it } from '@jest/globals';
import { readColumns } from '../../../../src/producer/import/columns.js';
import type { Reading } from '../../../../src/producer/import/line.js';

const columns = (header: string, reading: Partial<Reading> = {}) => {
  const names = header.split(',');
  const { at, objects, associated, problems, warnings } = readColumns(names, { defaults: {}, ...reading });
  const name = (index: number | undefined) => (index === undefined ? undefined : names[index]);
  return { from: name(at.from), to: name(at.to), objects, associated, problems, warnings };
};
const from = (fromObjectType: string) => ({ defaults: { fromObjectType } });
const between = (fromObjectType: string, toObjectType: string) => ({
  defaults: { fromObjectType, toObjectType },
});

describe("HubSpot's headers", () => {
  it.each([
    [
      'Record ID,First Name,Associated Company IDs,Associated Company',
      from('contacts'),
      ['Record ID', 'Associated Company IDs', { toObjectType: 'companies' }],
    ],
    [
      'Record ID,Associated Company IDs,Associated Deal IDs',
      between('contacts', 'deals'),
      ['Record ID', 'Associated Deal IDs', {}],
    ],
    [
      'Record ID,Associated Company IDs (Primary),Associated Company IDs',
      from('contacts'),
      ['Record ID', 'Associated Company IDs', { toObjectType: 'companies' }],
    ],
    // an export of companies, read from its contacts
    [
      'Record ID,Associated Contact IDs',
      between('contacts', 'companies'),
      ['Associated Contact IDs', 'Record ID', {}],
    ],
    ['Record ID,Associated Car IDs', between('contacts', '2-123'), ['Record ID', 'Associated Car IDs', {}]],
    [
      'Record ID - Contact,Record ID - Company,Note',
      {},
      [
        'Record ID - Contact',
        'Record ID - Company',
        { fromObjectType: 'contacts', toObjectType: 'companies' },
      ],
    ],
    [
      'Record ID <CONTACT>,Record ID <COMPANY>',
      { defaults: { fromObjectType: 'companies' } },
      ['Record ID <COMPANY>', 'Record ID <CONTACT>', { toObjectType: 'contacts' }],
    ],
    [
      'Record ID - Contact,Record ID - Line item',
      { defaults: { toObjectType: 'contacts' } },
      ['Record ID - Line item', 'Record ID - Contact', { fromObjectType: 'line_items' }],
    ],
    [
      'contact_id,deal_id',
      {},
      ['contact_id', 'deal_id', { fromObjectType: 'contacts', toObjectType: 'deals' }],
    ],
    ['Record ID,Company ID', between('contacts', 'companies'), ['Record ID', 'Company ID', {}]],
  ])('are understood: %s', (header, reading, [wantedFrom, wantedTo, objects]) => {
    const found = columns(header, reading);
    expect(found.problems).toEqual([]);
    expect([found.from, found.to, found.objects]).toEqual([wantedFrom, wantedTo, objects]);
    expect(found.warnings[0]).toMatch(/^reading from .* to /);
  });

  it('let only properties that speak of association labels make an export unusable', () => {
    const header = 'Record ID,Deal Type,Lifecycle Category,Note,Note,Associated Company IDs';
    expect(columns(header, from('contacts')).problems).toEqual([]);
    expect(columns(`${header},Association Type of X`, from('contacts')).problems).toEqual([
      expect.stringMatching(/^column "Association Type of X" may say what the associations are/),
    ]);
  });

  it.each([
    [
      'Record ID,Associated Company IDs,Associated Deal IDs',
      from('contacts'),
      'several columns may hold the to ids ("Associated Company IDs", "Associated Deal IDs"): choose one with --to or --to-column',
    ],
    [
      'Record ID - Contact,Record ID - Company',
      between('contacts', 'deals'),
      'no column holds ids of deals, which --to asks for: the header has "Record ID - Contact", "Record ID - Company"; name the column with --to-column',
    ],
    [
      'Record ID,Associated Company IDs',
      { ...between('contacts', 'deals'), columns: { to: 'Associated Company IDs' } },
      'column "Associated Company IDs" holds ids of companies, but --to is deals',
    ],
  ])('leave nothing open: %s', (header, reading, problem) => {
    expect(columns(header, reading).problems).toEqual([problem]);
  });
});

describe('options that name columns', () => {
  it('win over the names of our fields, and say the object type if the name does', () => {
    const found = columns('Person,Associated Company IDs,note', {
      ...from('contacts'),
      columns: { from: 'person', to: 'associated_company_ids' },
    });
    expect(found).toMatchObject({
      from: 'Person',
      to: 'Associated Company IDs',
      objects: { toObjectType: 'companies' },
      problems: [],
    });
  });

  it('must be in the header, once', () => {
    const { problems } = columns('from,to,note,Note', {
      columns: { type: 'tipe', label: 'NOTE' },
      ignored: ['note'],
    });
    expect(problems).toEqual([
      '--type-column "tipe" is not in the header: "from, to, note, Note"',
      '--label-column "NOTE": 2 columns have this name',
    ]);
    expect(columns('from,to,Kind', { columns: { type: 'Kimd' } }).problems).toEqual([
      '--type-column "Kimd" is not in the header: did you mean Kind?',
    ]);
  });

  it('--ignore-column that the header does not have is pointed out', () => {
    expect(columns('from,to,Deal type', { ignored: ['Deal typ', 'deal_type'] }).warnings).toEqual([
      '--ignore-column "Deal typ" is not in the header: did you mean Deal type?',
    ]);
  });

  it('--ignore-column leaves a column out without a word', () => {
    const found = columns('from,to,Deal type,x', { ignored: ['deal_type', 'x'] });
    expect(found).toMatchObject({ problems: [], warnings: [] });
  });

  it('a column of types excludes other columns of types', () => {
    expect(columns('from,to,Kind,category,typeId', { columns: { type: 'Kind' } }).problems).toEqual([
      expect.stringMatching(/^column "category" is not read, because an option names another one/),
      expect.stringMatching(/^column "typeId" is not read/),
    ]);
  });
});

it('a first line of data is named as such', () => {
  for (const header of ['101,202', '51,8801;8802', '1.0E+11,7.0', '101,Ann,202'])
    expect(columns(header).problems).toEqual([
      `the header is missing: the first line looks like data ("${header}"): put a line above it that names the columns, such as from,to`,
    ]);
});

it('our own columns of refused lines are ignored without a word', () => {
  expect(columns('line,error,from,to')).toMatchObject({ from: 'from', to: 'to', problems: [], warnings: [] });
});
