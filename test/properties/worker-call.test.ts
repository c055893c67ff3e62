/** A call survives its packing, whatever its ids and types. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ASSOCIATION_CATEGORIES } from '../../src/shared/contract/association.js';
import { packCall, unpackCall } from '../../src/worker/batches/columns.js';

const id = fc.string({ minLength: 1, maxLength: 12 }).filter(text => !/[\s\p{Cc}]/u.test(text));
const types = fc.array(
  fc.record({
    associationCategory: fc.constantFrom(...ASSOCIATION_CATEGORIES),
    associationTypeId: fc.integer({ min: 1 }),
  }),
  { minLength: 1, maxLength: 3 },
);

it('what is unpacked in another thread is what was packed', () => {
  fc.assert(
    fc.property(
      fc.array(types, { minLength: 1, maxLength: 4 }),
      fc.array(fc.tuple(id, id, fc.nat()), { maxLength: 20 }),
      (lists, rows) => {
        const inputs = rows.map(([from, to, which]) => ({
          from,
          to,
          types: lists[which % lists.length] ?? [],
        }));
        const call = { fromObjectType: 'contacts', toObjectType: '2-7', inputs };
        expect(unpackCall(structuredClone(packCall(call)))).toEqual(call);
      },
    ),
  );
});
