/**
 * Record ids, and the other short texts that callers hand over: what may stand in them, and the one form of an id.
 * Pure.
 */

/** Control characters (C0, DEL, C1) and halves of a surrogate pair; every pattern is read with the flag `u`. */
const UNPRINTABLE = '\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff';
/** Invisible characters: they change the order of what is shown, or have no width. */
const INVISIBLE = '\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff';

// Whether an id exists, and whether it is numeric, is HubSpot's to say: its reason ends up beside the association.
// Only what cannot be an id at all is refused here.
export const ID_PATTERN = `^[^\\s${UNPRINTABLE}${INVISIBLE}]{1,128}$`;
/** Labels, and `source` and `requestId` where a producer enters them: a line of well-formed text. */
export const TEXT_PATTERN = `^[^${UNPRINTABLE}]*$`;
/** Free text of a job: no half of a surrogate pair. */
export const WELL_FORMED_PATTERN = '^[^\\ud800-\\udfff]*$';

const idPattern = new RegExp(ID_PATTERN, 'u');
const textPattern = new RegExp(TEXT_PATTERN, 'u');

/** Is it well-formed Unicode without control characters? */
export const isCleanText = (text: string): boolean => textPattern.test(text);

/** What is wrong with a record id, or undefined. */
export function recordIdFault(id: unknown): string | undefined {
  if (typeof id === 'string') return idPattern.test(id) ? undefined : `${quote(id)} is not a record id`;
  if (typeof id !== 'number') return `${quote(id)} is not a record id (a string or an integer)`;
  if (!Number.isInteger(id) || id < 0) return `${id} is not a record id`;
  return Number.isSafeInteger(id) ? undefined : `${id} is too large for a number: give the id as a string`;
}

/** The one form of a record id, as {@link canonicalId} has it; undefined: it is none. It is asked millions of times. */
export function readRecordId(id: unknown): string | undefined {
  if (typeof id === 'number') return Number.isSafeInteger(id) && id >= 0 ? String(id) : undefined;
  if (typeof id === 'string' && PLAIN.test(id)) return id;
  return recordIdFault(id) === undefined ? canonicalId(id as string) : undefined;
}

/** Nearly every id. (A loop over the characters takes twice as long.) */
const PLAIN = /^[1-9]\d{0,19}$/;
const ZERO = 48;

/** The one form of an id: `0101`, `101` and 101 are one record. Anything but plain digits stands for itself. */
export const canonicalId = (id: string | number): string =>
  typeof id === 'number' ? String(id) : isCanonical(id) ? id : id.replace(LEADING_ZEROS, '');

const LEADING_ZEROS = /^0+(?=\d+$)/;

/** False: it may have leading zeros. */
export const isCanonical = (id: string): boolean => id.charCodeAt(0) !== ZERO || id.length === 1;

/** As faults repeat a value: JSON, cut where it is long. */
export const quote = (value: unknown): string => {
  const text = jsonOf(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77).toWellFormed()}…` : text;
};

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined; // a bigint, or an object that holds itself
  }
}
