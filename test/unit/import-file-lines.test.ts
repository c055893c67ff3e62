/** From bytes to associations and refusals: read-lines.ts, csv.ts, ndjson.ts. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CsvParser } from '../../src/producer/import/csv.js';
import type { LineDefaults, LineParser, ParsedLines } from '../../src/producer/import/line.js';
import { NdjsonParser } from '../../src/producer/import/ndjson.js';
import { MAX_LINE_LENGTH, readLines } from '../../src/producer/import/read-lines.js';

const defaults: LineDefaults = {
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
};
function parseAll(parser: LineParser, text: string): ParsedLines & { problems: string[]; refused: string[] } {
  const into: ParsedLines = { associations: [], lines: [], refusals: [] };
  text.split('\n').forEach((line, index) => {
    parser.feed(line, index + 1, into);
  });
  parser.end(into);
  const refused = into.refusals.map(({ line, reasons }) => `${line}: ${reasons.join('; ')}`);
  return { ...into, problems: parser.problems(), refused };
}
const csv = (text: string, given = defaults) => parseAll(new CsvParser(given), text);
const ndjson = (text: string, given = defaults) => parseAll(new NdjsonParser(given), text);
const pairs = ({ associations }: ParsedLines) => associations.map(({ from, to }) => `${from}>${to}`);

describe('readLines', () => {
  async function* inChunks(bytes: Uint8Array, size: number) {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const linesOf = async (bytes: Uint8Array, size: number) => {
    const lines: [number, string][] = [];
    for await (const { firstLine, lines: texts } of readLines(inChunks(bytes, size)))
      texts.forEach((text, index) => {
        lines.push([firstLine + index, text]);
      });
    return lines;
  };

  it('numbers physical lines, whatever the chunks, the ends of line and the byte order mark', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.stringMatching(/^[aü€😀, "]{0,6}$/u), { minLength: 1, maxLength: 8 }),
        fc.constantFrom('\n', '\r\n'),
        fc.constantFrom('', '\uFEFF'),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        async (texts, end, mark, endsWithEnd, size) => {
          const bytes = new TextEncoder().encode(mark + texts.join(end) + (endsWithEnd ? end : ''));
          const expected = texts.map((text, index): [number, string] => [index + 1, text]);
          if (!endsWithEnd && texts.at(-1) === '') expected.pop();
          expect(await linesOf(bytes, size)).toEqual(expected);
        },
      ),
    );
  });

  it('cuts a line without end, and finds the next one', async () => {
    const bytes = new TextEncoder().encode(`${'x'.repeat(3 * MAX_LINE_LENGTH)}\n1,2`);
    const lines = await linesOf(bytes, 65_536);
    expect(lines.map(([line, text]) => [line, text.slice(0, 3)])).toEqual([
      [1, 'xxx'],
      [2, '1,2'],
    ]);
    expect(lines[0]?.[1].length).toBeLessThanOrEqual(MAX_LINE_LENGTH + 65_537);
    expect(lines[0]?.[1].length).toBeGreaterThan(MAX_LINE_LENGTH);
  });
});

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

  it('reads quoted cells, also with line breaks', () => {
    const parsed = csv('"from","to",note\n"1","2","a ""b"", c"\n3,4,"one\ntwo, ""three""\n"\n5,6,x');
    expect(pairs(parsed)).toEqual(['1>2', '3>4', '5>6']);
    expect(parsed).toMatchObject({ lines: [2, 3, 6], refused: [] });
  });

  it('lets a quote that is not closed cost its own line only', () => {
    const parsed = csv('from,to\n1,"2\n3,4\n5,6\n"7",8\n9,1"0\n11,12');
    expect(pairs(parsed)).toEqual(['3>4', '5>6', '7>8', '11>12']);
    expect(parsed.refusals.map(({ line }) => line)).toEqual([2, 6]);
  });

  it('gives up on an unclosed quote after 100 lines, long before the end', () => {
    const parser = new CsvParser(defaults);
    const into: ParsedLines = { associations: [], lines: [], refusals: [] };
    ['from,to', '1,"2', ...Array.from({ length: 99 }, (_, id) => `${id},7`)].forEach((text, index) => {
      parser.feed(text, index + 1, into);
    });
    expect(into.refusals).toEqual([{ line: 2, reasons: ['a quote is not closed'] }]);
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
    ['a,b\n', defaults, ['the header has no column from: "a,b"', 'the header has no column to: "a,b"']],
    ['from,to,typeid', defaults, ['the header has typeId without category: give both or neither']],
    ['from,to,Category', defaults, ['the header has category without typeId: give both or neither']],
    [
      'f\0r\0o\0m\0,\0t\0o\0',
      defaults,
      [
        expect.stringMatching(/^the header has no column from: /),
        expect.stringMatching(/^the header has no column to: /),
        'the file is not UTF-8: save it as UTF-8',
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
    ['from,to,to', defaults, ['columns "to" and "to" say the same: keep one of them']],
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
        'column "Label of the deal" may say what the associations are, and is not understood: call it category, typeId, label, fromObjectType, toObjectType, or take it out of the file',
      ],
    ],
    [
      'from;to\n1;2',
      defaults,
      [
        'the header has no column from: "from;to"',
        'the header has no column to: "from;to"',
        'the cells are separated by ";": separate them by commas',
      ],
    ],
  ])('finds the header %j unusable', (header, given, problems) => {
    expect(csv(header, given).problems).toEqual(problems);
  });
});

describe('the columns of a CSV file', () => {
  const userDefined = [{ associationCategory: 'USER_DEFINED', associationTypeId: 36 }];

  it.each([
    ['from,to,associationCategory,associationTypeId\n51,8801,USER_DEFINED,36', { types: userDefined }],
    ['FROM,To,association_category,Association Type ID\n51,8801,USER_DEFINED,36', { types: userDefined }],
    ['from,to,Association Label\n51,8801,Decision maker', { label: 'Decision maker' }],
    ['from,to,association_label\n51,8801,Decision maker', { label: 'Decision maker' }],
  ])('%j is understood', (text, meaning) => {
    const { associations, problems } = csv(text, { fromObjectType: 'contacts', toObjectType: 'companies' });
    expect(problems).toEqual([]);
    expect(associations).toEqual([expect.objectContaining({ from: '51', to: '8801', ...meaning })]);
  });

  it('says once which are not read', () => {
    const parser = new CsvParser(defaults);
    const { problems } = parseAll(parser, 'from,,to,Owner,no\u202ete,\n1,x,2,Ann,y,');
    expect(problems).toEqual([]);
    expect(parser.warnings()).toEqual([
      'columns that are not read: number 2 (without a name), "Owner", "no\u202ete"',
    ]);
  });

  it('empty cells at the end are no fault, nor are lines of nothing else', () => {
    const parsed = csv('from,to,\n101,202,\n103,204,,\n,\n,,,\n105,206');
    expect(parsed).toMatchObject({ problems: [], refused: [] });
    expect(pairs(parsed)).toEqual(['101>202', '103>204', '105>206']);
    expect(csv('from,to\n1,2,,x').refused).toEqual(['2: 4 cells, but the header has 2']);
  });

  it('a million of them are looked at, too', () => {
    const header = `from,to,${Array.from({ length: 100_000 }, (_, at) => `c${at}`).join(',')}`;
    const parser = new CsvParser(defaults);
    expect(parseAll(parser, header).problems).toEqual([]);
    expect(parser.warnings()).toEqual([expect.stringMatching(/"c19" and 99980 more$/)]);
  });
});

describe('NdjsonParser', () => {
  const hubspot = { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 };
  const userDefined = { associationCategory: 'USER_DEFINED', associationTypeId: 36 };

  it.each([
    ['{"from":"51","to":"1","category":"USER_DEFINED","typeId":36}', { types: [userDefined] }],
    [
      '{"from":"51","to":"1","associationCategory":"USER_DEFINED","associationTypeId":"36"}',
      { types: [userDefined] },
    ],
    ['{"from":"51","to":"1","association_label":"Billing"}', { label: 'Billing' }],
    [`{"from":{"id":"51"},"to":{"id":"1"},"types":[${JSON.stringify(hubspot)}]}`, { types: [hubspot] }],
    ['{"from":"51","to":"1","category":null,"typeId":null}', { types: defaults.types }],
    ['{"from":"51","to":"1","from_object_type":"deals"}', { fromObjectType: 'deals' }],
  ])('understands %s', (line, meaning) => {
    const { associations, refused } = ndjson(line);
    expect(refused).toEqual([]);
    expect(associations).toEqual([expect.objectContaining({ from: '51', to: '1', ...meaning })]);
  });

  it.each([
    [
      '{"from":1,"to":2,"fromType":"deals","toType":"contacts"}',
      'fromType: did you mean fromObjectType?; toType: did you mean toObjectType?',
    ],
    [
      '{"from":1,"to":2,"no\\u202ete":1}',
      expect.stringMatching(/^no\u202ete: an association has no such field/),
    ],
    ['{"from":1,"to":2,"typeId":36}', 'typeId: a type needs a category, too'],
    [
      '{"from":{"id":1,"type":"deals"},"to":2}',
      'from: {"id":1,"type":"deals"} is not a record id (a string or an integer)',
    ],
    [
      '{"from":{"id":9007199254740993},"to":2}',
      expect.stringMatching(/^from: 9007199254740993 is not exactly an integer/),
    ],
    ['{"from":"1\\ud800","to":2}', 'from: "1\\ud800" is not a record id'],
  ])('refuses %s by name', (line, reason) => {
    const { associations, refused } = ndjson(line);
    expect(associations).toEqual([]);
    expect(refused.map(text => text.replace(/^1: /, ''))).toEqual([reason]);
  });

  it('reads ids as texts or numbers, types as objects or texts; the line wins', () => {
    const parsed = ndjson(
      [
        '{"from":"1","to":2}',
        '',
        '{"from":3,"to":"4","fromObjectType":"deals","toObjectType":null,"types":["USER_DEFINED:36",{"associationCategory":"WORK","associationTypeId":1}],"error":{"from":9.5}}',
      ].join('\n'),
    );
    expect(parsed.associations).toEqual([
      { ...defaults, from: '1', to: 2 },
      {
        from: 3,
        to: '4',
        fromObjectType: 'deals',
        toObjectType: 'companies',
        types: [
          { associationCategory: 'USER_DEFINED', associationTypeId: 36 },
          { associationCategory: 'WORK', associationTypeId: 1 },
        ],
      },
    ]);
    expect(parsed).toMatchObject({ lines: [1, 3], refused: [] });
  });

  it.each([
    ['{"from":1', /^not JSON: /],
    ['[1,2]', /^not a JSON object/],
    ['{"to":1}', /^from: undefined is not a record id/],
    ['{"from":{},"to":1}', /^from: \{\} is not a record id/],
    ['{"from":1,"to":2,"types":[]}', /at least one association type/],
    ['{"from":1,"to":2,"types":["X:1","WORK:0"]}', /types\[0\]: "X:1" is not.*types\[1\]: "WORK:0" is not/],
    ['{"from":1,"to":2,"type":"WORK:1"}', /^type: did you mean types\?/],
    ['{"from":1,"to":2,"labels":"Chef"}', /^labels: did you mean label\?/],
    ['{"from":1,"to":2,"label":7}', /^label: 7 is not a text$/],
    ['{"from":1,"to":2,"label":" "}', /^label: " " is empty/],
    ['{"from":1,"to":2,"toObjectType":"a/b"}', /^toObjectType: "a\/b" is not an object type/],
  ])('refuses %s', (line, reason) => {
    const { associations, refused } = ndjson(line);
    expect(associations).toEqual([]);
    expect(refused.map(text => text.replace(/^1: /, ''))).toEqual([expect.stringMatching(reason)]);
  });

  it.each([
    '9007199254740992',
    '9007199254740993',
    '9007199254740990.6',
    '1e3',
    '1.0',
    '123456789012345678901234',
  ])('refuses the number %s, which is not exactly an id once read, in the words of the file', number => {
    const { refused } = ndjson(`{"from" : ${number},"to":2}`);
    expect(refused).toEqual([expect.stringContaining(`1: from: ${number} is not exactly an integer`)]);
  });

  it('names every fault of a line, whatever was found first', () => {
    const { refused } = ndjson('{"from":-1,"to":1.5,"type":"WORK:1","label":7}');
    expect(refused).toEqual([
      '1: type: did you mean types?; to: 1.5 is not exactly an integer up to 9007199254740991: give the id as a string; from: -1 is not a record id; label: 7 is not a text',
    ]);
  });

  it('takes the largest safe number, and any length as text', () => {
    const parsed = ndjson('{"from":9007199254740991,"to":"123456789012345678901234"}');
    expect(pairs(parsed)).toEqual(['9007199254740991>123456789012345678901234']);
  });

  it('asks for an option that no line has made needless', () => {
    expect(ndjson('{"from":1,"to":2,"types":["WORK:1"],"toObjectType":"deals"}', {}).problems).toEqual([
      '--from is missing (such as --from contacts), and the input does not give it',
    ]);
    expect(ndjson('{"from":1,"to":2}').problems).toEqual([]);
  });
});
