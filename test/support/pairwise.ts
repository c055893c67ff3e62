/** Few combinations of switches in which each two values of different switches occur together. */

export type Switches = Readonly<Record<string, readonly string[]>>;
export type Combination = Readonly<Record<string, string>>;

type Pair = readonly [one: string, itsValue: string, other: string, itsValue: string];

/**
 * Greedy: each combination takes, switch by switch, the value with the most pairs that no earlier combination has.
 * @param allowed false for two values that exclude each other
 */
export function pairwise(switches: Switches, allowed: (pair: Pair) => boolean = () => true): Combination[] {
  const names = Object.keys(switches);
  const open = new Set(pairsOf(switches).filter(allowed).map(keyOf));
  const combinations: Combination[] = [];
  while (open.size > 0) {
    const found: Record<string, string> = {};
    // the first open pair is always taken, so that each round closes one
    const [one = '', itsValue = '', other = '', othersValue = ''] = JSON.parse(
      [...open][0] ?? '[]',
    ) as string[];
    found[one] = itsValue;
    found[other] = othersValue;
    for (const name of names) {
      if (found[name] !== undefined) continue;
      const pairs = (value: string) =>
        names
          .filter(given => found[given] !== undefined)
          .map(given => ordered(names, given, found[given] ?? '', name, value));
      const possible = (switches[name] ?? []).filter(value => pairs(value).every(allowed));
      const gain = (value: string) => pairs(value).filter(pair => open.has(keyOf(pair))).length;
      const [best] = possible.toSorted((left, right) => gain(right) - gain(left));
      if (best === undefined) throw new Error(`no value of ${name} fits ${JSON.stringify(found)}`);
      found[name] = best;
    }
    for (const pair of pairsIn(names, found)) open.delete(keyOf(pair));
    combinations.push(found);
  }
  return combinations;
}

const keyOf = (pair: Pair): string => JSON.stringify(pair);

const ordered = (
  names: readonly string[],
  one: string,
  itsValue: string,
  other: string,
  othersValue: string,
): Pair =>
  names.indexOf(one) < names.indexOf(other)
    ? [one, itsValue, other, othersValue]
    : [other, othersValue, one, itsValue];

const pairsOf = (switches: Switches): Pair[] =>
  Object.entries(switches).flatMap(([one, values], at) =>
    Object.entries(switches)
      .slice(at + 1)
      .flatMap(([other, others]) =>
        values.flatMap(value => others.map((othersValue): Pair => [one, value, other, othersValue])),
      ),
  );

const pairsIn = (names: readonly string[], found: Combination): Pair[] =>
  pairsOf(Object.fromEntries(names.map(name => [name, [found[name] ?? '']])));
