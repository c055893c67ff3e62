/** From lines of CSV to associations and refusals. */
import { describe, expect, it } from '@jest/globals';
import { CsvParser } from '../../../../src/producer/import/csv.js';
import { noLines, type Reading } from '../../../../src/producer/import/line.js';
import { defaults, pairsText, parseAll } from '../../../support/parse-lines.js';

const csv = (text: string, given = defaults) => parseAll(new CsvParser({ defaults: given }), text);

describe('CsvParser', () => {
  it('reads from,to with the defaults, skips blank lines and keeps their numbers', () => {
    const parsed = csv('from,to\n1,2\n\n 3 ,4\n');
    expect(parsed.associations).toEqual([
      { ...defaults, from: '1', to: '2' },
      { ...defaults, from: '3', to: '4' },
    ]);
    expect(parsed).toMatchObject({ lines: [2, 4], refusals: [], problems: [] });
  });

  it('reads columns in any order and spelling, which win over the defaults where they are filled', () => {
    const { associations } = csv(
      'Type ID,CATEGORY,to,toObjectType,name,from\n36,USER_DEFINED,2,deals,Ann,1\n,,4,,Bob,3\n',
    );
    const types = [{ associationCategory: 'USER_DEFINED', associationTypeId: 36 }];
    expect(associations).toEqual([
      { from: '1', to: '2', fromObjectType: 'contacts', toObjectType: 'deals', types },
      { ...defaults, from: '3', to: '4' },
    ]);
  });

  it('reads a label; a line that has one, or a type, gets neither of the options', () => {
    const { associations } = csv(
      'from,to,Label,category,typeId\n1,2,Decision maker,,\n3,4,,WORK,1\n5,6,Chef,WORK,1\n7,8,,,\n',
      { ...defaults, label: 'Default' },
    );
    const work = [{ associationCategory: 'WORK', associationTypeId: 1 }];
    expect(associations.map(({ types, label }) => ({ types, label }))).toEqual([
      { types: undefined, label: 'Decision maker' },
      { types: work, label: undefined },
      { types: work, label: 'Chef' },
      { types: defaults.types, label: 'Default' },
    ]);
  });

  it('refuses a record with a line break in a note as one record, and gives it back whole', () => {
    const { associations, refusals } = csv('from,to,note\nbad id,2,"a\nb"\n1,2,x\n');
    expect(refusals).toEqual([
      { line: 2, reasons: [expect.stringContaining('bad id')], text: 'bad id,2,"a\nb"' },
    ]);
    expect(associations).toMatchObject([{ from: '1', to: '2' }]);
  });

  it('reads quoted cells, also with line breaks', () => {
    const parsed = csv('"from","to",note\n"1","2","a ""b"", c"\n3,4,"one\ntwo, ""three""\n"\n5,6,x');
    expect(pairsText(parsed)).toEqual(['1>2', '3>4', '5>6']);
    expect(parsed).toMatchObject({ lines: [2, 3, 6], refused: [] });
  });

  it('lets a quote that is not closed cost its own line only', () => {
    const parsed = csv('from,to\n1,"2\n3,4\n5,6\n"7",8\n9,1"0\n11,12');
    expect(pairsText(parsed)).toEqual(['3>4', '5>6', '7>8', '11>12']);
    expect(parsed.refusals.map(({ line }) => line)).toEqual([2, 6]);
  });

  it('gives up on an unclosed quote after 100 lines, long before the end', () => {
    const parser = new CsvParser({ defaults });
    const into = noLines();
    ['from,to', '1,"2', ...Array.from({ length: 99 }, (_, id) => `${id},7`)].forEach((text, index) => {
      parser.feed(text, index + 1, into);
    });
    expect(into.refusals).toEqual([{ line: 2, reasons: ['a quote is not closed'], text: '1,"2' }]);
    expect(into.associations).toHaveLength(99);
  });

  it('refuses lines with their reason', () => {
    const { refused, associations } = csv(
      [
        'from,to,category,typeId',
        '1,',
        'a b,2',
        '1,2,3,4,5',
        '1,2,HUBSPOT_DEFINED',
        '1,2,X,1',
        '1,2,WORK,1.5',
      ].join('\n'),
    );
    expect(associations).toEqual([]);
    expect(refused).toEqual([
      '2: to: "" is not a record id',
      '3: from: "a b" is not a record id',
      '4: 5 cells, but the header has 4',
      '5: types[0].associationTypeId: undefined is not an integer from 1 to 2147483647',
      expect.stringContaining('6: types[0].associationCategory: "X" is not one of'),
      '7: types[0].associationTypeId: "1.5" is not an integer from 1 to 2147483647',
    ]);
  });

  it('says what is missing in a line when there is no default', () => {
    expect(
      csv('from,to,toObjectType,category,typeId\n1,2,,,\n', { fromObjectType: 'contacts' }).refused,
    ).toEqual(['2: toObjectType: missing, and there is no --to']);
  });

  it.each([
    ['', defaults, ['the file is empty: its first line must be the header from,to']],
    [
      'a,b\n',
      defaults,
      [
        'the header has no column from: "a,b" (or name the column with --from-column)',
        'the header has no column to: "a,b" (or name the column with --to-column)',
      ],
    ],
    ['from,to,typeid', defaults, ['the header has typeId without category: give both or neither']],
    ['from,to,Category', defaults, ['the header has category without typeId: give both or neither']],
    [
      'f\0r\0o\0m\0,\0t\0o\0',
      defaults,
      [
        'the header is not readable in this encoding: save the file as UTF-8 ("CSV UTF-8" in Excel), or name its encoding (such as --encoding windows-1252)',
      ],
    ],
    ['from,to,fromObjctType', defaults, ['column fromObjctType: did you mean fromObjectType?']],
    [
      'from,to,toObjectType',
      {},
      ['--from is missing (such as --from contacts), and the input does not give it'],
    ],
    ['from,to,labels', defaults, ['column labels: did you mean label?']],
    ['from,to,table', defaults, []],
    [
      'from,to,to',
      defaults,
      ['columns "to" and "to" say the same: keep one of them (several ids go into one cell, separated by ;)'],
    ],
    [
      'from,to,category,typeId,Association Category',
      defaults,
      ['columns "category" and "Association Category" say the same: keep one of them'],
    ],
    ['from,to,note,note', defaults, ['columns "note" and "note" say the same: keep one of them']],
    ['from,to,fromType', defaults, ['column fromType: did you mean fromObjectType?']],
    ['from,to,To Type', defaults, ['column To Type: did you mean toObjectType?']],
    ['from,to,type', defaults, ['column type: did you mean typeId?']],
    [
      'from,to,Label of the deal',
      defaults,
      [
        'column "Label of the deal" may say what the associations are, and is not understood: call it category, typeId, label, fromObjectType, toObjectType, name it with --type-column or --label-column, or leave it out with --ignore-column',
      ],
    ],
  ])('says what is wrong with the header %j', (header, given, problems) => {
    expect(csv(header, given).problems).toEqual(problems);
  });
});

describe('files as people have them', () => {
  const read = (text: string, reading: Partial<Reading> = {}) => {
    const parser = new CsvParser({ defaults, ...reading });
    return { ...parseAll(parser, text), notes: parser.notes(), parser };
  };

  it.each([
    ['from;to\n101;202\n"103";"204"', undefined],
    ['from\tto\n101\t202\n103\t204\t', undefined],
    ['from|to|a,b;c\n101|202\n103|204|x,y', undefined],
    ['"to;x",to,from\n9,202,101\n"9;""9,",204,103', undefined],
    ['sep=;\nfrom;to\n101;202\n103;204', undefined],
    ['\n,,\nfrom,to\n101,202\n,\n103,204,,', undefined],
    ['from:to\n101:202\n"103":204', ':'],
  ])('are read with their own delimiter: %j', (text, delimiter) => {
    const parsed = read(text, delimiter === undefined ? {} : { delimiter });
    expect(parsed).toMatchObject({ problems: [], refused: [] });
    expect(pairsText(parsed)).toEqual(['101>202', '103>204']);
  });

  it('several ids in a cell become several associations, on one side', () => {
    const parsed = read('from,to\n101,202;203; 204;\n5;6,7\n1;2,3;4\n8,9;x y');
    expect(pairsText(parsed)).toEqual(['101>202', '101>203', '101>204', '5>7', '6>7']);
    expect(parsed.lines).toEqual([2, 2, 2, 3, 3]);
    expect(parsed.refused).toEqual([
      '4: from and to: 2 and 2 ids: only one of the two may be several in a line',
      '5: to: "x y" is not a record id',
    ]);
    expect(pairsText(read('from;to\n1;"2;3"'))).toEqual(['1>2', '1>3']);
  });

  it("an export of HubSpot gives associations with the header's object types, and skips records without any", () => {
    const parsed = read(
      '"Record ID","First Name","Associated Company IDs","Associated Company"\n"51","Ann","8801;8802","Acme;Beta"\n"52","Bo","","(No value)"\n"53","Cy","(No value)",""\n"","Di","8803",""',
      { defaults: { fromObjectType: 'contacts' } },
    );
    expect(parsed.associations).toEqual([
      expect.objectContaining({
        from: '51',
        to: '8801',
        fromObjectType: 'contacts',
        toObjectType: 'companies',
      }),
      expect.objectContaining({ from: '51', to: '8802' }),
    ]);
    expect(parsed).toMatchObject({ problems: [], refused: ['5: from: "" is not a record id'] });
    expect(parsed.notes).toEqual(['2 lines have no associated record and are skipped']);
  });

  it("Excel's text form is the text in it, in any column and without quotes around it", () => {
    const parsed = csv('from,to,="label"\n="66",77,="Chef"\n"=""0066""",="77;78",\n="1.01E+11",7,\n');
    expect(pairsText(parsed)).toEqual(['66>77', '0066>77', '0066>78']);
    expect(parsed.associations[0]).toMatchObject({ label: 'Chef' });
    expect(parsed.refusals).toEqual([
      { line: 4, reasons: [expect.stringContaining('Excel has rounded')], text: '="1.01E+11",7,' },
    ]);
  });

  it('ids that were formatted as numbers are refused, or repaired and counted', () => {
    const text = 'from,to\n101.0,"1,234"\n1.01E+11,2\n103,';
    expect(read(text).refused.map(reason => reason.slice(0, 22))).toEqual([
      '2: from: "101.0" is wr',
      '3: from: "1.01E+11": E',
      '4: to: "" is not a rec',
    ]);
    const fixed = read(text, { fixIds: true });
    expect(pairsText(fixed)).toEqual(['101>1234']);
    expect(fixed.notes).toEqual(['2 ids repaired (--fix-ids): "101.0" as 101, "1,234" as 1234']);
  });

  it('a column of types may hold several; one that is no type refuses its line', () => {
    const parsed = read('from,to,Kind\n1,2,WORK:1; WORK:2\n3,4,279\n5,6,', { columns: { type: 'Kind' } });
    expect(parsed.associations.map(({ types }) => types?.length)).toEqual([2, 1]);
    expect(parsed.associations[1]?.types).toEqual(defaults.types);
    expect(parsed.refused).toEqual([
      '3: types: "279" is not an association type: did you mean HUBSPOT_DEFINED:279?',
    ]);
  });

  it('each of several labels is checked', () => {
    const long = 'x'.repeat(201);
    const parsed = read(`from,to,label\n1,2,Chef;Billing\n3,4,Chef;${long}\n5,6,Ch\ufffdf;Billing`);
    expect(parsed.associations.map(({ label }) => label)).toEqual(['Chef;Billing']);
    expect(parsed.refused).toEqual([
      expect.stringMatching(/^3: label: "x.* is longer than 200 characters$/),
      expect.stringMatching(
        /^4: label: .* has a character that is not in this encoding: save the file as UTF-8/,
      ),
    ]);
  });

  it('an object type that HubSpot does not have is refused, unless any may be', () => {
    const text = 'from,to,toObjectType\n1,2,compnies\n3,4,cars\n5,6,2-123\n7,8,p12_cars\n9,10,0-999';
    expect(read(text).refused).toEqual([
      '2: toObjectType: "compnies" is not an object type that HubSpot\'s guide lists: did you mean companies? (if not: --any-object-type)',
      '3: toObjectType: "cars" is not an object type that HubSpot\'s guide lists: did you mean carts? (if not: --any-object-type)',
    ]);
    expect(read(text, { anyObjectType: true }).refused).toEqual([]);
  });
});

describe('the columns of a CSV file', () => {
  const userDefined = [{ associationCategory: 'USER_DEFINED', associationTypeId: 36 }];

  it.each([
    ['from,to,associationCategory,associationTypeId\n51,8801,USER_DEFINED,36', { types: userDefined }],
    ['FROM,To,association_category,Association Type ID\n51,8801,USER_DEFINED,36', { types: userDefined }],
    ['from,to,Association Label\n51,8801,Decision maker', { label: 'Decision maker' }],
    ['from,to,association_label\n51,8801,Decision maker', { label: 'Decision maker' }],
  ])('are understood as they are written: %j', (text, meaning) => {
    const { associations, problems } = csv(text, { fromObjectType: 'contacts', toObjectType: 'companies' });
    expect(problems).toEqual([]);
    expect(associations).toEqual([expect.objectContaining({ from: '51', to: '8801', ...meaning })]);
  });

  it('are named once when they are not read', () => {
    const parser = new CsvParser({ defaults });
    const { problems } = parseAll(parser, 'from,,to,Owner,no\u202ete,\n1,x,2,Ann,y,');
    expect(problems).toEqual([]);
    expect(parser.warnings()).toEqual([
      'columns that are not read: number 2 (without a name), "Owner", "no\u202ete"',
    ]);
  });

  it('may be followed by empty cells, and lines may have nothing else', () => {
    const parsed = csv('from,to,\n101,202,\n103,204,,\n,\n,,,\n105,206');
    expect(parsed).toMatchObject({ problems: [], refused: [] });
    expect(pairsText(parsed)).toEqual(['101>202', '103>204', '105>206']);
    expect(csv('from,to\n1,2,,x').refused).toEqual(['2: 4 cells, but the header has 2']);
  });

  it('are checked even when there are a hundred thousand', () => {
    const header = `from,to,${Array.from({ length: 100_000 }, (_, at) => `c${at}`).join(',')}`;
    const parser = new CsvParser({ defaults });
    expect(parseAll(parser, header).problems).toEqual([]);
    expect(parser.warnings()).toEqual([expect.stringMatching(/"c19" and 99980 more$/)]);
  });
});
