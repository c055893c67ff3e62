/** The schema of a job's data: what is valid, what the faults say, and that the types of association.ts agree with it. */
import { describe, expect, test } from '@jest/globals';
import type { ErrorContext, JobData, PairProgress } from '../../../../src/shared/contract/association.js';
import { JobDataSchema, parseJobData } from '../../../../src/shared/contract/job-schema.js';
import type { Static } from '../../../../src/shared/contract/typebox.js';

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

/** Each can be assigned to the other: the compiler holds it. */
type Same<One, Other> = [One, Other] extends [Other, One] ? true : never;
type Given = Static<typeof JobDataSchema>;
type GivenProgress = Omit<NonNullable<Given['progress']>[number], 'pairs'>;

test('the schema and the types say the same', () => {
  const same: [
    Same<NonNullable<Given['errors']>[number], ErrorContext>,
    Same<Readonly<GivenProgress>, PairProgress>,
    Same<keyof Given, keyof JobData>,
  ] = [true, true, true];
  expect(same).toEqual([true, true, true]);
  const names = ['version', 'fromObjectType', 'toObjectType', 'types', 'pairs', 'source', 'requestId'];
  expect(Object.keys(JobDataSchema.properties)).toEqual([
    ...names,
    ...['errors', 'progress', 'rejected', 'created', 'cancelled'],
  ]);
});
