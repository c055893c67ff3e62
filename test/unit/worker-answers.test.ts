/** What answers mean: the table of verdicts, the inputs that an error means, the outcome of each input. */
import { describe, expect, it } from '@jest/globals';
import {
  type Answer,
  classifyCall,
  isFinal,
  isFinalNamed,
  rateLimitPauseMs,
} from '../../src/hubspot/classify.js';
import type { AssociationType } from '../../src/shared/contract/association.js';
import { indexes } from '../../src/worker/batches/columns.js';
import { type HubSpotError, InputIndex, locate } from '../../src/worker/calls/locate.js';
import {
  AT,
  answerOf,
  columnsOf,
  createdBody,
  type Input,
  inputOf,
  reconcileInputs,
} from '../support/worker-samples.js';

const error = (message = 'something') => ({ status: 'error', message, correlationId: 'c-1' });
const failure = (more: object) => ({ at: AT, message: 'x', ...more });

describe('classifyCall', () => {
  it.each<[number, unknown, object]>([
    [200, {}, { kind: 'accepted' }],
    [201, { results: [] }, { kind: 'accepted' }],
    [207, { errors: [] }, { kind: 'accepted' }],
    [202, {}, { kind: 'accepted' }],
    [204, undefined, { kind: 'unavailable' }],
    [200, undefined, { kind: 'unavailable' }],
    [201, [], { kind: 'unavailable' }],
    [200, 'OK', { kind: 'unavailable' }],
    [200, null, { kind: 'unavailable' }],
    [302, undefined, { kind: 'unavailable' }],
    [304, {}, { kind: 'unavailable' }],
    [400, error(), { kind: 'refused' }],
    [400, { message: 'Bad Request' }, { kind: 'unavailable' }],
    [404, undefined, { kind: 'unavailable' }],
    [404, error(), { kind: 'refused' }],
    [401, error(), { kind: 'unauthorized' }],
    [401, undefined, { kind: 'unauthorized' }],
    [403, error(), { kind: 'forbidden' }],
    [408, error(), { kind: 'unavailable' }],
    [409, error(), { kind: 'refused' }],
    [413, undefined, { kind: 'too-large' }],
    [425, error(), { kind: 'unavailable' }],
    [423, error(), { kind: 'locked', forMs: 2_000 }],
    [429, { policyName: 'DAILY' }, { kind: 'rate-limited', policy: 'DAILY', forMs: undefined }],
    [429, undefined, { kind: 'rate-limited', policy: '', forMs: undefined }],
    [477, undefined, { kind: 'migrating', forMs: 60_000 }],
    ...[500, 501, 502, 503, 504, 521, 522, 523, 524, 525, 526].map((status): [number, unknown, object] => [
      status,
      error(),
      { kind: 'unavailable' },
    ]),
  ])('%d with %j', (status, body, verdict) => {
    expect(classifyCall(answerOf(status, body))).toEqual(verdict);
  });

  it.each<[number, object]>([
    [423, { kind: 'locked', forMs: 7_000 }],
    [429, { kind: 'rate-limited', policy: '', forMs: 7_000 }],
    [477, { kind: 'migrating', forMs: 7_000 }],
  ])('%d honours Retry-After', (status, verdict) => {
    expect(classifyCall(answerOf(status, {}, 7_000))).toEqual(verdict);
  });

  it('423 waits ten minutes at most', () => {
    expect(classifyCall(answerOf(423, {}, 1e12))).toEqual({ kind: 'locked', forMs: 600_000 });
  });

  it('423 waits two seconds at least', () => {
    expect(classifyCall(answerOf(423, {}, 0))).toEqual({ kind: 'locked', forMs: 2_000 });
  });

  it('no answer means that HubSpot is unavailable', () => {
    const none: Answer = { kind: 'none', at: AT, category: 'TIMEOUT', message: 'no answer' };
    expect(classifyCall(none)).toEqual({ kind: 'unavailable' });
  });

  it('gives every status a verdict, whatever the body, and refuses only in HubSpot’s words', () => {
    for (let status = 100; status < 600; status++) {
      for (const body of [undefined, null, '', [], {}, error()]) {
        const { kind } = classifyCall(answerOf(status, body));
        expect(typeof kind).toBe('string');
        if (kind === 'accepted') expect(status >= 200 && status < 300).toBe(true);
        if (kind === 'refused') expect([Math.floor(status / 100), body]).toEqual([4, error()]);
      }
    }
  });
});

describe('finality', () => {
  it.each<[object, boolean, boolean]>([
    [{ category: 'VALIDATION_ERROR', httpStatus: 400 }, true, true],
    [{ category: 'OBJECT_NOT_FOUND', httpStatus: 207 }, true, true],
    [{ category: 'INTERNAL_ERROR', httpStatus: 207 }, false, false],
    [{ category: 'SOMETHING_NEW', httpStatus: 400 }, false, false],
    [{ httpStatus: 400 }, false, true],
    [{ httpStatus: 404 }, false, false],
    [{ category: 'NO_EFFECT', httpStatus: 201 }, false, false],
    [{ message: 'ASSOCIATION_USER_CONFIG_LIMIT_EXCEEDED: too many', category: 'CONFLICT' }, true, true],
    [{ subCategory: 'x.ASSOCIATION_USER_CONFIG_LIMIT_EXCEEDED' }, true, true],
  ])('%j', (more, named, alone) => {
    expect(isFinal(failure(more))).toBe(named);
    expect(isFinalNamed(failure(more))).toBe(alone);
  });
});

it.each([
  ['DAILY', 'until-reset'],
  ['SECONDLY', 1_000],
  ['TEN_SECONDLY_ROLLING', 10_000],
  ['', 10_000],
])('429 of policy %j without Retry-After', (policy, pause) => {
  expect(rateLimitPauseMs(policy, 10_000)).toBe(pause);
});

const user = (associationTypeId: number): AssociationType => ({
  associationCategory: 'USER_DEFINED',
  associationTypeId,
});
const hubspot = (associationTypeId: number): AssociationType => ({
  associationCategory: 'HUBSPOT_DEFINED',
  associationTypeId,
});

/** Record pairs as text: `1>2`. */
const parse = (text: string, types?: readonly AssociationType[]): Input => {
  const [from = '', to = ''] = text.split('>');
  return inputOf(from, to, types);
};
const textOf = ({ from, to }: Pick<Input, 'from' | 'to'>) => `${from}>${to}`;

function located(
  error: Partial<HubSpotError>,
  inputs: readonly Input[],
  objectPair = 'contacts/companies',
  done: readonly string[] = [],
): [kind: string, ...pairs: string[]] {
  const [from = '', to = ''] = objectPair.split('/');
  const textAt = (input: number) => textOf(inputs[input] as Input);
  const found = locate(
    { message: 'x', context: undefined, ...error },
    new InputIndex(columnsOf(inputs), indexes(inputs.length), from, to),
    input => done.includes(textAt(input)),
  );
  return 'inputs' in found ? [found.kind, ...found.inputs.map(textAt).sort()] : [found.kind];
}

describe('locate', () => {
  const inputs = ['1>2', '2>3', '3>4', '7>8', '7>9'].map(text => parse(text));

  it.each<[string, Partial<HubSpotError>, string[]]>([
    ['an id on one side only', { context: { id: ['7'] } }, ['named', '7>8', '7>9']],
    ['an id that could be either side', { context: { id: ['2'] } }, ['suspected', '1>2', '2>3']],
    [
      'the side by subCategory',
      { subCategory: 'crm.associations.TO_OBJECT_NOT_FOUND', context: { id: ['2'] } },
      ['named', '1>2'],
    ],
    ['the side by object type', { context: { id: ['2'], objectType: ['contact'] } }, ['named', '2>3']],
    [
      '… in capitals, by type id, as a string',
      { context: { objectId: 2, objectType: '0-2' } },
      ['named', '1>2'],
    ],
    ['the key of a side', { context: { fromObjectId: ['2'] } }, ['named', '2>3']],
    ['the other key', { context: { toObjectId: [3] } }, ['named', '2>3']],
    ['both sides: one pair', { context: { fromObjectId: ['7'], toObjectId: ['9'] } }, ['named', '7>9']],
    [
      'both sides of a pair that is not in the call',
      { context: { fromObjectId: ['1'], toObjectId: ['9'] } },
      ['nobody'],
    ],
    [
      'pairs in two lists',
      { context: { fromObjectId: ['1', '7'], toObjectId: ['2', '8'] } },
      ['named', '1>2', '7>8'],
    ],
    ['an id that is not in the call', { context: { id: ['99'] } }, ['nobody']],
    ['nothing', {}, ['nobody']],
    ['some other key', { context: { portalId: ['7'] } }, ['nobody']],
    ['an id in a sentence', { message: '7 is not a valid ID' }, ['named', '7>8', '7>9']],
    ['an id and its type in a sentence', { message: 'No company with ID 2 exists' }, ['named', '1>2']],
    ['numbers in words we do not know', { message: 'Limit of 7 reached for 1 in 2 days' }, ['nobody']],
    ['an unknown object type', { message: 'Unable to infer object type from: kontakts' }, ['everyone']],
    ['two ids, one in doubt', { context: { id: ['2', '7'] } }, ['named', '7>8', '7>9']],
  ])('%s', (_, error, expected) => {
    expect(located(error, inputs)).toEqual(expected);
  });

  it('an input that the answer lists as created cannot be meant by an id alone', () => {
    const error = { context: { id: ['2'] } };
    expect(located(error, inputs, 'contacts/companies', ['1>2'])).toEqual(['named', '2>3']);
    expect(located(error, inputs, 'contacts/companies', ['1>2', '2>3'])).toEqual(['nobody']);
  });

  it('a type name says nothing of the side when both sides have it', () => {
    const error = { context: { id: ['2'], objectType: ['contact'] } };
    expect(located(error, inputs, 'contacts/0-1')).toEqual(['suspected', '1>2', '2>3']);
  });

  it('one record with several others: only their pairs, not inputs that share an id with one of them', () => {
    const some = ['1>2', '1>3', '1>4', '9>2'].map(text => parse(text));
    const [kind, ...pairs] = located({ context: { fromObjectId: ['1'], toObjectId: ['2', '3'] } }, some);
    if (kind === 'named') expect(pairs).toEqual(['1>2', '1>3']);
    else expect(kind).not.toBe('everyone');
  });

  it('an id beyond 2^53 as a JSON number has lost digits and names no input', () => {
    const some = [parse('9007199254740992>1'), parse('9007199254740993>2')];
    const context = JSON.parse('{"id":[9007199254740993]}') as unknown;
    expect(located({ context }, some)[0]).not.toBe('named');
  });

  describe('types', () => {
    const typed = [parse('1>2', [user(3)]), parse('2>3', [user(3), hubspot(4)]), parse('3>4', [hubspot(3)])];
    it.each<[string, Partial<HubSpotError>, string[]]>([
      ['in the context', { context: { associationSpec: ['USER_DEFINED=3'] } }, ['named', '1>2', '2>3']],
      [
        'in a sentence of the context',
        {
          context: {
            INVALID_ASSOCIATION_TYPE_ID: ['HUBSPOT_DEFINED=3 is not a valid association definition id'],
          },
        },
        ['named', '3>4'],
      ],
      [
        'in the message',
        { message: 'USER_DEFINED=3 is not a valid association definition id' },
        ['named', '1>2', '2>3'],
      ],
      ['that nobody has', { context: { associationSpec: ['WORK=3'] } }, ['nobody']],
      ['of which an id is the beginning', { context: { associationSpec: ['USER_DEFINED=33'] } }, ['nobody']],
      [
        'by definition',
        {
          message:
            'invalid from object type 0-1 for associations to be created. expected: 0-46. For definition 0-4',
        },
        ['named', '2>3'],
      ],
    ])('%s', (_, error, expected) => {
      expect(located(error, typed)).toEqual(expected);
    });

    it('a definition id that two categories have names no input', () => {
      const message =
        'invalid from object type 0-1 for associations to be created. expected: 0-46. For definition 0-3';
      expect(located({ message }, typed)[0]).not.toBe('named');
    });
  });
});

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
