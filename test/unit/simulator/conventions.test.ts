/** Record ids that the simulator treats as missing, crowded or ignored. */
import { describe, expect, it } from '@jest/globals';
import { fateOf } from '../../../src/simulator/conventions.js';

describe("the simulator's conventions", () => {
  it.each([
    ['1', 'exists'],
    ['99912345', 'exists'],
    ['999123456', 'missing'],
    ['998123456', 'crowded'],
    ['997123456', 'ignored'],
    ['996123456', 'exists'],
    ['4711', 'missing'],
    ['unknown_id', 'malformed'],
    ['12 3', 'malformed'],
    ['12345678901234567890', 'malformed'],
  ])('take the record id %s for one that is %s', (id, fate) =>
    expect(fateOf(id, new Set(['4711']))).toBe(fate),
  );
});
