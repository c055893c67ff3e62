/** What HubSpot would answer to a batch: types, bad inputs, duplicate pairs. */
import { describe, expect, it } from '@jest/globals';
import type { AssociationType } from '../../../src/shared/contract/association.js';
import { type Batch, readBatch, TypeLists } from '../../../src/simulator/batch.js';
import type { SimulatorOptions } from '../../../src/simulator/options.js';
import { judge, type Verdict } from '../../../src/simulator/rules.js';

const type = (id: number, category: AssociationType['associationCategory'] = 'HUBSPOT_DEFINED') => ({
  associationCategory: category,
  associationTypeId: id,
});
const CONTACT_TO_COMPANY = type(279);

function batchOf(pairs: [string, string][], types = [CONTACT_TO_COMPANY], from = '0-1', to = '0-2'): Batch {
  const inputs = pairs.map(([fromId, toId]) => ({ from: { id: fromId }, to: { id: toId }, types }));
  const read = readBatch(Buffer.from(JSON.stringify({ inputs })), from, to, new TypeLists());
  if ('refusal' in read) throw new Error(JSON.stringify(read.refusal));
  return read.batch;
}

const rules = (refusal: SimulatorOptions['refusal'] = 'partial', customTypeIds: number[] = []) => ({
  refusal,
  customTypeIds,
  labels: [],
  withoutTypeIds: [],
  missing: new Set(['4711']),
});

const errorsOf = (verdict: Verdict) => (verdict.kind === 'judged' ? verdict.errors : []);
const refusalBody = (verdict: Verdict) =>
  verdict.kind === 'refused' ? (verdict.refusal.body as Record<string, unknown>) : {};

describe('an association type', () => {
  it.each([
    ['0-1', '0-2', CONTACT_TO_COMPANY],
    ['0-2', '0-1', type(280)],
    ['0-3', '0-2', type(5)],
    ['0-1', '0-1', type(449)],
    ['0-1', '2-7', type(4_321)],
    ['0-1', '0-2', type(3, 'USER_DEFINED')],
  ])('is accepted between the objects that it is for: %s → %s with %j', (from, to, good) => {
    expect(judge(batchOf([['1', '2']], [good], from, to), rules())).toMatchObject({ created: [0] });
  });

  it("is refused for the other direction in HubSpot's words", () => {
    const verdict = judge(batchOf([['1', '2']], [type(280)]), rules());
    expect(refusalBody(verdict)).toMatchObject({
      category: 'VALIDATION_ERROR',
      message:
        'invalid from object type 0-1 for associations to be created. expected: 0-2. For definition 0-280',
    });
  });

  it('that does not exist is named for the whole call', () => {
    const batch = batchOf([['1', '2']], [type(31_337), type(12, 'USER_DEFINED')]);
    expect(refusalBody(judge(batch, rules('partial', [11])))).toMatchObject({
      message: 'One or more associations are invalid',
      context: {
        associationSpec: ['HUBSPOT_DEFINED=31337', 'USER_DEFINED=12'],
        INVALID_ASSOCIATION_TYPE_ID: [
          'HUBSPOT_DEFINED=31337 is not a valid association definition id',
          'USER_DEFINED=12 is not a valid association definition id',
        ],
      },
    });
  });
});

describe('a batch with bad inputs among good ones', () => {
  const pairs: [string, string][] = [
    ['1', '2'],
    ['999000001', '3'],
    ['4', 'x1'],
    ['5', '998000001'],
    ['6', '997000001'],
    ['999000001', '999000002'],
  ];

  it('has one error for each record and side, and none for what is accepted without effect', () => {
    const verdict = judge(batchOf(pairs), rules());
    expect(verdict).toMatchObject({ kind: 'judged', created: [0], ignored: [4] });
    expect(errorsOf(verdict)).toEqual([
      {
        status: 'error',
        category: 'OBJECT_NOT_FOUND',
        subCategory: 'crm.associations.FROM_OBJECT_NOT_FOUND',
        message: 'No contact with ID 999000001 exists',
        context: { objectType: ['contact'], id: ['999000001'] },
      },
      {
        status: 'error',
        category: 'VALIDATION_ERROR',
        subCategory: 'crm.associations.INVALID_IDENTIFIER',
        message: 'x1 is not a valid ID',
        context: { id: ['x1'] },
      },
      {
        status: 'error',
        category: 'VALIDATION_ERROR',
        message: 'ASSOCIATION_USER_CONFIG_LIMIT_EXCEEDED',
      },
      {
        status: 'error',
        category: 'OBJECT_NOT_FOUND',
        subCategory: 'crm.associations.TO_OBJECT_NOT_FOUND',
        message: 'No company with ID 999000002 exists',
        context: { objectType: ['company'], id: ['999000002'] },
      },
    ]);
  });

  it('is refused as a whole, with the names it has', () => {
    expect(refusalBody(judge(batchOf(pairs), rules('whole')))).toMatchObject({
      message: 'One or more associations are invalid',
      category: 'VALIDATION_ERROR',
      context: {
        INVALID_OBJECT_IDS: [
          'CONTACT=999000001 is not valid',
          'COMPANY=x1 is not valid',
          'COMPANY=999000002 is not valid',
        ],
        objectId: ['999000001', 'x1', '999000002'],
        objectType: ['CONTACT', 'COMPANY'],
      },
    });
  });

  it('is refused as a whole without names', () => {
    const body = refusalBody(judge(batchOf(pairs), rules('whole-unnamed')));
    expect(body.message).toBe('One or more associations are invalid');
    expect(body).not.toHaveProperty('context');
  });

  it('is refused without names when a record is associated to itself', () => {
    const batch = batchOf(
      [
        ['7', '7'],
        ['7', '8'],
      ],
      [type(449)],
      '0-1',
      '0-1',
    );
    const partial = judge(batch, rules());
    expect(partial).toMatchObject({ created: [1] });
    expect(errorsOf(partial)).toEqual([
      {
        status: 'error',
        category: 'VALIDATION_ERROR',
        message: 'Object 7 cannot be associated to itself (7)',
      },
    ]);
    expect(refusalBody(judge(batch, rules('whole'))).message).toBe(
      'Object 7 cannot be associated to itself (7)',
    );
  });

  it('may have the same number on both sides of different object types', () => {
    expect(judge(batchOf([['7', '7']]), rules())).toMatchObject({ created: [0], errors: [] });
  });
});

describe('the number of repeated pairs', () => {
  it.each([
    [
      [
        ['1', '2'],
        ['1', '2'],
      ],
      1,
    ],
    [
      [
        ['1', '2'],
        ['1', '3'],
        ['1', '3'],
        ['1', '2'],
      ],
      2,
    ],
  ] as [[string, string][], number][])('of %j is %d', (pairs, duplicates) => {
    const verdict = judge(batchOf(pairs), rules());
    expect(verdict).toMatchObject({ kind: 'refused', duplicates });
    expect(refusalBody(verdict).message).toBe('Duplicate IDs found in batch input');
  });

  it('does not count records that only share a side', () => {
    const batch = batchOf([
      ['1', '2'],
      ['1', '3'],
      ['2', '2'],
    ]);
    expect(judge(batch, rules())).toMatchObject({ created: [0, 1, 2] });
  });
});
