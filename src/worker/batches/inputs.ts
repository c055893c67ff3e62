/**
 * The inputs of a sealed batch and the pairs of jobs that wait for them: columns, and slices of jobs. Each waiting pair gets
 * the outcome of its input exactly once. Pure.
 */
import type { AssociationType, Pair } from '../../shared/contract/association.js';
import { type Columns, indexes, pairAt, pick } from './columns.js';
import type { Outcome } from './outcome.js';
import { settlePairs, type Ticket } from './submission.js';

/** Consecutive pairs of a job from `start` on, which are the inputs from `input` on. */
export type Slice = {
  readonly ticket: Ticket;
  readonly start: number;
  readonly input: number;
  readonly count: number;
};
/** A pair of a job that waits for its outcome. */
export type Waiter = { readonly ticket: Ticket; readonly index: number };

export type Owners = {
  /** in the order of the inputs; each input belongs to exactly one slice */
  readonly slices: readonly Slice[];
  /** by input: further pairs of jobs that wait for it, because they are the same record pair */
  readonly others: ReadonlyMap<number, readonly Waiter[]>;
  /** inputs with different types of several waiters: only one of the types may be the cause of a refusal */
  readonly merged: ReadonlySet<number>;
};

export class Inputs implements Columns {
  readonly size: number;
  readonly ids: Float64Array<ArrayBuffer>;
  readonly texts: readonly string[];
  readonly types: readonly (readonly AssociationType[])[];
  readonly typeAt: Uint32Array<ArrayBuffer>;
  /** number of inputs without an outcome */
  #open: number;
  /** 1 = the input has its outcome; allocated with the first outcome that not all inputs share */
  #settled: Uint8Array | undefined;

  constructor(
    columns: Columns,
    private readonly owners: Owners,
  ) {
    this.size = columns.size;
    this.ids = columns.ids;
    this.texts = columns.texts;
    this.types = columns.types;
    this.typeAt = columns.typeAt;
    this.#open = columns.size;
  }

  /** @returns the number of inputs without an outcome */
  get open(): number {
    return this.#open;
  }

  isMerged(input: number): boolean {
    return this.owners.merged.has(input);
  }

  pairAt(input: number): Pair {
    return pairAt(this, input);
  }

  /** @returns new columns with some inputs, which may be transferred */
  columns(inputs: readonly number[]): Columns {
    if (inputs.length < this.size) return pick(this, inputs);
    const { size, ids, texts, types, typeAt } = this;
    return { size, ids: ids.slice(), texts, types, typeAt: typeAt.slice() };
  }

  /** Yields all waiting tickets, in the order of the inputs. */
  *tickets(): Iterable<Ticket> {
    for (const { ticket } of this.owners.slices) yield ticket;
    for (const waiters of this.owners.others.values()) for (const { ticket } of waiters) yield ticket;
  }

  /** @returns the requested lists of types, of all inputs or of some; a merged input has several */
  typesTexts(inputs?: readonly number[]): Set<string> {
    const texts = new Set<string>();
    if (!inputs || inputs.length === this.size) {
      for (const { typesText } of this.tickets()) texts.add(typesText);
      return texts;
    }
    for (const input of inputs) for (const { ticket } of this.waiters(input)) texts.add(ticket.typesText);
    return texts;
  }

  /** @returns the pairs that wait for an input, its owner first */
  waiters(input: number): readonly Waiter[] {
    const { ticket, start, input: first } = this.#slice(input);
    return [{ ticket, index: start + input - first }, ...(this.owners.others.get(input) ?? [])];
  }

  /** @returns true if one of the inputs has never failed */
  hasFirstTimers(inputs: readonly number[]): boolean {
    if (inputs.length === this.size)
      return this.owners.slices.some(({ ticket }) => !ticket.submission.failedBefore);
    return inputs.some(input => !this.#slice(input).ticket.submission.failedBefore);
  }

  /** @returns true if the input's owner is a suspect */
  isSuspect(input: number): boolean {
    return this.#slice(input).ticket.submission.suspicion > 0;
  }

  /** Gives an input's outcome to all pairs that wait for it. @returns their number */
  settle(input: number, outcome: Outcome): number {
    this.#settled ??= new Uint8Array(this.size);
    if (this.#settled[input] === 1 || this.#open === 0) throw new Error('an input was settled twice');
    this.#settled[input] = 1;
    this.#open -= 1;
    const waiters = this.waiters(input);
    for (const { ticket, index } of waiters) settlePairs(ticket, index, index + 1, outcome);
    return waiters.length;
  }

  /** Gives the same outcome to all inputs without one. @returns the number of waiting pairs */
  settleRest(outcome: Outcome): number {
    if (this.#open === this.size) return this.#settleAll(outcome);
    const settled = this.#settled;
    const rest = this.#open > 0 ? indexes(this.size).filter(input => settled?.[input] !== 1) : [];
    return rest.reduce((sum, input) => sum + this.settle(input, outcome), 0);
  }

  #settleAll(outcome: Outcome): number {
    this.#open = 0;
    let count = this.size;
    for (const { ticket, start, count } of this.owners.slices)
      settlePairs(ticket, start, start + count, outcome);
    for (const waiters of this.owners.others.values())
      for (const { ticket, index } of waiters) {
        settlePairs(ticket, index, index + 1, outcome);
        count += 1;
      }
    return count;
  }

  /** @returns the slice that contains an input */
  #slice(input: number): Slice {
    const { slices } = this.owners;
    let low = 0;
    let high = slices.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((slices[middle] as Slice).input <= input) low = middle;
      else high = middle - 1;
    }
    return slices[low] as Slice;
  }
}
