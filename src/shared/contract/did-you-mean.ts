/**
 * Names that are unknown, and mostly nearly right: of settings, options, commands, fields, columns and labels. Ignored, such a
 * name would silently get a default instead. What is near enough is each caller's to say; the words are the same for all. Pure.
 */
import leven from 'leven';
import { quote } from './record-id.js';

type Nearness = {
  /** how many letters may be added, left out, changed, or swapped with the next one in a known name */
  readonly edits?: (known: string) => number;
  /** the form in which names are compared */
  readonly as?: (name: string) => string;
};

/** The known name that `name` probably means: the nearest one, if it is near enough. */
export function meant<Name extends string>(
  name: string,
  known: readonly Name[],
  { edits = fewEdits, as = inSmallLetters }: Nearness = {},
): Name | undefined {
  const text = as(name);
  const [nearest] = known
    .map(candidate => ({ candidate, distance: distance(text, as(candidate)) }))
    .filter(({ candidate, distance }) => distance <= edits(candidate))
    .toSorted((one, other) => one.distance - other.distance);
  return nearest?.candidate;
}

/** `: did you mean NAME?`, or nothing: the end of a message about an unknown name. */
export const didYouMean = (name: string | undefined): string =>
  name === undefined ? '' : `: did you mean ${name}?`;

/**
 * The fields of an options object that nobody reads: a misspelt option would silently get its default. Values are not quoted,
 * because they may be secrets, also those that stand in the place of an object.
 * @param known an object with the name of every option
 * @param place for the message: `request.`, or ''
 */
export function optionFaults(given: unknown, known: object, place = ''): string[] {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return [`${place.slice(0, -1) || 'options'}: not an object, such as { ${Object.keys(known)[0]} }`];
  return Object.keys(given)
    .filter(name => !Object.hasOwn(known, name))
    .map(name => {
      const names = Object.keys(known);
      const shown = quote(name).slice(1, -1); // safe in a terminal
      return `${place}${shown} is not an option${didYouMean(meant(name, names)) || ` (${names.join(', ')})`}`;
    });
}

export const isNear = (name: string, other: string, edits: number): boolean => distance(name, other) <= edits;

/** Two letters that have changed places, and nothing else, are one slip: leven counts two. */
function distance(name: string, other: string): number {
  const edits = leven(name, other);
  if (edits !== 2 || name.length !== other.length) return edits;
  const at = name.split('').findIndex((letter, index) => letter !== other[index]);
  const swapped = `${other.slice(0, at)}${other[at + 1]}${other[at]}${other.slice(at + 2)}`;
  return name === swapped ? 1 : edits;
}

/** Short names have many neighbours. */
const fewEdits = (known: string): number => (known.length > 5 ? 2 : 1);
const inSmallLetters = (name: string): string => name.toLowerCase();
