/** What callers of the library give: types as texts or objects, HubSpot's names of fields, and the faults of both. */
import { describe, expect, it } from '@jest/globals';
import { Faults, GivenReader, readTypes } from '../../../src/producer/given.js';
import type { AssociationInput } from '../../../src/shared/contract/association-input.js';

const link = { fromObjectType: 'contacts', toObjectType: 'companies', from: '1', to: '2' };
const PLAIN = { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 } as const;
const PRIMARY = { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 1 } as const;

const read = (given: unknown) => new GivenReader().read(given as AssociationInput);
const faultsOf = (given: unknown): readonly string[] => {
  const result = read(given);
  return result instanceof Faults ? result.list : [];
};

describe('a misspelt object type', () => {
  it('is refused with the one that was meant, whatever the associations before it had', () => {
    const reader = new GivenReader();
    const reads = ['contacts', 'contcts', 'contacts', '2-7', 'contcts', 'martians'].map(fromObjectType =>
      reader.read({ ...link, fromObjectType }),
    );
    const refused = new Faults([
      'fromObjectType: "contcts" is not an object type: did you mean contacts? (if not: give its id, such as 2-1234)',
    ]);
    expect(reads.map(each => (each instanceof Faults ? each : 'read'))).toEqual([
      ...['read', refused, 'read', 'read', refused, 'read'],
    ]);
  });

  it('is found under HubSpot’s names of fields as well, beside other faults', () => {
    expect(faultsOf({ ...link, from_object_type: 'contcts', fromObjectType: undefined, to: '' })).toEqual([
      expect.stringMatching(/^fromObjectType: "contcts".*did you mean contacts/),
      expect.stringMatching(/^to: /),
    ]);
  });
});

describe('the types of an association', () => {
  it.each([
    ['a text', 'HUBSPOT_DEFINED:279', [PLAIN]],
    ['a text with spaces around it', ' HUBSPOT_DEFINED:279 ', [PLAIN]],
    ['a list of texts', ['HUBSPOT_DEFINED:279', 'HUBSPOT_DEFINED:1'], [PLAIN, PRIMARY]],
    ['one object', PLAIN, [PLAIN]],
    ['texts beside objects', [PLAIN, 'HUBSPOT_DEFINED:1'], [PLAIN, PRIMARY]],
  ])('may be %s', (_name, types, expected) => {
    expect(read({ ...link, types })).toEqual({ ...link, types: expected });
  });

  it('are read again for each text, also when two texts alternate', () => {
    const reader = new GivenReader();
    const ids = ['HUBSPOT_DEFINED:279', 'HUBSPOT_DEFINED:1', 'HUBSPOT_DEFINED:279'].map(types => {
      const association = reader.read({ ...link, types });
      return association instanceof Faults ? association.list : association.types?.[0]?.associationTypeId;
    });
    expect(ids).toEqual([279, 1, 279]);
  });

  it('that need no reading leave the association as it was given', () => {
    for (const given of [link, { ...link, types: [PLAIN] }, { ...link, label: 'x', types: undefined }])
      expect(read(given)).toBe(given);
  });

  it.each([
    ['', 'types: "" is not an association type (such as HUBSPOT_DEFINED:279)'],
    ['279', 'types: "279" is not an association type: did you mean HUBSPOT_DEFINED:279?'],
    [
      'hubspot_defined:279',
      'types: "hubspot_defined:279" is not an association type: did you mean HUBSPOT_DEFINED:279?',
    ],
    [
      ['HUBSPOT_DEFINED:279', 'HUBSPOT_DEFINED:0'],
      'types[1]: "HUBSPOT_DEFINED:0" is not an association type (such as HUBSPOT_DEFINED:279)',
    ],
  ])('are refused if a text is no type: %j', (types, fault) => {
    expect(faultsOf({ ...link, types })).toEqual([fault]);
  });

  it('are refused with all their faults, each at its own place', () => {
    const types = ['X', { ...PLAIN, associationTypeId: 0 }, 'HUBSPOT_DEFINED:1'];
    expect(faultsOf({ ...link, from: 'a b', types })).toEqual([
      expect.stringMatching(/^types\[0\]: "X" is not/),
      'from: "a b" is not a record id',
      expect.stringMatching(/^types\[1\]\.associationTypeId: 0 is not/),
    ]);
  });
});

it('HubSpot’s names of fields are understood, and unknown ones are refused beside all other faults', () => {
  expect(read({ ...link, associationCategory: 'HUBSPOT_DEFINED', associationTypeId: '279' })).toEqual({
    ...link,
    types: [PLAIN],
  });
  expect(faultsOf({ ...link, tipes: 'HUBSPOT_DEFINED:279', to: '' })).toEqual([
    'tipes: did you mean types?',
    expect.stringMatching(/^to: /),
  ]);
});

it.each([[null], [undefined], [7], ['contacts']])('%j is no association', given => {
  const result = read(given);
  // what has no fields is left to the checks that every association passes
  expect(result instanceof Faults ? result.list.join() : result).toEqual(
    typeof given === 'string' ? expect.stringContaining('is not an object') : given,
  );
});

it('a list that has no texts is left as it is', () => {
  const types = [PLAIN, 7, null];
  expect(readTypes(types)).toEqual({ types, faults: [] });
  expect(readTypes({})).toEqual({ types: {}, faults: [] });
});
