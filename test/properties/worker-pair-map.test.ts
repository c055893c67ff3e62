/** PairMap against the plain thing: a Map with joined keys. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PairMap } from '../../src/worker/batches/pair-map.js';

describe('PairMap', () => {
  it('finds every pair that was added, and no other', () => {
    const id = fc.integer({ min: 0, max: 12 }).map(String);
    fc.assert(
      fc.property(fc.array(fc.tuple(id, id)), fc.array(fc.tuple(id, id)), (added, asked) => {
        const map = new PairMap<{ from: string; to: string }>();
        const plain = new Map<string, { from: string; to: string }>();
        for (const [from, to] of added) {
          if (plain.has(`${from} ${to}`)) continue;
          const value = { from, to };
          plain.set(`${from} ${to}`, value);
          map.add(value);
        }
        expect(map.size).toBe(plain.size);
        for (const [from, to] of [...added, ...asked])
          expect(map.get(from, to)).toBe(plain.get(`${from} ${to}`));
      }),
    );
  });
});
