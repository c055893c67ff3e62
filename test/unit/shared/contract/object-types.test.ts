/** Names and ids of object types. */
import { describe, expect, it } from '@jest/globals';
import {
  misspeltObjectType,
  objectTypeFault,
  objectTypeId,
} from '../../../../src/shared/contract/object-types.js';

describe('the id of an object type', () => {
  it.each([
    ['contacts', '0-1'],
    ['contact', '0-1'],
    ['CONTACT', '0-1'],
    ['0-1', '0-1'],
    ['companies', '0-2'],
    ['company', '0-2'],
    ['0-5', '0-5'],
    ['line_item', '0-8'],
    ['2-1234', '2-1234'],
    ['p77_cars', 'p77_cars'],
    ['conatcts', undefined],
    ['0-31337', undefined],
  ])('of %s is %s', (name, id) => expect(objectTypeId(name)).toBe(id));
});

describe('a misspelt name of HubSpot’s own types', () => {
  it.each([
    ['contcts', 'contacts'],
    ['Compnies', 'companies'],
    ['tiket', 'ticket'],
  ])('%s is refused everywhere: did you mean %s?', (name, meant) => {
    for (const fault of [misspeltObjectType(name), objectTypeFault(name)])
      expect(fault).toContain(`did you mean ${meant}?`);
  });

  it.each(['contacts', 'CONTACT', '0-1', '0-31337', '2-1234', 'p77_contcts', 'p_contcts', 'martians'])(
    '%s is none',
    name => expect(misspeltObjectType(name)).toBeUndefined(),
  );
});
