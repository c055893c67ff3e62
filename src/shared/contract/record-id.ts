/**
 * Validates record ids and other short texts of callers, and defines the canonical form of an id.
 * Pure.
 */

/** Control characters (C0, DEL, C1) and halves of a surrogate pair; all patterns use the flag `u`. */
const UNPRINTABLE = '\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff';
/** Invisible characters: they change the writing direction or have no width. */
const INVISIBLE = '\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff';

// HubSpot decides whether an id exists and must be numeric; its reason is stored with the association. We refuse only
// what cannot be an id at all.
export const LONGEST_ID = 128;
export const ID_PATTERN = `^[^\\s${UNPRINTABLE}${INVISIBLE}]{1,${LONGEST_ID}}$`;
/** Labels, and `source` and `requestId` as producers enter them: a line of well-formed text. */
export const TEXT_PATTERN = `^[^${UNPRINTABLE}]*$`;
/** Free text in a job: no half of a surrogate pair. */
export const WELL_FORMED_PATTERN = '^[^\\ud800-\\udfff]*$';

const idPattern = new RegExp(ID_PATTERN, 'u');
const textPattern = new RegExp(TEXT_PATTERN, 'u');

/** @returns true if the text is well-formed Unicode without control characters */
export const isCleanText = (text: string): boolean => textPattern.test(text);

/** @returns true if the text may be a record id */
export const isRecordId = (text: string): boolean => idPattern.test(text);

/** @returns the fault of a record id; undefined if it is valid */
export function recordIdFault(id: unknown): string | undefined {
  if (typeof id === 'string') return isRecordId(id) ? undefined : `${quote(id)} is not a record id`;
  if (typeof id !== 'number') return `${quote(id)} is not a record id (a string or an integer)`;
  if (!Number.isInteger(id) || id < 0) return `${id} is not a record id`;
  return Number.isSafeInteger(id) ? undefined : `${id} is too large for a number: give the id as a string`;
}

/** @returns the canonical record id (see {@link canonicalId}); undefined if it is invalid. Runs millions of times. */
export function readRecordId(id: unknown): string | undefined {
  if (typeof id === 'number') return Number.isSafeInteger(id) && id >= 0 ? String(id) : undefined;
  if (typeof id === 'string' && PLAIN.test(id)) return id;
  return recordIdFault(id) === undefined ? canonicalId(id as string) : undefined;
}

/** Matches nearly every id. (A loop over the characters takes twice as long.) */
const PLAIN = /^[1-9]\d{0,19}$/;
const ZERO = 48;

/** The canonical form of an id: `0101`, `101` and 101 are the same record. Other texts stay unchanged. */
export const canonicalId = (id: string | number): string =>
  typeof id === 'number' ? String(id) : isCanonical(id) ? id : id.replace(LEADING_ZEROS, '');

const LEADING_ZEROS = /^0+(?=\d+$)/;

/** Digits up to which every integer is exactly one number. */
export const MOST_DIGITS = 15;
const PLAIN_DIGITS = new RegExp(`^0*\\d{1,${MOST_DIGITS}}$`);

/** @returns the number of an id of plain digits; -1 if the id is odd and must stay a text (pairs.ts) */
export const plainId = (id: string): number => (PLAIN_DIGITS.test(id) ? Number(id) : -1);

/** @returns false if the id may have leading zeros */
export const isCanonical = (id: string): boolean => id.charCodeAt(0) !== ZERO || id.length === 1;

/** Quotes a value for a fault: JSON, truncated if it is long. */
export const quote = (value: unknown): string => {
  const text = jsonOf(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77).toWellFormed()}…` : text;
};

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined; // a bigint, or an object that contains itself
  }
}
