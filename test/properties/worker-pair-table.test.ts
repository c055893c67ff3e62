/** PairTable against the plain thing: a Map with joined keys. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PairTable } from '../../src/worker/batches/pair-table.js';

it('finds every pair that was added, and no other, round after round', () => {
  // odd ids are negative; large ones differ in their high bits only
  const id = fc.oneof(
    fc.integer({ min: -3, max: 12 }),
    fc.integer({ min: 1, max: 10 ** 15 - 1 }),
    fc.constantFrom(2 ** 32, 2 ** 32 + 1, 2 ** 33 + 1, 2 ** 31, 10 ** 15 - 1),
  );
  const round = fc.tuple(fc.array(fc.tuple(id, id), { maxLength: 200 }), fc.array(fc.tuple(id, id)));
  fc.assert(
    fc.property(fc.array(round, { minLength: 1, maxLength: 4 }), rounds => {
      const table = new PairTable(200);
      for (const [added, asked] of rounds) {
        table.clear();
        const plain = new Map<string, number>();
        added.forEach(([from, to], value) => {
          const key = `${from} ${to}`;
          expect(table.add(from, to, value)).toBe(plain.get(key) ?? -1);
          if (!plain.has(key)) plain.set(key, value);
        });
        for (const [from, to] of [...added, ...asked])
          expect(table.get(from, to)).toBe(plain.get(`${from} ${to}`) ?? -1);
        expect(table.get(Number.NaN, 1)).toBe(-1);
      }
    }),
  );
});
