/** From lines of NDJSON to associations and refusals. */
import { describe, expect, it } from '@jest/globals';
import { NdjsonParser } from '../../../../src/producer/import/ndjson.js';
import { defaults, pairsText, parseAll } from '../../../support/parse-lines.js';

const ndjson = (text: string, given = defaults) => parseAll(new NdjsonParser({ defaults: given }), text);

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
    expect(pairsText(parsed)).toEqual(['9007199254740991>123456789012345678901234']);
  });

  it('reads several ids of a text, and repairs ids that were written as numbers', () => {
    const lines = '{"from":"1","to":"2; 3"}\n{"from":101.0,"to":"1,234"}\n{"from":101.5,"to":{"id":7.0}}';
    const parser = new NdjsonParser({ defaults, fixIds: true });
    const parsed = parseAll(parser, lines);
    expect(pairsText(parsed)).toEqual(['1>2', '1>3', '101>1234']);
    expect(parsed.refused).toEqual([expect.stringMatching(/^3: from: 101.5 is not exactly an integer/)]);
    expect(parser.notes()).toEqual([expect.stringMatching(/^3 ids repaired/)]);
    expect(ndjson(lines).refused).toHaveLength(2);
  });

  it('asks for an option that no line has made needless', () => {
    expect(ndjson('{"from":1,"to":2,"types":["WORK:1"],"toObjectType":"deals"}', {}).problems).toEqual([
      '--from is missing (such as --from contacts), and the input does not give it',
    ]);
    expect(ndjson('{"from":1,"to":2}').problems).toEqual([]);
  });
});
