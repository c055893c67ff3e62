/** Columns survive their picking and packing, whatever their ids and types. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ASSOCIATION_CATEGORIES } from '../../src/shared/contract/association.js';
import { packColumns, pick, unpackColumns } from '../../src/worker/batches/columns.js';
import { columnsOf, inputOf, inputsIn } from '../support/worker-samples.js';

const id = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12 }).filter(text => !/[\s\p{Cc}]/u.test(text) && !/^0\d/.test(text)),
  fc.integer({ min: 0, max: 30 }).map(String),
  fc.constantFrom('a', 'b', '1234567890123456'),
);
const types = fc.array(
  fc.record({
    associationCategory: fc.constantFrom(...ASSOCIATION_CATEGORIES),
    associationTypeId: fc.integer({ min: 1 }),
  }),
  { minLength: 1, maxLength: 3 },
);
const inputs = fc
  .tuple(
    fc.array(types, { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(id, id, fc.nat()), { maxLength: 20 }),
  )
  .map(([lists, rows]) => rows.map(([from, to, which]) => inputOf(from, to, lists[which % lists.length])));

it('what is unpacked in another thread is what was packed', () => {
  fc.assert(
    fc.property(inputs, all => {
      const columns = columnsOf(all);
      expect(inputsIn(columns)).toEqual(all);
      expect(unpackColumns(structuredClone(packColumns(columns)))).toEqual(columns);
    }),
  );
});

it('some of the inputs are picked into columns that hold no text of the others', () => {
  fc.assert(
    fc.property(inputs, fc.infiniteStream(fc.boolean()), (all, coin) => {
      const some = all.flatMap((_, at) => (coin.next().value ? [at] : []));
      const picked = pick(columnsOf(all), some);
      expect(inputsIn(picked)).toEqual(some.map(at => all[at]));
      const odd = some.flatMap(at => [all[at]?.from, all[at]?.to]).filter(id => !/^\d{1,15}$/.test(id ?? ''));
      expect([...picked.texts].sort()).toEqual([...new Set(odd)].sort());
    }),
  );
});
