/** Isolation finds the guilty in few calls, and nobody is lost on the way. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { indexes } from '../../src/worker/batches/columns.js';
import { ISOLATION_CALLS, Isolation } from '../../src/worker/calls/isolate.js';

const POOL = indexes(2_000);

type Search = {
  /** after the first one, which was refused */
  readonly calls: number;
  readonly accepted: ReadonlySet<number>;
  readonly named: ReadonlySet<number>;
  readonly refusedAlone: ReadonlySet<number>;
  readonly unresolved: readonly number[];
  readonly hopeless: boolean;
};
/** How HubSpot answers a call that holds bad inputs. */
type Manner =
  /** 400 that names nobody */
  | 'whole'
  /** 400 that names the first so many of them */
  | { readonly names: number }
  /** 207: the good ones created, an error without context for each bad one */
  | 'partial'
  /** 2xx: the good ones created, the bad ones mentioned nowhere */
  | 'silent';

/** Plays HubSpot against the isolation until it asks no more. */
function search(
  inputs: readonly number[],
  isBad: (input: number) => boolean,
  manner: Manner,
  maxBody = 1e9,
): Search {
  const isolation = new Isolation(inputs);
  const accepted = new Set<number>();
  const named = new Set<number>();
  const refusedAlone = new Set<number>();
  let calls = -1;
  for (let group = isolation.next(); group; group = isolation.next()) {
    calls += 1;
    if (calls > 10_000) throw new Error('it asks for ever');
    const settled = (input: number) => accepted.has(input) || named.has(input) || refusedAlone.has(input);
    if (group.length === 0 || group.some(settled))
      throw new Error('it asks for nobody, or for somebody again');
    if (group.length > maxBody) {
      isolation.reportTooLarge();
      continue;
    }
    const bad = group.filter(isBad);
    const good = group.filter(input => !isBad(input));
    const nothing = { accepted: 0, named: 0, rest: [], suspects: [], allGuilty: false };
    if (bad.length === 0) {
      for (const input of group) accepted.add(input);
      isolation.report({ isSilent: false, ...nothing, accepted: group.length });
    } else if (typeof manner === 'object') {
      const guilty = bad.slice(0, manner.names);
      for (const input of guilty) named.add(input);
      isolation.report({
        isSilent: false,
        ...nothing,
        named: guilty.length,
        rest: group.filter(input => !named.has(input)),
      });
    } else if (group.length === 1) {
      refusedAlone.add(group[0] as number);
      isolation.reportAlone();
    } else if (manner === 'whole') isolation.report({ isSilent: false, ...nothing, suspects: group });
    else {
      for (const input of good) accepted.add(input);
      const allGuilty = manner === 'partial';
      isolation.report({ isSilent: false, ...nothing, accepted: good.length, suspects: bad, allGuilty });
    }
  }
  const { unresolved, isHopeless } = isolation;
  expect(accepted.size + named.size + refusedAlone.size + unresolved.length).toBe(inputs.length);
  expect(new Set([...accepted, ...named, ...refusedAlone, ...unresolved]).size).toBe(inputs.length);
  return { calls, accepted, named, refusedAlone, unresolved, hopeless: isHopeless };
}

const among = (bad: Iterable<number>) => {
  const guilty = new Set([...bad].map(index => POOL[index]));
  return (input: number) => guilty.has(input);
};
const batch = fc
  .integer({ min: 1, max: 2_000 })
  .chain(size => fc.tuple(fc.constant(size), fc.uniqueArray(fc.nat({ max: size - 1 }), { maxLength: 40 })));
const manner = fc.constantFrom<Manner>('whole', 'partial', 'silent', { names: 1 }, { names: 5 });

describe('any bad inputs among any number of others', () => {
  it('all are accounted for; only guilty ones are judged; the calls are bounded', () => {
    fc.assert(
      fc.property(batch, manner, ([size, bad], how) => {
        const isBad = among(bad);
        const found = search(POOL.slice(0, size), isBad, how);
        expect([...found.accepted].filter(isBad)).toEqual([]);
        expect([...found.refusedAlone, ...found.named].every(isBad)).toBe(true);
        expect(found.calls).toBeLessThanOrEqual(ISOLATION_CALLS + found.named.size);
        if (bad.length === 0) expect(found).toMatchObject({ calls: 0, unresolved: [] });
        if (typeof how === 'object') expect(found.unresolved).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('frees most of the innocents even when a few are bad', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 1_999 }), { minLength: 1, maxLength: 3 }), bad => {
        const { accepted } = search(POOL, among(bad), 'whole');
        expect(accepted.size).toBeGreaterThan(1_000);
      }),
      { numRuns: 300 },
    );
  });

  it('guilty ones that are known to be so are asked one by one', () => {
    const bad = [3, 77, 500, 1_999];
    const found = search(POOL, among(bad), 'partial');
    expect([...found.refusedAlone].sort()).toEqual(bad.map(index => POOL[index]).sort());
    expect(found).toMatchObject({ calls: bad.length, unresolved: [] });
  });

  it('groups that are too large are halved, and none is left over for that', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 1, max: 2_000 }), (size, maxBody) => {
        const found = search(POOL.slice(0, size), () => false, 'whole', maxBody);
        expect(found.unresolved).toHaveLength(0);
        expect(found.accepted.size).toBe(size);
      }),
      { numRuns: 200, examples: [[2_000, 50]] },
    );
  });
});

describe('one bad input in 2,000', () => {
  const calls = POOL.map((_, position) => {
    const found = search(POOL, among([position]), 'whole');
    expect(found.unresolved).toHaveLength(0);
    expect([...found.refusedAlone]).toEqual([POOL[position]]);
    return found.calls;
  });

  it('takes 17.5 calls on average, over all positions', () => {
    expect(calls.reduce((sum, one) => sum + one, 0) / calls.length).toBeLessThanOrEqual(17.5);
  });

  it('takes 24 calls at most', () => {
    expect(Math.max(...calls)).toBeLessThanOrEqual(24);
  });
});

describe('hopeless', () => {
  it('when nothing is accepted, in batches worth halving', () => {
    for (const size of [50, 333, 2_000]) {
      const found = search(POOL.slice(0, size), () => true, 'whole');
      expect(found.hopeless).toBe(true);
      expect(found.calls).toBeLessThan(ISOLATION_CALLS);
      expect(found.unresolved.length).toBe(size - found.refusedAlone.size);
    }
  });

  it('not for a block of bad inputs among many more good ones, wherever it stands', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.nat({ max: 1_899 }), (count, first) => {
        const bad = Array.from({ length: count }, (_, index) => first + index);
        expect(search(POOL, among(bad), 'whole').hopeless).toBe(false);
      }),
      // where the search dives to first
      { numRuns: 100, examples: [[3, 91]] },
    );
  });

  it('not for a small batch: each of its inputs is judged alone', () => {
    const found = search(POOL.slice(0, 8), () => true, 'whole');
    expect(found.hopeless).toBe(false);
    expect(found.refusedAlone.size).toBe(8);
  });

  it('not when something was accepted', () => {
    const found = search(POOL, input => input + 1 > 60, 'silent');
    expect(found.hopeless).toBe(false);
  });
});

it('a report without a call is a programming error', () => {
  const isolation = new Isolation(POOL.slice(0, 2));
  expect(() => isolation.reportAlone()).toThrow(/without a call/);
  expect(() => isolation.reportTooLarge()).toThrow(/without a call/);
});
