/** How deep a JSON text is nested, told without parsing it. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isNestedDeeper } from '../../../../src/gateway/body/depth.js';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('the depth of JSON', () => {
  it('is the depth that parsing finds, whatever its texts hold', () => {
    const text = fc.string({ unit: fc.constantFrom('"', '\\', '[', '{', ']', '}', 'a', '\n') });
    const value = fc.letrec<{ node: unknown }>(tie => ({
      node: fc.oneof(
        { maxDepth: 6 },
        text,
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(text, tie('node'), { maxKeys: 3 }),
      ),
    })).node;
    fc.assert(
      fc.property(value, fc.nat(7), (value, limit) => {
        expect(isNestedDeeper(JSON.stringify(value), limit)).toBe(depthOf(value) > limit);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['"', '"\\', '"\\"', '[[["', ']]]]', ''])('is found in one pass where the text is %j', text => {
    expect(isNestedDeeper(text, 3)).toBe(false);
  });
});
