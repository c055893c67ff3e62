/**
 * How many different lists of types and labels a request may name. Each is a lane with a job of its own, checked and
 * searched for on its own: 50,000 different ones stopped the gateway for 11 s and took 850 MB. Pure.
 */
import { type AssociationType, typesText } from '../../shared/contract/association.js';

/** HubSpot allows some ten labels for an object pair: what needs more than this is a mistake or an attack. */
export const MAX_TYPE_LISTS = 300;

/** What an input says of its type. */
export type Wanted = {
  readonly types?: readonly AssociationType[] | undefined;
  readonly label?: string | undefined;
};

export class TypeLists {
  readonly #seen = new Set<string>();
  #last: Wanted | undefined;

  /** @returns why an input may not go beside those before it; undefined when it may */
  fault(wanted: Wanted): string | undefined {
    // neighbours mostly say the same
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
