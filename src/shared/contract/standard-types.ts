/**
 * What HubSpot's standard association types are, for an object pair in any of its names. Pure.
 * Shared by whoever chooses types (labels), warns of wrong ones, and by the simulator, whose options can disagree.
 */
import type { AssociationType } from './association.js';
import { STANDARD_TYPES } from './association-types.js';
import { objectTypeId } from './object-types.js';

/** Object types by their ids (`0-1`). */
export type ObjectPair = { readonly from: string; readonly to: string };
/** label: null = the unlabelled type of its object pair */
export type StandardType = { readonly typeId: number; readonly label: string | null };

const idOf = (name: string): string => objectTypeId(name) ?? name;
const pairKey = ({ from, to }: ObjectPair): string => `${from}/${to}`;

const typesByPair = new Map<string, readonly StandardType[]>();
const homes = new Map<number, ObjectPair & StandardType>();
const objectTypes = new Set<string>();
for (const [from, row] of Object.entries(STANDARD_TYPES)) {
  for (const cell of row.split(', ')) {
    const [to = '', ...texts] = cell.split(' ');
    const pair = { from: idOf(from), to: idOf(to) };
    const types = texts.map(readType);
    typesByPair.set(pairKey(pair), types);
    for (const type of types) homes.set(type.typeId, { ...pair, ...type });
    objectTypes.add(pair.from).add(pair.to);
  }
}

/** `450`, or `13=Child_company` */
function readType(text: string): StandardType {
  const [typeId, label] = text.split('=');
  return { typeId: Number(typeId), label: label?.replaceAll('_', ' ') ?? null };
}

/** `contacts` and `company` → `0-1` and `0-2`; a name that nobody knows stays as it is. */
export const objectPairOf = (fromObjectType: string, toObjectType: string): ObjectPair => ({
  from: idOf(fromObjectType),
  to: idOf(toObjectType),
});

/** The unlabelled type first; none when the table does not know the object pair. */
export const standardTypes = (pair: ObjectPair): readonly StandardType[] =>
  typesByPair.get(pairKey(pair)) ?? [];

/** The type of an association that says nothing about itself. */
export function standardDefault(pair: ObjectPair): AssociationType | undefined {
  const unlabelled = standardTypes(pair).find(({ label }) => label === null);
  return unlabelled && { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: unlabelled.typeId };
}

/** The one object pair and direction that a HUBSPOT_DEFINED type id is for. */
export const standardHome = (typeId: number): (ObjectPair & StandardType) | undefined => homes.get(typeId);

/** Does the table speak of this object type at all? */
export const isStandardObject = (id: string): boolean => objectTypes.has(id);
