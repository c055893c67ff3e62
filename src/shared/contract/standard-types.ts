/**
 * Looks up HubSpot's standard association types for an object pair under any of its names. Pure.
 * Labels use it to choose types and to warn about wrong ones; so does the simulator, whose options can differ.
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

/** `contacts` and `company` → `0-1` and `0-2`; an unknown name stays unchanged. */
export const objectPairOf = (fromObjectType: string, toObjectType: string): ObjectPair => ({
  from: idOf(fromObjectType),
  to: idOf(toObjectType),
});

/** @returns the standard types, the unlabelled one first; empty if the table does not list the object pair */
export const standardTypes = (pair: ObjectPair): readonly StandardType[] =>
  typesByPair.get(pairKey(pair)) ?? [];

/** @returns the type of an association that has neither types nor a label */
export function standardDefault(pair: ObjectPair): AssociationType | undefined {
  const unlabelled = standardTypes(pair).find(({ label }) => label === null);
  return unlabelled && { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: unlabelled.typeId };
}

/** @returns the only object pair and direction that a HUBSPOT_DEFINED type id belongs to */
export const standardHome = (typeId: number): (ObjectPair & StandardType) | undefined => homes.get(typeId);

/** @returns true if the table lists this object type */
export const isStandardObject = (id: string): boolean => objectTypes.has(id);
