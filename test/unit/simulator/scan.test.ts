/** The shortcut through the body of a batch/create. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readBatch, TypeLists } from '../../../src/simulator/batch.js';
import { scanInputs } from '../../../src/simulator/scan.js';

const anyId = fc.oneof(
  fc.nat({ max: 60 }).map(String),
  fc.maxSafeNat().map(String),
  fc.constantFrom('007', '0', '00', '9007199254740993', '9007199254740992', '12345678901234567890'),
);

describe('the shortcut through the body', () => {
  const types = [
    { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 },
    { associationCategory: 'USER_DEFINED', associationTypeId: 3 },
  ];
  const input = (from: string, to: string) => ({ from: { id: from }, to: { id: to }, types });

  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyId, anyId), { minLength: 1 }), pairs => {
        const text = JSON.stringify({ inputs: pairs.map(([from, to]) => input(from, to)) });
        expect(scanInputs(Buffer.from(text))).toEqual({
          from: pairs.map(([from]) => from),
          to: pairs.map(([, to]) => to),
          types: JSON.stringify(types),
        });
      }),
    );
  });

  it('accepts nothing that JSON.parse or the long way would refuse', () => {
    const good = JSON.stringify({ inputs: [input('1', '2'), input('3', '4')] });
    fc.assert(
      fc.property(
        fc.nat({ max: good.length }),
        fc.nat({ max: 3 }),
        fc.string({ maxLength: 2 }),
        (at, cut, put) => {
          const text = good.slice(0, at) + put + good.slice(at + cut);
          const short = readBatch(Buffer.from(text), '0-1', '0-2', new TypeLists());
          // a leading space is the same JSON, but not the form that the fast path accepts
          const long = readBatch(Buffer.from(` ${text}`), '0-1', '0-2', new TypeLists());
          expect(short).toEqual(long);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
