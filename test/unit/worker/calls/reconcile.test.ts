/** From an answer to the outcome of each input, absurd answers included. */
import { describe, expect, it } from '@jest/globals';
import { listsAll } from '../../../../src/worker/calls/results.js';
import { hubspot, parse, textOf, user } from '../../../support/input-texts.js';
import {
  AT,
  answerOf,
  columnsOf,
  createdBody,
  type Input,
  inputOf,
  reconcileInputs,
} from '../../../support/worker-samples.js';

const error = (message = 'something') => ({ status: 'error', message, correlationId: 'c-1' });

/** What reconcile found, by record pairs. */
function reconciled(
  status: number,
  body: unknown,
  inputs: readonly Input[],
  objectPair = 'contacts/companies',
) {
  const [fromObjectType = '', toObjectType = ''] = objectPair.split('/');
  const found = reconcileInputs(answerOf(status, body), status < 300, {
    fromObjectType,
    toObjectType,
    inputs,
  });
  return {
    created: found.created.map(textOf),
    named: Object.fromEntries(found.named.map(({ input, final }) => [textOf(input), final])),
    rest: found.rest.map(textOf),
    suspects: found.suspects.map(textOf),
    allGuilty: found.allGuilty,
    failure: found.failure,
    words: found.named.map(one => one.failure),
  };
}

describe('HubSpot’s recorded bodies (HUBSPOT.md)', () => {
  it('§2: results with numbers for ids, whatever the status', () => {
    const body = JSON.parse(
      `{"status":"COMPLETE","startedAt":"…","completedAt":"…",
       "results":[{"fromObjectTypeId":"0-1","fromObjectId":211762804612,"toObjectTypeId":"0-2","toObjectId":29013756946,"labels":[]}]}`,
    ) as unknown;
    for (const status of [200, 201, 207])
      expect(reconciled(status, body, [parse('211762804612>29013756946')])).toMatchObject({
        created: ['211762804612>29013756946'],
        suspects: [],
      });
  });

  it('§2: accepted, empty: everybody is unaccounted for', () => {
    const found = reconciled(201, { status: 'COMPLETE', results: [] }, [parse('1>2'), parse('3>4')]);
    expect(found).toMatchObject({
      created: [],
      named: {},
      rest: [],
      suspects: ['1>2', '3>4'],
      allGuilty: false,
    });
    expect(found.failure).toMatchObject({ category: 'NO_EFFECT', httpStatus: 201 });
    expect(found.failure.message).toMatch(/^accepted without effect/);
  });

  it('§3: an invalid identifier, and a record that is associated to itself', () => {
    const body = JSON.parse(
      `{"status":"COMPLETE","results":[],"numErrors":2,"errors":[
       {"status":"error","category":"VALIDATION_ERROR","subCategory":"crm.associations.INVALID_IDENTIFIER","message":"unknown_id_123456798 is not a valid ID","context":{"id":["unknown_id_123456798"]}},
       {"status":"error","category":"VALIDATION_ERROR","message":"Object 211762804612 cannot be associated to itself (211762804612)"}]}`,
    ) as unknown;
    const inputs = ['unknown_id_123456798>1', '211762804612>211762804612', '211762804612>5'].map(text =>
      parse(text),
    );
    for (const status of [200, 207]) {
      const found = reconciled(status, body, inputs, 'contacts/contacts');
      expect(found.named).toEqual({ 'unknown_id_123456798>1': true, '211762804612>211762804612': true });
      expect(found.suspects).toEqual(['211762804612>5']);
      expect(found.words[0]).toEqual({
        at: AT,
        httpStatus: status,
        category: 'VALIDATION_ERROR',
        subCategory: 'crm.associations.INVALID_IDENTIFIER',
        message: 'unknown_id_123456798 is not a valid ID',
      });
    }
  });

  it('§3: a record that does not exist, on the stated side', () => {
    const notFound = JSON.parse(
      `{"status":"error","category":"OBJECT_NOT_FOUND","subCategory":"crm.associations.FROM_OBJECT_NOT_FOUND","message":"No contact with ID 9993051 exists","context":{"objectType":["contact"],"id":["9993051"]}}`,
    ) as unknown;
    const inputs = ['9993051>1', '2>9993051', '3>4'].map(text => parse(text));
    const results = createdBody([parse('3>4')]).results;
    const found = reconciled(207, { status: 'COMPLETE', results, errors: [notFound], numErrors: 1 }, inputs);
    expect(found).toMatchObject({ created: ['3>4'], named: { '9993051>1': true }, suspects: ['2>9993051'] });
  });

  const invalidIds = JSON.parse(
    `{"status":"error","message":"One or more associations are invalid","correlationId":"8db60c8c-…","category":"VALIDATION_ERROR",
     "context":{"INVALID_OBJECT_IDS":["CONTACT=38374264688 is not valid"],"objectId":["38374264688"],"objectType":["CONTACT"]}}`,
  ) as { context: object };
  it.each([
    ['as recorded', invalidIds],
    [
      'with the sentence only',
      { ...invalidIds, context: { INVALID_OBJECT_IDS: ['CONTACT=38374264688 is not valid'] } },
    ],
  ])('§4: a record that is not valid, %s', (_, body) => {
    const inputs = ['38374264688>1', '2>3', '4>5'].map(text => parse(text));
    const found = reconciled(400, body, inputs);
    expect(found).toMatchObject({
      named: { '38374264688>1': true },
      rest: ['2>3', '4>5'],
      suspects: [],
      created: [],
    });
    expect(found.words[0]).toMatchObject({
      httpStatus: 400,
      correlationId: '8db60c8c-…',
      message: expect.stringContaining('CONTACT=38374264688 is not valid'),
    });
  });

  it('§4: the record is on the other side as well: only the stated side is named', () => {
    const inputs = ['38374264688>1', '2>38374264688'].map(text => parse(text));
    expect(reconciled(400, invalidIds, inputs)).toMatchObject({
      named: { '38374264688>1': true },
      rest: ['2>38374264688'],
    });
  });

  it('§4: a type that does not exist is final for all who have it, even without a category', () => {
    const body = JSON.parse(
      `{"…":"…","status":"error","message":"One or more associations are invalid","context":{"associationSpec":["USER_DEFINED=3"],"INVALID_ASSOCIATION_TYPE_ID":["USER_DEFINED=3 is not a valid association definition id"]}}`,
    ) as object;
    const inputs = [parse('1>2', [user(3)]), parse('3>4', [hubspot(3)])];
    expect(reconciled(400, { ...body, category: 'VALIDATION_ERROR' }, inputs)).toMatchObject({
      named: { '1>2': true },
      rest: ['3>4'],
    });
    expect(reconciled(400, body, inputs)).toMatchObject({ named: { '1>2': true }, rest: ['3>4'] });
  });

  it('§4: the wrong direction of a type', () => {
    const message =
      'invalid from object type 0-1 for associations to be created. expected: 0-46. For definition 0-190';
    const body = { status: 'error', category: 'VALIDATION_ERROR', message };
    const inputs = [parse('1>2', [hubspot(190)]), parse('3>4', [hubspot(279)])];
    expect(reconciled(400, body, inputs)).toMatchObject({ named: { '1>2': true }, rest: ['3>4'] });
  });

  it('§4: an unknown object type is final for all', () => {
    const body = {
      status: 'error',
      message: 'Unable to infer object type from: kontakts',
      correlationId: 'c',
    };
    expect(reconciled(400, body, [parse('1>2'), parse('3>4')])).toMatchObject({
      named: { '1>2': true, '3>4': true },
      suspects: [],
    });
  });

  it.each<[string, object]>([
    [
      'too many associations of a record',
      { status: 'error', category: 'VALIDATION_ERROR', message: 'ASSOCIATION_USER_CONFIG_LIMIT_EXCEEDED' },
    ],
    [
      'malformed JSON',
      { status: 'error', message: 'Invalid input JSON on line 1, column 1: …', correlationId: 'c' },
    ],
    ['no words at all', { status: 'error', category: 'VALIDATION_ERROR' }],
    [
      'duplicates',
      { status: 'error', message: 'Duplicate IDs found in batch input', category: 'VALIDATION_ERROR' },
    ],
  ])('§4: %s: it can be any of them', (_, body) => {
    const found = reconciled(400, body, [parse('1>2'), parse('3>4')]);
    expect(found).toMatchObject({
      created: [],
      named: {},
      rest: [],
      suspects: ['1>2', '3>4'],
      allGuilty: false,
    });
    expect(found.failure.message).not.toBe('');
  });
});

describe('reconcile', () => {
  it('a refusal that may mean one of several: they are suspects, the others go again', () => {
    const inputs = ['1>2', '2>3', '8>9'].map(text => parse(text));
    const body = { ...error(), context: { id: ['2'] } };
    expect(reconciled(400, body, inputs)).toMatchObject({
      named: {},
      suspects: ['1>2', '2>3'],
      rest: ['8>9'],
    });
  });

  it('as many errors as suspects: each of them is guilty', () => {
    const inputs = ['1>2', '3>4', '5>6'].map(text => parse(text));
    const body = createdBody([parse('5>6')], { errors: [error('a'), error('b')], numErrors: 2 });
    expect(reconciled(207, body, inputs)).toMatchObject({ suspects: ['1>2', '3>4'], allGuilty: true });
    expect(reconciled(207, { ...body, errors: [error('a')] }, inputs)).toMatchObject({ allGuilty: false });
  });

  it('an error that names the pair itself outweighs its result', () => {
    const body = createdBody([parse('1>2'), parse('3>4')], {
      errors: [
        { ...error(), category: 'VALIDATION_ERROR', context: { fromObjectId: ['1'], toObjectId: ['2'] } },
      ],
    });
    expect(reconciled(207, body, [parse('1>2'), parse('3>4')])).toMatchObject({
      created: ['3>4'],
      named: { '1>2': true },
    });
  });

  it('an unknown category is not final', () => {
    const body = createdBody([], { errors: [{ category: 'HICCUP', message: 'x', context: { id: ['1'] } }] });
    expect(reconciled(207, body, [parse('1>2')])).toMatchObject({ named: { '1>2': false } });
  });

  it('a long message is cut: it travels with every job', () => {
    expect(reconciled(400, error('x'.repeat(10_000)), [parse('1>2')]).failure.message).toHaveLength(500);
  });
});

const TYPES = { fromObjectType: 'contacts', toObjectType: 'companies' };
const result = (fromObjectId: unknown, toObjectId: unknown) => ({ fromObjectId, toObjectId });

it('a result with from and to the other way round counts as created', () => {
  const inputs = [inputOf('1', '2'), inputOf('3', '4')];
  const body = { results: [result('2', '1'), result(4, 3)] };
  expect(reconcileInputs(answerOf(201, body), true, { ...TYPES, inputs }).created).toHaveLength(2);
  expect(listsAll(body, columnsOf(inputs))).toBe(true);
});

it('a pair that was asked for in both directions needs both results', () => {
  const inputs = [inputOf('1', '2'), inputOf('2', '1')];
  const body = { results: [result('2', '1')] };
  const found = reconcileInputs(answerOf(201, body), true, { ...TYPES, inputs });
  expect(found.created).toEqual([inputs[1]]);
  expect(listsAll(body, columnsOf(inputs))).toBe(false);
});

it('an error about the input outweighs a result in the other direction, though it names no side', () => {
  const inputs = [inputOf('1', '2'), inputOf('3', '4')];
  const errors = [{ category: 'VALIDATION_ERROR', message: '1 is not a valid ID' }];
  const body = { results: [result('2', '1'), result('4', '3')], errors };
  const found = reconcileInputs(answerOf(207, body), true, { ...TYPES, inputs });
  expect(found.named.map(({ input }) => input)).toEqual([inputs[0]]);
  expect(found.created).toEqual([inputs[1]]);
});

it('an id that is an object, of which no text can be made, is nobody’s', () => {
  const inputs = [inputOf('1', '2')];
  const odd = JSON.parse('{"toString":1,"valueOf":1,"__proto__":{"x":1}}') as object;
  const body = { results: [result(odd, odd), null, 7, result([[['1']]], '2')] };
  expect(reconcileInputs(answerOf(201, body), true, { ...TYPES, inputs }).suspects).toEqual(inputs);
  expect(listsAll(body, columnsOf(inputs))).toBe(false);
});

it('every word of an error is bounded and well-formed', () => {
  const long = `${'😀'.repeat(50_000)}\ud800`;
  const body = { message: long, category: long, subCategory: long, correlationId: long };
  const { failure } = reconcileInputs(answerOf(400, body), false, { ...TYPES, inputs: [inputOf('1', '2')] });
  const { message, category = '', subCategory = '', correlationId = '' } = failure;
  for (const word of [message, category, subCategory, correlationId]) {
    expect(Array.from(word).length).toBeLessThanOrEqual(500);
    expect(word).not.toMatch(/\p{Cs}/u);
  }
});
