/** The vocabulary: valid associations and types, and the faults of invalid ones. */
import { describe, expect, test } from '@jest/globals';
import {
  type Association,
  associationFaults,
  parseType,
  typesFaults,
  typesText,
  typeText,
} from '../../../../src/shared/contract/association.js';
import { canonicalId, recordIdFault } from '../../../../src/shared/contract/record-id.js';

const type = { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 } as const;
describe('an association', () => {
  const good: Association = {
    fromObjectType: 'contacts',
    toObjectType: '2-1234',
    from: '1',
    to: 2,
    types: [type],
  };

  test('is accepted with ids as strings or safe integers', () => {
    expect(associationFaults(good)).toEqual([]);
  });

  test('has all its faults named, each with its field and value', () => {
    const bad = {
      fromObjectType: 'con tacts',
      toObjectType: undefined,
      from: '',
      to: 1.5,
      types: [{ associationCategory: 'HUBSPOT', associationTypeId: '2.79e2' }],
    } as unknown as Association;
    expect(associationFaults(bad)).toEqual([
      'fromObjectType: "con tacts" is not an object type (such as contacts, 0-1 or 2-1234)',
      'toObjectType: undefined is not an object type (such as contacts, 0-1 or 2-1234)',
      'from: "" is not a record id',
      'to: 1.5 is not a record id',
      'types[0].associationCategory: "HUBSPOT" is not one of HUBSPOT_DEFINED, USER_DEFINED, INTEGRATOR_DEFINED, WORK',
      'types[0].associationTypeId: "2.79e2" is not an integer from 1 to 2147483647',
    ]);
  });

  test.each([null, undefined, 7, 'x'])('is not %p, which is one fault', value => {
    expect(associationFaults(value as unknown as Association)).toHaveLength(1);
  });

  test.each([
    [0, undefined],
    ['0', undefined],
    ['abc', undefined], // HubSpot decides whether it exists
    [-1, '-1 is not a record id'],
    [2 ** 53, '9007199254740992 is too large for a number: give the id as a string'],
    ['a b', '"a b" is not a record id'],
    [null, 'null is not a record id (a string or an integer)'],
    [{}, '{} is not a record id (a string or an integer)'],
    ['x'.repeat(129), expect.stringMatching(/^"x+… is not a record id$/)],
  ])('has the record id %p, or a fault that says why not', (id, fault) => {
    expect(recordIdFault(id)).toEqual(fault);
  });

  test.each([
    ['000101', '101'],
    ['101', '101'],
    [101, '101'],
    [-0, '0'],
    ['0', '0'],
    ['000', '0'],
    ['0x10', '0x10'],
    ['01a', '01a'],
    ['00123456789012345678901234', '123456789012345678901234'],
  ])('takes the id %p for %p', (id, form) => {
    expect(recordIdFault(id)).toBeUndefined();
    expect(canonicalId(id)).toBe(form);
  });

  test.each(['\ud800', 'a\udfff', '1\u200b', '\u202e1', '1\u2028', '1\u0085', '\u0000', '\ufeff1'])(
    'refuses the text %j as an id',
    id => {
      expect(recordIdFault(id)).toMatch(/ is not a record id$/);
    },
  );

  test('refuses a bigint as an id, and shows it', () => {
    expect(recordIdFault(5n)).toBe('5 is not a record id (a string or an integer)');
  });

  test('is refused when null is among its types', () => {
    expect(typesFaults([null])).toHaveLength(2);
    expect(typesFaults('HUBSPOT_DEFINED:279')).toHaveLength(1);
  });
});

describe('types in text', () => {
  test('are read as they were written', () => {
    expect(typeText(type)).toBe('HUBSPOT_DEFINED:279');
    expect(parseType(' HUBSPOT_DEFINED:279 ')).toEqual(type);
  });

  test('are the same text in any order', () => {
    const other = { associationCategory: 'USER_DEFINED', associationTypeId: 4 } as const;
    expect(typesText([type, other])).toBe(typesText([other, type, other]));
    expect(typesText([type])).toBe('HUBSPOT_DEFINED:279');
  });

  test.each([
    '',
    'HUBSPOT_DEFINED',
    'HUBSPOT_DEFINED:',
    'HUBSPOT_DEFINED:1:2',
    'X:1',
    'HUBSPOT_DEFINED:0',
    'HUBSPOT_DEFINED:1.5',
    'HUBSPOT_DEFINED:0x117',
    'HUBSPOT_DEFINED:2.79e2',
  ])('refuse "%s" with an example', text => {
    expect(() => parseType(text)).toThrow(/is not an association type \(such as HUBSPOT_DEFINED:279\)/);
  });

  test.each([
    ['279', 'HUBSPOT_DEFINED:279'],
    ['HUBSPOT_DEFIND:279', 'HUBSPOT_DEFINED:279'],
    ['user_defined:36', 'USER_DEFINED:36'],
  ])('refuse "%s": did you mean %s?', (text, meant) => {
    expect(() => parseType(text)).toThrow(`is not an association type: did you mean ${meant}?`);
  });
});
