/** Names and ids of object types. */
import { describe, expect, it } from '@jest/globals';
import { objectTypeId } from '../../../../src/shared/contract/object-types.js';

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
