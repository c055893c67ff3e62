/** Which inputs of a call an error of HubSpot means. */
import { describe, expect, it } from '@jest/globals';
import { indexes } from '../../../../src/worker/batches/columns.js';
import { type HubSpotError, InputIndex, locate } from '../../../../src/worker/calls/locate.js';
import { hubspot, parse, textOf, user } from '../../../support/input-texts.js';
import { columnsOf, type Input } from '../../../support/worker-samples.js';

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
