/**
 * Decides which association types exist between which objects, and gives HubSpot's error for one that does not.
 *
 * HUBSPOT_DEFINED are the types of HubSpot's guide (shared/contract/standard-types.ts) except those of the option
 * `withoutTypeIds`. By convention of this simulator these types exist as well:
 *   - HUBSPOT_DEFINED between objects that the table does not list (custom objects, products, users): any id that the
 *     table does not assign to another pair;
 *   - the types of the option `labels`, each for its object pair and direction only;
 *   - USER_DEFINED, INTEGRATOR_DEFINED, WORK otherwise: the ids of the option customTypeIds, or any below 1000 if it
 *     is empty.
 */
import { type AssociationType, typeText } from '../shared/contract/association.js';
import { isCustomObject } from '../shared/contract/object-types.js';
import {
  isStandardObject,
  type ObjectPair,
  objectPairOf,
  standardHome,
  standardTypes,
} from '../shared/contract/standard-types.js';
import type { SimulatorOptions } from './options.js';

export type TypeOptions = Pick<SimulatorOptions, 'customTypeIds' | 'labels' | 'withoutTypeIds'>;
type Label = SimulatorOptions['labels'][number];

/** Why a type is wrong for an object pair: it belongs to another pair, or no pair has it. */
export type TypeFault =
  | { readonly kind: 'elsewhere'; readonly message: string }
  | { readonly kind: 'unknown'; readonly spec: string };

export function typeFault(
  pair: ObjectPair,
  type: AssociationType,
  options: TypeOptions,
): TypeFault | undefined {
  const { associationCategory, associationTypeId: id } = type;
  const unknown: TypeFault = { kind: 'unknown', spec: typeText(type).replace(':', '=') };
  const defined = options.labels.filter(label => isOf(label, type));
  if (defined.length > 0) return defined.some(label => isBetween(label, pair)) ? undefined : unknown;
  if (associationCategory !== 'HUBSPOT_DEFINED') {
    const { customTypeIds } = options;
    return (customTypeIds.length > 0 ? customTypeIds.includes(id) : id < 1000) ? undefined : unknown;
  }
  if (options.withoutTypeIds.includes(id)) return unknown;
  const home = standardHome(id);
  if (!home) return isTabulated(pair) ? unknown : undefined;
  if (home.from !== pair.from)
    return { kind: 'elsewhere', message: wrongSide('from', pair.from, home.from, id) };
  if (home.to !== pair.to) return { kind: 'elsewhere', message: wrongSide('to', pair.to, home.to, id) };
  return undefined;
}

const isOf = ({ category, typeId }: Label, type: AssociationType): boolean =>
  category === type.associationCategory && typeId === type.associationTypeId;

function isBetween({ fromObjectType, toObjectType }: Label, pair: ObjectPair): boolean {
  const { from, to } = objectPairOf(fromObjectType, toObjectType);
  return from === pair.from && to === pair.to;
}

const isTabulated = ({ from, to }: ObjectPair): boolean =>
  !isCustomObject(from) && !isCustomObject(to) && isStandardObject(from) && isStandardObject(to);

const wrongSide = (side: 'from' | 'to', given: string, expected: string, id: number): string =>
  `invalid ${side} object type ${given} for associations to be created. expected: ${expected}. For definition 0-${id}`;

/** @returns the label of a type; null for an unlabelled type, as HubSpot writes it */
export function labelOf(pair: ObjectPair, type: AssociationType, options: TypeOptions): string | null {
  const { associationCategory, associationTypeId: id } = type;
  const defined = options.labels.find(label => isOf(label, type) && isBetween(label, pair));
  if (defined) return defined.label;
  return associationCategory === 'HUBSPOT_DEFINED' ? (standardHome(id)?.label ?? null) : `Custom ${id}`;
}

/** @returns every type that exists for an object pair */
export function typesOfPair(pair: ObjectPair, options: TypeOptions): AssociationType[] {
  const standard = standardTypes(pair)
    .filter(({ typeId }) => !options.withoutTypeIds.includes(typeId))
    .toSorted((one, other) => one.typeId - other.typeId);
  return [
    ...standard.map(({ typeId }) => typeOf('HUBSPOT_DEFINED', typeId)),
    ...options.labels
      .filter(label => isBetween(label, pair))
      .map(({ category, typeId }) => typeOf(category, typeId)),
    ...options.customTypeIds.map(id => typeOf('USER_DEFINED', id)),
  ];
}

const typeOf = (
  associationCategory: AssociationType['associationCategory'],
  associationTypeId: number,
): AssociationType => ({ associationCategory, associationTypeId });
