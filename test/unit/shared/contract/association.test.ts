/** The vocabulary: valid associations, types and job data, and the faults of invalid ones. */
import { describe, expect, test } from '@jest/globals';
import {
  type Association,
  associationFaults,
  parseJobData,
  parseType,
  typesFaults,
  typesText,
  typeText,
} from '../../../../src/shared/contract/association.js';
import { canonicalId, recordIdFault } from '../../../../src/shared/contract/record-id.js';

const type = { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 } as const;
const job = {
  version: 1,
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  types: [type],
  pairs: [['101', '202']],
};

const faultsOf = (data: unknown): string[] => {
  const parsed = parseJobData(data);
  return parsed.ok ? [] : parsed.faults;
};

describe('the data of a job', () => {
  test("is accepted as the contract's example writes it", () => {
    expect(parseJobData({ ...job, source: 'crm-import', requestId: 'r-1' })).toEqual({
      ok: true,
      data: { ...job, source: 'crm-import', requestId: 'r-1' },
    });
  });

  test('has ids as strings afterwards, and keeps unknown fields', () => {
    const error = { at: '2026-01-01T00:00:00Z', attempt: 1, message: 'no', pairs: 1 };
    expect(
      parseJobData({ ...job, pairs: [[1, '2']], rejected: [{ error, pairs: [[3, 4]] }], note: 'theirs' }),
    ).toMatchObject({
      ok: true,
      data: { pairs: [['1', '2']], rejected: [{ error, pairs: [['3', '4']] }], note: 'theirs' },
    });
  });

  test('is refused with the place and the value of an invalid id', () => {
    expect(
      parseJobData({
        ...job,
        pairs: [
          ['1', '2'],
          ['a b', 1.5],
        ],
      }),
    ).toEqual({
      ok: false,
      faults: ['/pairs/1/0 "a b" is not a record id', '/pairs/1/1 1.5 is not a record id'],
    });
  });

  test('may write ids with leading zeros and type ids as text; both are read as numbers would be', () => {
    const error = { at: '2026-01-01T00:00:00Z', attempt: 1, message: 'no', pairs: 1 };
    const given = {
      ...job,
      types: [{ ...type, associationTypeId: '279' }],
      pairs: [
        ['000101', '0'],
        ['00', '0a'],
      ],
      rejected: [{ error, pairs: [['03', 4]] }],
    };
    expect(parseJobData(given)).toMatchObject({
      ok: true,
      data: {
        types: [type],
        pairs: [
          ['101', '0'],
          ['0', '0a'],
        ],
        rejected: [{ error, pairs: [['3', '4']] }],
      },
    });
  });

  test.each([
    ['a source of two lines', { source: 'nightly import\nsecond line\u0000' }],
    ['a request id with a tab', { requestId: 'a\tb' }],
  ])('is accepted although its free text is odd: %s', (_name, text) => {
    expect(parseJobData({ ...job, ...text })).toMatchObject({ ok: true, data: text });
  });

  test.each([
    ['an id', { ...job, pairs: [['\ud800', '2']] }, '/pairs/0/0'],
    ['an id that reads from right to left', { ...job, pairs: [['1', '\u202e2']] }, '/pairs/0/1'],
    ['a source', { ...job, source: 'half an emoji \ud83d' }, '/source'],
    ['a request id', { ...job, requestId: '\udc00' }, '/requestId'],
    ['somebody’s own field', { ...job, note: { deep: ['\ud800'] } }, '/note/deep/0'],
    ['a name', { ...job, note: { '\ud800': 1 } }, '/note/\ufffd'],
    [
      'a type id past int32 as text',
      { ...job, types: [{ ...type, associationTypeId: '2147483648' }] },
      '/types/0/associationTypeId',
    ],
    [
      'nesting without end',
      { ...job, note: JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) },
      '/note/0/0',
    ],
  ])('is refused, with the place, for what no script could read: %s', (_name, data, place) => {
    const faults = faultsOf(data);
    expect(faults[0]).toContain(place);
    expect(faults.join().isWellFormed()).toBe(true);
  });

  test('may have nothing left to create', () => {
    expect(faultsOf({ ...job, pairs: [] })).toEqual([]);
  });

  test.each([
    ['nothing', undefined, ''],
    ['a string', 'job', ''],
    ['another version', { ...job, version: 2 }, '/version'],
    ['no types', { ...job, types: [] }, '/types'],
    [
      'an unknown category',
      { ...job, types: [{ ...type, associationCategory: 'X' }] },
      '/types/0/associationCategory',
    ],
    ['a type id of 0', { ...job, types: [{ ...type, associationTypeId: 0 }] }, '/types/0/associationTypeId'],
    [
      'a type id past int32',
      { ...job, types: [{ ...type, associationTypeId: 2 ** 31 }] },
      '/types/0/associationTypeId',
    ],
    ['an object type with a slash', { ...job, fromObjectType: 'a/b' }, '/fromObjectType'],
    ['a pair of three', { ...job, pairs: [['1', '2', '3']] }, '/pairs/0'],
    [
      'an id with a space',
      {
        ...job,
        pairs: [
          ['1', '2'],
          ['3', '4 5'],
        ],
      },
      '/pairs/1/1',
    ],
    ['an id that is not safe', { ...job, pairs: [[2 ** 53, '1']] }, '/pairs/0/0'],
  ])('is refused, with the place: %s', (_name, data, place) => {
    const faults = faultsOf(data);
    expect(faults).not.toEqual([]);
    expect(faults.some(fault => fault.startsWith(place))).toBe(true);
  });

  test('is refused with all its faults at once', () => {
    const faults = faultsOf({ version: 1, types: [], pairs: [['1']] });
    for (const place of ['/types', '/pairs/0'])
      expect(faults.some(fault => fault.startsWith(place))).toBe(true);
    expect(faults.join()).toContain('fromObjectType');
  });
});

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
    '279',
    'HUBSPOT_DEFINED:0x117',
    'HUBSPOT_DEFINED:2.79e2',
  ])('refuse "%s"', text => {
    expect(() => parseType(text)).toThrow(/is not an association type \(such as HUBSPOT_DEFINED:279\)/);
  });
});
