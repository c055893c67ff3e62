/**
 * Filling: turns pairs of jobs into the inputs of one batch, no record pair twice. A duplicate pair shares the input of its
 * owner. If it has other types, the types are merged, or the pair is left for another batch. Pure.
 */
import { type AssociationType, typesText } from '../../shared/contract/association.js';
import { Inputs, type Slice, type Waiter } from './inputs.js';
import type { PairTable } from './pair-table.js';
import type { Ticket } from './submission.js';

export type FillingOptions = {
  /** most inputs */
  readonly limit: number;
  /** false for suspects, which are judged separately: their inputs take no types of other jobs */
  readonly mergesTypes: boolean;
  /** table of record pairs, used while the batch is filled */
  readonly table: PairTable;
};

const UNION = 2 ** 26;
const NONE: readonly number[] = [];

export class Filling {
  readonly #ids: Float64Array<ArrayBuffer>;
  readonly #typeAt: Uint32Array<ArrayBuffer>;
  #size = 0;
  readonly #texts: string[] = [];
  /** odd id → its number in this batch */
  readonly #numbers = new Map<string, number>();
  readonly #types: (readonly AssociationType[])[] = [];
  readonly #lists = new Map<readonly AssociationType[], number>();
  #lastList = 0;
  readonly #slices: Slice[] = [];
  #left: number[] = [];
  readonly #others = new Map<number, Waiter[]>();
  /** merged input → its owner's list of types */
  readonly #merged = new Map<number, number>();
  /** two lists → the list of both */
  readonly #unions = new Map<number, number>();

  constructor(private readonly options: FillingOptions) {
    const { limit, table } = options;
    this.#ids = new Float64Array(2 * limit);
    this.#typeAt = new Uint32Array(limit);
    table.clear();
  }

  get isFull(): boolean {
    return this.#size >= this.options.limit;
  }

  /**
   * Takes pairs of a job in order, until the batch is full.
   * @returns the index of the first pair that was not taken, or `end`
   */
  take(ticket: Ticket, start: number, end: number): number {
    const { ids, texts } = ticket.submission.pairs;
    const { table } = this.options;
    const list = this.#listOf(ticket.types);
    let index = start;
    let first = start; // first pair of the slice
    let input = this.#size; // its input
    for (; index < end && !this.isFull; index++) {
      let from = ids[2 * index] as number;
      let to = ids[2 * index + 1] as number;
      if (from < 0) from = this.#numberOf(texts[-1 - from] as string);
      if (to < 0) to = this.#numberOf(texts[-1 - to] as string);
      const same = table.add(from, to, this.#size);
      if (same < 0) {
        this.#ids[2 * this.#size] = from;
        this.#ids[2 * this.#size + 1] = to;
        this.#typeAt[this.#size] = list;
        this.#size += 1;
        continue;
      }
      this.#slice(ticket, first, index, input);
      first = index + 1;
      input = this.#size;
      if (!this.#share(same, { ticket, index }, list)) this.#left.push(index);
    }
    this.#slice(ticket, first, index, input);
    return index;
  }

  /** Of the job that was taken last: pairs that must wait for another batch, because their types may not be merged. */
  left(): readonly number[] {
    if (this.#left.length === 0) return NONE;
    const left = this.#left;
    this.#left = [];
    return left;
  }

  inputs(): Inputs {
    const size = this.#size;
    const isWhole = size === this.options.limit;
    return new Inputs(
      {
        size,
        ids: isWhole ? this.#ids : this.#ids.slice(0, 2 * size),
        texts: this.#texts,
        types: this.#types,
        typeAt: isWhole ? this.#typeAt : this.#typeAt.slice(0, size),
      },
      { slices: this.#slices, others: this.#others, merged: new Set(this.#merged.keys()) },
    );
  }

  #slice(ticket: Ticket, start: number, end: number, input: number): void {
    if (end > start) this.#slices.push({ ticket, start, input, count: end - start });
  }

  /** @returns false if the pair must wait for another batch */
  #share(input: number, waiter: Waiter, list: number): boolean {
    const own = this.#merged.get(input) ?? (this.#typeAt[input] as number);
    if (own !== list) {
      if (!this.options.mergesTypes) return false;
      this.#merged.set(input, own);
      this.#typeAt[input] = this.#union(this.#typeAt[input] as number, list);
    }
    const others = this.#others.get(input);
    if (others) others.push(waiter);
    else this.#others.set(input, [waiter]);
    return true;
  }

  #numberOf(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = -this.#texts.push(text);
      this.#numbers.set(text, number);
    }
    return number;
  }

  /** Jobs of a lane with the same types share one list, and are nearly always consecutive. */
  #listOf(types: readonly AssociationType[]): number {
    if (this.#types[this.#lastList] === types) return this.#lastList;
    this.#lastList = this.#lists.get(types) ?? this.#types.push(types) - 1;
    this.#lists.set(types, this.#lastList);
    return this.#lastList;
  }

  #union(one: number, other: number): number {
    const key = one * UNION + other;
    let list = this.#unions.get(key);
    if (list === undefined) {
      const types = [...(this.#types[one] ?? []), ...(this.#types[other] ?? [])];
      const union = new Map(types.map(type => [typesText([type]), type]));
      list = this.#types.push([...union.values()]) - 1;
      this.#unions.set(key, list);
    }
    return list;
  }
}
