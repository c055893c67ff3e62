/**
 * Turns what a caller gives (types, a label, or neither) into types. The library, the file import and the gateway all use
 * it. Known results are returned at once and not as a promise, because millions of associations ask.
 */
import {
  type Association,
  type AssociationType,
  associationFaults,
  type TypedAssociation,
} from '../shared/contract/association.js';
import { objectPairOf, standardDefault } from '../shared/contract/standard-types.js';
import { type Choice, chooseTypes, type Wish } from './choose-types.js';
import type { LabelBook, Question } from './label-book.js';

/** The types, or the reason why there are none. */
export type Resolved =
  | { readonly types: readonly AssociationType[]; readonly fault?: undefined }
  | { readonly fault: string; readonly types?: undefined };

export type TypesOf = (wish: Wish) => Resolved | Promise<Resolved>;

/** @returns true if the association has types and needs no lookup. The types are validated elsewhere. */
export const saysTypes = (association: Association | null | undefined): association is TypedAssociation =>
  association?.label === undefined && association?.types !== undefined;

/** @returns the association with its resolved types, which include the label's */
export const withTypes = (
  { fromObjectType, toObjectType, from, to }: Association,
  types: readonly AssociationType[],
): TypedAssociation => ({ fromObjectType, toObjectType, from, to, types });

/** @returns the faults of an association without types: malformed fields if there are any, otherwise `fault` */
export function allFaults(association: Association, fault: string): string[] {
  const malformed = associationFaults(association);
  return malformed.length > 0 ? malformed : [fault];
}

/** The latest wish and its result: consecutive associations mostly ask for the same. */
type Last = { readonly wish: Wish; readonly resolved: Resolved; readonly until: number };

export class TypeResolver {
  #last: Last | undefined;

  constructor(private readonly book: LabelBook) {}

  /**
   * Refuses malformed object types and labels. Other faults of the association are found elsewhere.
   * @returns a promise only if Redis or HubSpot must be asked. It rejects with a LabelLookupError if that fails.
   */
  typesOf(wish: Wish): Resolved | Promise<Resolved> {
    const { fromObjectType, toObjectType, label, types } = wish;
    if (label === undefined && types !== undefined) return { types };
    const last = this.#last;
    if (last && types === undefined && isSame(last.wish, wish) && last.until > performance.now())
      return last.resolved;
    const [malformed] = associationFaults({ fromObjectType, toObjectType, label, from: 1, to: 1 });
    if (malformed !== undefined) return { fault: malformed };
    const pair = objectPairOf(fromObjectType, toObjectType);
    const standard = label === undefined ? standardDefault(pair) : undefined;
    if (standard) return this.#note(wish, { types: [standard] }, Number.POSITIVE_INFINITY);
    const question = { pair, fromObjectType, toObjectType };
    return this.#fromMemory(wish, question) ?? this.#ask(wish, question);
  }

  #fromMemory(wish: Wish, question: Question): Resolved | undefined {
    const known = this.book.known(question);
    if (!known) return undefined;
    const choice = chooseTypes(wish, known.labels, known.refusal);
    if (choice.kind === 'types') return this.#note(wish, { types: choice.types }, known.until);
    if (choice.unknown && !this.book.isFresh(known)) return undefined;
    return { fault: choice.fault };
  }

  async #ask(wish: Wish, question: Question): Promise<Resolved> {
    const found = (choice: Choice) => choice.kind === 'types' || !choice.unknown;
    for (;;) {
      // a caller that joined another caller's lookup may need more than that lookup returned
      await this.book.look(question, known => found(chooseTypes(wish, known.labels, known.refusal)));
      const resolved = this.#fromMemory(wish, question);
      if (resolved) return resolved;
    }
  }

  #note(wish: Wish, resolved: Resolved, until: number): Resolved {
    const { fromObjectType, toObjectType, label, types } = wish;
    if (types === undefined) this.#last = { wish: { fromObjectType, toObjectType, label }, resolved, until };
    return resolved;
  }
}

const isSame = (one: Wish, other: Wish): boolean =>
  one.fromObjectType === other.fromObjectType &&
  one.toObjectType === other.toObjectType &&
  one.label === other.label;
