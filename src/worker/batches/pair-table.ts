/**
 * A hash table from record pairs to numbers: open addressing, linear probing. Pure. Emptying it costs almost nothing, so
 * that one table serves all batches or all answers. A Map of joined keys was the worker's largest single cost.
 */

const LOW = 2 ** 32;

export class PairTable {
  readonly #mask: number;
  readonly #from: Float64Array;
  readonly #to: Float64Array;
  readonly #values: Int32Array;
  /** the round in which the slot was taken */
  readonly #taken: Uint32Array;
  #round = 1;

  /** @param most largest number of pairs */
  constructor(most: number) {
    const places = 2 ** Math.ceil(Math.log2(Math.max(8, 4 * most)));
    this.#mask = places - 1;
    this.#from = new Float64Array(places);
    this.#to = new Float64Array(places);
    this.#values = new Int32Array(places);
    this.#taken = new Uint32Array(places);
  }

  clear(): void {
    this.#round += 1;
  }

  /** Adds a pair unless it exists. @returns the value of the existing pair; -1 if the pair was added */
  add(from: number, to: number, value: number): number {
    const place = this.#find(from, to);
    if (this.#taken[place] === this.#round) return this.#values[place] as number;
    this.#taken[place] = this.#round;
    this.#from[place] = from;
    this.#to[place] = to;
    this.#values[place] = value;
    return -1;
  }

  /** @returns -1 if there is no such pair; no pair has the id NaN */
  get(from: number, to: number): number {
    const place = this.#find(from, to);
    return this.#taken[place] === this.#round ? (this.#values[place] as number) : -1;
  }

  /** @returns the slot of the pair, or the free slot where it belongs */
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
