/**
 * Limits the different lists of types and labels of a request. Each list is a lane with its own job and its own lookup:
 * 50,000 different lists stopped the gateway for 11 s and took 850 MB. Pure.
 */
import { type AssociationType, typesText } from '../../shared/contract/association.js';

/** HubSpot allows about ten labels for an object pair: a request with more lists than this is a mistake or an attack. */
export const MAX_TYPE_LISTS = 300;

/** The types and the label of an input. */
export type Wanted = {
  readonly types?: readonly AssociationType[] | undefined;
  readonly label?: string | undefined;
};

export class TypeLists {
  readonly #seen = new Set<string>();
  #last: Wanted | undefined;

  /** @returns why the input exceeds the limit; undefined if it does not */
  fault(wanted: Wanted): string | undefined {
    // consecutive inputs mostly have the same list
    if (this.#last && isSame(this.#last, wanted)) return undefined;
    const text = `${wanted.types ? typesText(wanted.types) : ''}\n${wanted.label ?? ''}`;
    if (!this.#seen.has(text)) {
      if (this.#seen.size >= MAX_TYPE_LISTS)
        return `${wanted.label === undefined ? 'types' : 'label'}: more than ${MAX_TYPE_LISTS} different lists of types and labels in one request: send them in several requests`;
      this.#seen.add(text);
    }
    this.#last = wanted;
    return undefined;
  }
}

function isSame({ types, label }: Wanted, other: Wanted): boolean {
  if (label !== other.label || types?.length !== other.types?.length) return false;
  if (types === undefined) return true;
  for (let at = 0; at < types.length; at++) {
    const one = types[at];
    const another = other.types?.[at];
    if (one?.associationTypeId !== another?.associationTypeId) return false;
    if (one?.associationCategory !== another?.associationCategory) return false;
  }
  return true;
}
