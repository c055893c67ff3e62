/**
 * Record pairs in a row: a list of texts, or numbers where all ids are plain digits. Pure.
 * A call of 2,000 pairs in numbers is one array; in texts it is 6,000 objects, which the garbage collector has to follow.
 */
import type { Pair } from '../../shared/contract/association.js';

export type Pairs = {
  readonly length: number;
  at(index: number): Pair | undefined;
  /** from, to, from, to …; undefined: they are texts */
  readonly ids?: readonly number[];
};

export class NumberPairs implements Pairs {
  constructor(readonly ids: readonly number[]) {}

  get length(): number {
    return this.ids.length / 2;
  }

  at(index: number): Pair {
    return [String(this.ids[2 * index]), String(this.ids[2 * index + 1])];
  }
}

const LOW = 2 ** 32;

/** A set of record pairs in numbers; empty again for next to nothing. (Open addressing, linear probing.) */
export class PairSet {
  readonly #mask: number;
  readonly #from: Float64Array;
  readonly #to: Float64Array;
  /** of the round in which the place was taken */
  readonly #taken: Uint32Array;
  #round = 1;

  /** @param most pairs that it ever holds */
  constructor(most: number) {
    const places = 2 ** Math.ceil(Math.log2(Math.max(8, 4 * most)));
    this.#mask = places - 1;
    this.#from = new Float64Array(places);
    this.#to = new Float64Array(places);
    this.#taken = new Uint32Array(places);
  }

  clear(): void {
    this.#round += 1;
  }

  /** @returns false when it is there already */
  add(from: number, to: number): boolean {
    const place = this.#find(from, to);
    if (this.#taken[place] === this.#round) return false;
    this.#taken[place] = this.#round;
    this.#from[place] = from;
    this.#to[place] = to;
    return true;
  }

  has(from: number, to: number): boolean {
    return this.#taken[this.#find(from, to)] === this.#round;
  }

  /** Where it stands, or would stand. */
  #find(from: number, to: number): number {
    // `| 0` keeps the low 32 bits
    let hash = Math.imul(from | 0, 0x9e3779b1) ^ Math.imul(to | 0, 0x85ebca6b);
    if (from > LOW || to > LOW)
      hash ^= Math.imul((from / LOW) | 0, 0xc2b2ae35) ^ Math.imul((to / LOW) | 0, 0x27d4eb2f);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let place = (hash ^ (hash >>> 13)) & this.#mask;
    while (this.#taken[place] === this.#round && !(this.#from[place] === from && this.#to[place] === to))
      place = (place + 1) & this.#mask;
    return place;
  }
}
