/**
 * The field names of an association in the library, in files and in the gateway. HubSpot's names are accepted as well as
 * ours. Any other name is refused: the caller meant something by it, and without it the worker might create another
 * association, HubSpot's default. Pure.
 */
import { type Association, typeIdOf } from './association.js';
import { didYouMean, meant } from './did-you-mean.js';
import { quote } from './record-id.js';

/** `category` and `typeId` together stand for a list of one type. */
export type Field = keyof Association | 'category' | 'typeId';
/** The fields of an association, not validated; an absent field is undefined. */
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
/** HubSpot's names in its API and in its exports. */
const OTHER_NAMES = {
  associationCategory: 'category',
  associationTypeId: 'typeId',
  associationLabel: 'label',
} as const;
/** Refused names that are ambiguous, and the field that they probably mean. */
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

/** Case, spaces, `_` and `-` do not matter: `Type ID` and `type_id` are typeId. */
const squeezed = (name: string): string => name.toLowerCase().replace(/[\s_-]/g, '');

const fieldsByName = new Map<string, Field>([
  ...FIELDS.map((field): [string, Field] => [squeezed(field), field]),
  ...Object.entries(OTHER_NAMES).map(([name, field]): [string, Field] => [squeezed(name), field]),
]);

export const fieldNamed = (name: string): Field | undefined => fieldsByName.get(squeezed(name));

/** @returns the field that an unknown name probably means */
export function fieldMeant(name: string, fields: readonly Field[] = FIELDS): Field | undefined {
  const text = squeezed(name);
  const hint = HINTS[text];
  if (hint && fields.includes(hint)) return hint;
  // a short name has many neighbours; from and to are short names
  if (text.length < 4) return undefined;
  return meant(
    text,
    fields.filter(field => field !== 'from' && field !== 'to'),
  );
}

/** @returns true if all fields have our names. That is nearly always so, and then nothing needs to be
 * renamed. It runs millions of times; a chain of comparisons is faster than a switch. */
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

/** Most faults that are described: describing a fault costs more than reading its field. */
const MAX_LISTED = 20;

/**
 * Reads the fields under our names, with a fault for each unknown name. An undefined field counts as absent.
 * @param known the fields that a fault suggests
 * @param listed most faults that are described; one more fault counts the others
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
  const place = quote(name).slice(1, -1); // safe in a terminal
  return field
    ? `${place}${didYouMean(field)}`
    : `${place}: an association has no such field (but ${known.join(', ')})`;
}
