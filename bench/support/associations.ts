/**
 * The associations of all measurements: ids of 9 digits, contacts to companies, all of them good unless the caller asks
 * for bad ones. Association n is the same in every process.
 */
import type { Association, AssociationType, JobData, Pair } from '../../src/shared/contract/association.js';

export const OBJECT_PAIR = { fromObjectType: 'contacts', toObjectType: 'companies' } as const;
export const TYPES: AssociationType[] = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }];

/** @returns associations 0 … count - 1, of which about `badPerThousand` in a thousand name a record that does not exist */
export type Load = { readonly count: number; readonly badPerMille: number };

const FIRST_FROM = 100_000_001;
const FIRST_TO = 500_000_001;
/** In the simulator records with these ids do not exist. */
const MISSING = '999';

export const pairAt = (index: number): Pair => [String(FIRST_FROM + index), String(FIRST_TO + index)];

/** Bad associations are at random but reproducible places; the missing record is on either side in turn. */
export function pairOf({ badPerMille }: Load, index: number): Pair {
  const [from, to] = pairAt(index);
  if (badPerMille === 0 || hash(index) % 1_000 >= badPerMille) return [from, to];
  return index % 2 === 0 ? [`${MISSING}${from}`, to] : [from, `${MISSING}${to}`];
}

export const isBad = ([from, to]: Pair): boolean => from.startsWith(MISSING) || to.startsWith(MISSING);

export function* pairs(load: Load): Generator<Pair> {
  for (let index = 0; index < load.count; index++) yield pairOf(load, index);
}

export function countBad(load: Load): number {
  let bad = 0;
  for (const pair of pairs(load)) if (isBad(pair)) bad += 1;
  return bad;
}

export function* associations(count: number, badPerMille = 0): Generator<Association> {
  for (const [from, to] of pairs({ count, badPerMille })) yield { ...OBJECT_PAIR, from, to, types: TYPES };
}

export const associationAt = (index: number): Association => {
  const [from, to] = pairAt(index);
  return { ...OBJECT_PAIR, from, to, types: TYPES };
};

/**
 * Jobs as any BullMQ client may write them.
 * @param sizes pairs in a job; several are used in turn
 * @param objectPairs number of object pairs, used in turn
 */
export function* jobs(count: number, sizes: readonly number[], objectPairs = 1): Generator<JobData> {
  let number = 0;
  for (let first = 0; first < count; number++) {
    const size = Math.min(sizes[number % sizes.length] ?? 1, count - first);
    const pairs = Array.from({ length: size }, (_, index) => pairAt(first + index));
    yield { version: 1, ...objectPair(number % objectPairs), pairs };
    first += size;
  }
}

/** The first is contacts to companies, the others custom objects to contacts. */
const objectPair = (number: number): Pick<JobData, 'fromObjectType' | 'toObjectType' | 'types'> =>
  number === 0
    ? { ...OBJECT_PAIR, types: TYPES }
    : {
        fromObjectType: `2-${1_000 + number}`,
        toObjectType: 'contacts',
        types: [{ associationCategory: 'USER_DEFINED', associationTypeId: 1 }],
      };

function hash(index: number): number {
  let mixed = Math.imul(index + 1, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
