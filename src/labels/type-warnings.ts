/**
 * Warns about given types that look wrong: types of another object pair or direction, or types that HubSpot's guide does
 * not list. It does not refuse them, because the guide may be outdated and HubSpot decides. Warnings are ASCII, because
 * the gateway puts them into headers.
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

/** @returns one warning for each type that looks wrong. Pure. */
export function typeWarnings({ fromObjectType, toObjectType, types }: Typed): string[] {
  return types.flatMap(type => warning(fromObjectType, toObjectType, type) ?? []);
}

function warning(fromObjectType: string, toObjectType: string, type: AssociationType): string | undefined {
  if (type.associationCategory !== 'HUBSPOT_DEFINED') return undefined;
  const pair = objectPairOf(fromObjectType, toObjectType);
  const known = standardTypes(pair);
  const home = standardHome(type.associationTypeId);
  if (home?.from === pair.from && home.to === pair.to) return undefined;
  // For custom objects, and objects that the guide does not list, any id may be right that the guide does not assign.
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

/** Most warnings that are remembered, so that a caller who invents types does not fill the memory. */
const MAX_SAID = 1_000;

/** Reports each warning once. */
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
