/** The table of pairs: as a Map, in less memory. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PairTable } from '../../../src/simulator/pair-table.js';
import { RecordIds } from '../../../src/simulator/record-ids.js';

const anyId = fc.oneof(
  fc.nat({ max: 60 }).map(String),
  fc.maxSafeNat().map(String),
  fc.constantFrom('007', '0', '00', '9007199254740993', '9007199254740992', '12345678901234567890'),
);

describe('the table of pairs', () => {
  it('behaves as a Map from pairs of ids in order of insertion, beyond the size it starts with', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyId, anyId), { maxLength: 3_000, size: 'max' }), pairs => {
        const ids = new RecordIds();
        const table = new PairTable();
        const model = new Map<string, number>();
        for (const [call, [from, to]] of pairs.entries()) {
          const key = `${from}/${to}`;
          const row = table.add(ids.code(from), ids.code(to), call, call % 7);
          expect(row >= 0).toBe(model.has(key));
          if (row >= 0) expect(table.callAt(row)).toBe(model.get(key));
          else model.set(key, call);
        }
        const rows = Array.from({ length: table.size }, (_, row): [string, number] => [
          `${ids.id(table.fromAt(row))}/${ids.id(table.toAt(row))}`,
          table.callAt(row),
        ]);
        expect(rows).toEqual([...model]);
        expect(table.find(ids.code('61'), ids.code('62')) >= 0).toBe(model.has('61/62'));
      }),
      { numRuns: 20 },
    );
  });
});
