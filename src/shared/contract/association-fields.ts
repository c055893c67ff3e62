/**
 * What the fields of an association are called, on every way in: library, files, gateway. HubSpot's names beside ours are
 * understood. Any other name is refused: whoever wrote it meant something, and without it the association would be created
 * as another one, HubSpot's default. Pure.
 */
import { type Association, associationFaults, typeIdOf } from './association.js';
import { meant } from './did-you-mean.js';
import { quote } from './record-id.js';

/** `category` and `typeId` are a list of one type. */
export type Field = keyof Association | 'category' | 'typeId';
/** The fields of an association, unchecked; an absent one is undefined. */
export type Fields = { readonly [field in keyof Association]?: unknown };

const FIELDS = [
  'from',
  'to',
  'fromObjectType',
  'toObjectType',
  'types',
  'label',
  'category',
  'typeId',
] as const;
/** HubSpot's names, and those of its exports. */
const OTHER_NAMES = {
  associationCategory: 'category',
  associationTypeId: 'typeId',
  associationLabel: 'label',
} as const;
/** Names that are refused because they could mean something else; what they probably mean. */
const HINTS: Readonly<Record<string, Field>> = {
  fromtype: 'fromObjectType',
  totype: 'toObjectType',
  associationtype: 'types',
  associationtypes: 'types',
  fromid: 'from',
  toid: 'to',
  fromobjectid: 'from',
  toobjectid: 'to',
};

/** Capitals, spaces, `_` and `-` make no other name: `Type ID` and `type_id` are typeId. */
const squeezed = (name: string): string => name.toLowerCase().replace(/[\s_-]/g, '');

const fieldsByName = new Map<string, Field>([
  ...FIELDS.map((field): [string, Field] => [squeezed(field), field]),
  ...Object.entries(OTHER_NAMES).map(([name, field]): [string, Field] => [squeezed(name), field]),
]);

export const fieldNamed = (name: string): Field | undefined => fieldsByName.get(squeezed(name));

/** Which of the fields a name that is none probably means. */
export function fieldMeant(name: string, fields: readonly Field[] = FIELDS): Field | undefined {
  const hint = HINTS[squeezed(name)];
  return hint && fields.includes(hint)
    ? hint
    : (meant(
        squeezed(name),
        fields.filter(field => field !== 'from' && field !== 'to'),
      ) as Field | undefined);
}

/** Are the fields called by their own names? Nearly always, and then there is nothing to read. It is
 * asked millions of times, and a chain of comparisons takes less than a switch. */
export function hasOwnNames(association: object): boolean {
  for (const name in association)
    if (
      name !== 'from' &&
      name !== 'to' &&
      name !== 'fromObjectType' &&
      name !== 'toObjectType' &&
      name !== 'types' &&
      name !== 'label'
    )
      return false;
  return true;
}

/** Faults that are put into words: each costs more than reading its field. */
const MAX_LISTED = 20;

/**
 * The fields under their own names, and a fault for each name that is none. Undefined is absent.
 * @param known the fields that a fault names as possible ones
 * @param listed faults that are put into words; one more counts the others
 */
export function readFields(
  given: object,
  { known = FIELDS, listed = MAX_LISTED }: { known?: readonly Field[]; listed?: number } = {},
): { fields: Fields; faults: string[] } {
  const found: { [field in Field]?: unknown } = {};
  const names = new Map<Field, string>();
  const faults: string[] = [];
  let more = 0;
  const fault = (words: () => string): void => {
    if (faults.length < listed) faults.push(words());
    else more += 1;
  };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const field = fieldNamed(name);
    const other = field && names.get(field);
    if (field === undefined) fault(() => unknownName(name, known));
    else if (other !== undefined) fault(() => `${name}: says the same as ${other}; give one of them`);
    else {
      names.set(field, name);
      found[field] = value;
    }
  }
  const { category, typeId, ...fields } = found;
  const isType = category !== undefined && typeId !== undefined;
  if (isType && fields.types === undefined)
    fields.types = [{ associationCategory: category, associationTypeId: typeIdOf(typeId) }];
  else if (isType) fault(() => `${names.get('typeId')}: says a type beside types; give one of them`);
  else if (typeId !== undefined) fault(() => `${names.get('typeId')}: a type needs a category, too`);
  else if (category !== undefined) fault(() => `${names.get('category')}: a type needs a typeId, too`);
  if (more > 0) faults.push(`fields: ${more} more faults`);
  return { fields, faults };
}

function unknownName(name: string, known: readonly Field[]): string {
  const field = fieldMeant(name);
  const place = quote(name).slice(1, -1); // in a terminal, too
  return field
    ? `${place}: did you mean ${field}?`
    : `${place}: an association has no such field (but ${known.join(', ')})`;
}

type Understood =
  | { readonly association: Association; readonly faults?: undefined }
  | { readonly faults: readonly string[]; readonly association?: undefined };

/** The association under the names of its fields, or everything that is wrong with it. */
export function understand(given: Association): Understood {
  if (typeof given !== 'object') return { faults: associationFaults(given) };
  const { fields, faults } = readFields(given);
  const association = fields as Association;
  return faults.length === 0 ? { association } : { faults: [...faults, ...associationFaults(association)] };
}
