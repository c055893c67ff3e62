/**
 * A set of pairs of record ids, each with two small numbers, in typed arrays: 40 bytes per pair and no garbage. A
 * Map of strings took 190 bytes and, at a million pairs, a third of the simulator's time.
 *
 * Pairs keep the order in which they were added. Ids are numbers; record-ids.ts converts them.
 */

const EMPTY = -1;

export class PairTable {
  size = 0;
  #from = new Float64Array(1024);
  #to = new Float64Array(1024);
  #call = new Uint32Array(1024);
  #types = new Uint16Array(1024);
  /** open addressing, at most half full: hash → row */
  #slots = new Int32Array(2048).fill(EMPTY);

  /** @returns the row of the pair, or -1 */
  find(from: number, to: number): number {
    return this.#slots[this.#slotOf(from, to)] ?? EMPTY;
  }

  /** @returns the row of the pair if it existed (it is left unchanged), or -1 if the pair is new */
  add(from: number, to: number, call: number, types: number): number {
    let slot = this.#slotOf(from, to);
    const found = this.#slots[slot] ?? EMPTY;
    if (found !== EMPTY) return found;
    if (this.size === this.#from.length) {
      this.#grow();
      slot = this.#slotOf(from, to);
    }
    const row = this.size++;
    this.#slots[slot] = row;
    this.#from[row] = from;
    this.#to[row] = to;
    this.#call[row] = call;
    this.#types[row] = types;
    return EMPTY;
  }

  fromAt = (row: number): number => this.#from[row] ?? 0;
  toAt = (row: number): number => this.#to[row] ?? 0;
  callAt = (row: number): number => this.#call[row] ?? 0;
  typesAt = (row: number): number => this.#types[row] ?? 0;

  setTypes(row: number, types: number): void {
    this.#types[row] = types;
  }

  /** @returns the slot of the pair, or the free slot where it belongs */
  #slotOf(from: number, to: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(from, to) & mask;
    for (;;) {
      const row = this.#slots[slot] ?? EMPTY;
      if (row === EMPTY || (this.#from[row] === from && this.#to[row] === to)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const rows = this.#from.length * 2;
    const { from, to, call, types } = {
      from: new Float64Array(rows),
      to: new Float64Array(rows),
      call: new Uint32Array(rows),
      types: new Uint16Array(rows),
    };
    from.set(this.#from);
    to.set(this.#to);
    call.set(this.#call);
    types.set(this.#types);
    this.#from = from;
    this.#to = to;
    this.#call = call;
    this.#types = types;
    this.#slots = new Int32Array(rows * 2).fill(EMPTY);
    for (let row = 0; row < this.size; row++)
      this.#slots[this.#slotOf(from[row] as number, to[row] as number)] = row;
  }
}

/** Ids are often consecutive, so every bit of both ids must affect the hash. */
function hash(from: number, to: number): number {
  let mixed = Math.imul(from | 0, 0x9e3779b1) ^ Math.imul((from / 4_294_967_296) | 0, 0x85ebca6b);
  mixed =
    Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) ^
    (to | 0) ^
    Math.imul((to / 4_294_967_296) | 0, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x297a2d39);
  return mixed ^ (mixed >>> 15);
}
