/**
 * What is odd about types that were given outright: of another object pair or direction, or none that HubSpot's guide
 * knows. A warning, not a refusal: the guide may be behind, and HubSpot has the last word. In ASCII: it goes into headers.
 */
import { type AssociationType, typeText } from '../shared/contract/association.js';
import { objectTypePlural } from '../shared/contract/object-types.js';
import {
  objectPairOf,
  type StandardType,
  standardHome,
  standardTypes,
} from '../shared/contract/standard-types.js';

export type Typed = {
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly types: readonly AssociationType[];
};

/** One warning for each type that is odd. Pure. */
export function typeWarnings({ fromObjectType, toObjectType, types }: Typed): string[] {
  return types.flatMap(type => warning(fromObjectType, toObjectType, type) ?? []);
}

function warning(fromObjectType: string, toObjectType: string, type: AssociationType): string | undefined {
  if (type.associationCategory !== 'HUBSPOT_DEFINED') return undefined;
  const pair = objectPairOf(fromObjectType, toObjectType);
  const known = standardTypes(pair);
  const home = standardHome(type.associationTypeId);
  if (home?.from === pair.from && home.to === pair.to) return undefined;
  // between custom objects, or objects that the guide does not speak of, any id may be right that is nobody else's
  if (!home && known.length === 0) return undefined;
  const right = known.length === 0 ? '' : `; known are ${known.map(describe).join(', ')}`;
  const asked = `from ${fromObjectType} to ${toObjectType}`;
  if (!home) return `${typeText(type)} is not known ${asked}${right}`;
  const isReversed = home.from === pair.to && home.to === pair.from;
  const place = `from ${objectTypePlural(home.from)} to ${objectTypePlural(home.to)}`;
  return `${typeText(type)} is ${place}, not ${asked}${isReversed ? ' (the other direction)' : ''}${right}`;
}

const describe = ({ typeId, label }: StandardType): string =>
  `HUBSPOT_DEFINED:${typeId} ${label === null ? '(unlabelled)' : `"${label}"`}`;

/** Warnings that are remembered: whoever makes up types for ever must not fill the memory. */
const MAX_SAID = 1_000;

/** Says each warning once. */
export class TypeWarner {
  readonly #said = new Set<string>();

  constructor(private readonly say: (warning: string) => void) {}

  check(typed: Typed): void {
    for (const warning of typeWarnings(typed)) this.tell(warning);
  }

  tell(warning: string): void {
    if (this.#said.has(warning) || this.#said.size >= MAX_SAID) return;
    this.#said.add(warning);
    this.say(warning);
  }
}
