/**
 * Reads what a caller gives: fields under our names or HubSpot's, types as objects or as texts (`HUBSPOT_DEFINED:279`). Pure.
 * Not responsible for whether the values are valid (associationFaults), except for texts of types and misspelt object types.
 */
import {
  type Association,
  type AssociationType,
  associationFaults,
  isObjectType,
  parseType,
} from '../shared/contract/association.js';
import { hasOwnNames, readFields } from '../shared/contract/association-fields.js';
import type { AssociationInput } from '../shared/contract/association-input.js';
import { messageOf } from '../shared/contract/errors.js';
import { misspeltObjectType } from '../shared/contract/object-types.js';

/** Why an association cannot be read: every fault, with its field. */
export class Faults {
  constructor(readonly list: readonly string[]) {}
}

export class GivenReader {
  /** The latest text of a type and what it says: consecutive associations mostly have the same. */
  #text: string | undefined;
  #types: readonly AssociationType[] = [];
  /** The latest object types, which are not misspelt: the next association mostly has the same. */
  #from: unknown;
  #to: unknown;

  /** @returns what was given if there is nothing to read, which a few comparisons find out */
  read(given: AssociationInput): Association | Faults {
    const association = this.#readFields(given);
    if (association instanceof Faults) return association;
    // null and undefined have no fields either
    const fromObjectType = association?.fromObjectType;
    const toObjectType = association?.toObjectType;
    if (fromObjectType === this.#from && toObjectType === this.#to) return association;
    const faults = [...misspelt('fromObjectType', fromObjectType), ...misspelt('toObjectType', toObjectType)];
    if (faults.length > 0) return new Faults([...faults, ...associationFaults(association)]);
    this.#from = fromObjectType;
    this.#to = toObjectType;
    return association;
  }

  #readFields(given: AssociationInput): Association | Faults {
    if (hasOwnNames(given) && areRead(given?.types)) return given as Association;
    if (typeof given !== 'object' || given === null) return new Faults(associationFaults(given));
    const { fields, faults } = hasOwnNames(given) ? { fields: given, faults: [] } : readFields(given);
    const read = this.#typesOf(fields.types);
    const association = { ...fields, types: read.types } as Association;
    const all = [...faults, ...read.faults];
    return all.length === 0 ? association : new Faults([...all, ...associationFaults(association)]);
  }

  #typesOf(given: unknown): { types: unknown; faults: readonly string[] } {
    if (typeof given !== 'string') return readTypes(given);
    if (given === this.#text) return { types: this.#types, faults: [] };
    const read = readTypes(given);
    if (read.faults.length === 0) {
      this.#text = given;
      this.#types = read.types as readonly AssociationType[];
    }
    return read;
  }
}

/** Whether an object type is one at all is for associationFaults to say. */
function misspelt(field: string, objectType: unknown): string[] {
  const fault = isObjectType(objectType) ? misspeltObjectType(objectType) : undefined;
  return fault === undefined ? [] : [`${field}: ${fault}`];
}

/** @returns true if the types are as jobs have them: none, or a list without texts */
function areRead(types: unknown): boolean {
  if (!Array.isArray(types)) return types === undefined;
  for (const type of types) if (typeof type === 'string') return false;
  return true;
}

/** Stands for a text that is no type, so that the faults of the others keep their places. */
const UNREADABLE: AssociationType = { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 1 };

/** Turns texts into types, and one type into a list; leaves everything else as it is. @returns a fault for each text that is no type */
export function readTypes(given: unknown): { types: unknown; faults: string[] } {
  const faults: string[] = [];
  const read = (type: unknown, place: string): unknown => {
    if (typeof type !== 'string') return type;
    try {
      return parseType(type);
    } catch (error) {
      faults.push(`${place}: ${messageOf(error)}`);
      return UNREADABLE;
    }
  };
  if (typeof given === 'string') return { types: [read(given, 'types')], faults };
  if (isType(given)) return { types: [given], faults };
  if (!Array.isArray(given)) return { types: given, faults };
  return { types: given.map((type, index) => read(type, `types[${index}]`)), faults };
}

const isType = (given: unknown): boolean =>
  typeof given === 'object' && given !== null && 'associationCategory' in given;
