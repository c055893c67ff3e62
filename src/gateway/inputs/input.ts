/**
 * One input of a request → an association, or its faults by its index. HubSpot's own wire shape is the rule; fields under
 * other names of theirs are understood (shared/association-fields.ts), and any others refused. Pure.
 */
import { Compile } from 'typebox/compile';
import {
  type Association,
  associationFaults,
  MAX_LABEL_LENGTH,
  MAX_TYPES,
} from '../../shared/contract/association.js';
import { type Field, readFields } from '../../shared/contract/association-fields.js';
import { quote } from '../../shared/contract/record-id.js';
import type { Fault } from '../refusal.js';
import { type Input, InputSchema } from '../schemas.js';

type ObjectPair = Pick<Association, 'fromObjectType' | 'toObjectType'>;
type ReadInput =
  | { readonly association: Association; readonly faults?: undefined }
  | { readonly faults: readonly Fault[] };

/** Longer texts are no ids and are cut before they are quoted. */
const MAX_QUOTED = 200;

const inputCheck = Compile(InputSchema);

/** The path says the object types. */
const FIELDS: readonly Field[] = ['from', 'to', 'types', 'label', 'category', 'typeId'];

/** @param isListed its faults are put into words, which takes a hundred times as long as finding that it has some */
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

/** @param known how many faults were found in other places */
function otherFaults(input: object, index: number, known: number): Fault[] {
  return inputCheck.Check(input) && known > 0 ? [] : inputFaults(input, index);
}

/** Field by field: a spread takes ten times as long, and 46 MB for 50,000 inputs. */
const associationOf = (
  { from, to, types, label }: Input,
  { fromObjectType, toObjectType }: ObjectPair,
): Association => ({ fromObjectType, toObjectType, from: from.id, to: to.id, types, label }) as Association;

/** Every fault of an input, each with its place. */
export function inputFaults(given: unknown, index: number): Fault[] {
  const at = `inputs[${index}]`;
  if (!isRecord(given)) return [{ message: `${at} is not an object`, in: at }];
  const idOf = (side: unknown) => (isRecord(side) ? scalar(side.id) : undefined);
  // Only scalars are handed on: they are quoted in the words, and anything may stand here.
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

/** `from: "" is not a record id` → the place apart from the words, which repeat it for people. */
export function placed(fault: string, name: (place: string) => string): Fault {
  const end = fault.indexOf(': ');
  const place = name(fault.slice(0, end));
  return { message: `${place}: ${fault.slice(end + 2)}`, in: place };
}

const scalar = (value: unknown, length?: number): unknown =>
  typeof value === 'string' ? cut(value, length) : typeof value === 'object' ? undefined : value;
/** Absent stays absent; what is there and no scalar is null. */
const readable = (value: unknown, length?: number): unknown =>
  value === undefined ? undefined : (scalar(value, length) ?? null);
export const cut = (text: string, length = MAX_QUOTED): string => text.slice(0, length);
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
