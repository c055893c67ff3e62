/**
 * Record pairs as columns. Pure.
 *
 * A record id is a number. An id of at most 15 plain digits is that number. Any other id is odd: the number -(k + 1)
 * means the text at place k of a list that travels with the column. 500 pairs are one array; as texts they would be 1,500
 * objects that the garbage collector has to follow (docs/decisions/0028).
 */
import type { Pair } from './association.js';
import { plainId } from './record-id.js';

const NONE: readonly string[] = [];

/** @returns the text of an id. @param texts the odd ids of its column */
export const idText = (id: number, texts: readonly string[]): string =>
  id < 0 ? (texts[-1 - id] as string) : String(id);

export class Pairs {
  /**
   * @param ids from, to, from, to …
   * @param texts the odd ids; a text may occur twice
   */
  constructor(
    readonly ids: readonly number[],
    readonly texts: readonly string[] = NONE,
  ) {}

  /** @param pairs with canonical ids */
  static of(pairs: readonly Pair[]): Pairs {
    const ids: number[] = [];
    const texts: string[] = [];
    for (const pair of pairs)
      for (const text of pair) {
        const id = plainId(text);
        ids.push(id < 0 ? -texts.push(text) : id);
      }
    return new Pairs(ids, texts);
  }

  get length(): number {
    return this.ids.length / 2;
  }

  /** @returns the pair as texts, to be written back or shown */
  at(index: number): Pair {
    const { ids, texts } = this;
    return [idText(ids[2 * index] as number, texts), idText(ids[2 * index + 1] as number, texts)];
  }

  pick(places: readonly number[]): Pairs {
    if (places.length === this.length) return this;
    const { ids, texts } = this;
    return new Pairs(
      places.flatMap(place => [ids[2 * place] as number, ids[2 * place + 1] as number]),
      texts,
    );
  }

  toTexts(): Pair[] {
    return Array.from({ length: this.length }, (_, index) => this.at(index));
  }
}
