/**
 * Turns one input of a request into an association, or into faults with its index. HubSpot's wire format is the rule; other
 * known names of fields are accepted (shared/contract/association-fields.ts), unknown ones are refused. Pure.
 */

import {
  type Association,
  associationFaults,
  MAX_LABEL_LENGTH,
  MAX_TYPES,
} from '../../shared/contract/association.js';
import { type Field, readFields } from '../../shared/contract/association-fields.js';
import { quote } from '../../shared/contract/record-id.js';
import { Compile } from '../../shared/contract/typebox.js';
import type { Fault } from '../refusal.js';
import { type Input, InputSchema } from '../schemas.js';

type ObjectPair = Pick<Association, 'fromObjectType' | 'toObjectType'>;
type ReadInput =
  | { readonly association: Association; readonly faults?: undefined }
  | { readonly faults: readonly Fault[] };

/** Longer texts cannot be ids and are truncated before they are quoted. */
const MAX_QUOTED = 200;

const inputCheck = Compile(InputSchema);

/** Fields of an input; the path has the object types. */
const FIELDS: readonly Field[] = ['from', 'to', 'types', 'label', 'category', 'typeId'];

/** @param isListed true if its faults are described, which takes a hundred times as long as detecting them */
export function readInput(
  given: unknown,
  index: number,
  objectPair: ObjectPair,
  isListed: boolean,
): ReadInput {
  if (inputCheck.Check(given)) return { association: associationOf(given, objectPair) };
  if (!isRecord(given)) return { faults: inputFaults(given, index) };
  const { fields, faults } = readFields(given, { known: FIELDS, ...(!isListed && { listed: 0 }) });
  for (const side of ['fromObjectType', 'toObjectType'] as const)
    if (fields[side] !== undefined) faults.push(`${side}: the path says the object types; leave it out`);
  const { fromObjectType: _from, toObjectType: _to, ...input } = fields;
  if (inputCheck.Check(input) && faults.length === 0)
    return { association: associationOf(input, objectPair) };
  if (!isListed) return { faults: [] };
  const at = (place: string) => `inputs[${index}].${place}`;
  return { faults: [...faults.map(fault => placed(fault, at)), ...otherFaults(input, index, faults.length)] };
}

/** @param known number of faults that were found elsewhere */
function otherFaults(input: object, index: number, known: number): Fault[] {
  return inputCheck.Check(input) && known > 0 ? [] : inputFaults(input, index);
}

/** Copies field by field: a spread takes ten times as long, and 46 MB for 50,000 inputs. */
const associationOf = (
  { from, to, types, label }: Input,
  { fromObjectType, toObjectType }: ObjectPair,
): Association => ({ fromObjectType, toObjectType, from: from.id, to: to.id, types, label }) as Association;

/** @returns every fault of an input with its place */
export function inputFaults(given: unknown, index: number): Fault[] {
  const at = `inputs[${index}]`;
  if (!isRecord(given)) return [{ message: `${at} is not an object`, in: at }];
  const idOf = (side: unknown) => (isRecord(side) ? scalar(side.id) : undefined);
  // Passes on only scalars: the faults quote them, and the input may contain anything.
  const shown = {
    fromObjectType: 'a',
    toObjectType: 'b',
    from: idOf(given.from),
    to: idOf(given.to),
    types: Array.isArray(given.types)
      ? given.types.slice(0, MAX_TYPES + 1).map(readableType)
      : readable(given.types),
    label: readable(given.label, MAX_LABEL_LENGTH + 1),
  };
  const faults = [
    ...associationFaults(shown as unknown as Association).map(fault =>
      placed(fault, place => `${at}.${place === 'from' || place === 'to' ? `${place}.id` : place}`),
    ),
    ...recordFaults(given.from, `${at}.from`),
    ...recordFaults(given.to, `${at}.to`),
  ];
  return faults.length > 0 ? faults : [{ message: `${at} is not an input`, in: at }];
}

function recordFaults(record: unknown, place: string): Fault[] {
  const name = isRecord(record) ? Object.keys(record).find(key => key !== 'id') : undefined;
  if (name === undefined) return [];
  return [placed(`${quote(name).slice(1, -1)}: a record has an id and nothing else`, at => `${place}.${at}`)];
}

const readableType = (type: unknown) =>
  isRecord(type)
    ? {
        associationCategory: scalar(type.associationCategory),
        associationTypeId: scalar(type.associationTypeId),
      }
    : null;

/** `from: "" is not a record id` → the place as a separate field; the words repeat it for people. */
export function placed(fault: string, name: (place: string) => string): Fault {
  const end = fault.indexOf(': ');
  const place = name(fault.slice(0, end));
  return { message: `${place}: ${fault.slice(end + 2)}`, in: place };
}

const scalar = (value: unknown, length?: number): unknown =>
  typeof value === 'string' ? cut(value, length) : typeof value === 'object' ? undefined : value;
/** An absent value stays absent; a value that is not a scalar becomes null. */
const readable = (value: unknown, length?: number): unknown =>
  value === undefined ? undefined : (scalar(value, length) ?? null);
export const cut = (text: string, length = MAX_QUOTED): string => text.slice(0, length);
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
