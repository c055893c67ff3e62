/**
 * A record id decides what happens to its association, so that a CSV file can request every kind of failure without a
 * script. No other file knows these conventions; `--help` shows the text.
 */

export const CONVENTIONS = [
  ['999… (9 to 19 digits)', 'the record does not exist: OBJECT_NOT_FOUND, names the id'],
  ['998… (9 to 19 digits)', 'the record has too many associations: an error that names no id'],
  ['997… (9 to 19 digits)', 'accepted without effect: 2xx, in neither list, nothing written'],
  ['anything but 1 to 19 digits', 'not an id: VALIDATION_ERROR / INVALID_IDENTIFIER, names the id'],
  ['from = to, same object type', 'cannot be associated to itself: an error without context'],
  ['listed in the option "missing"', 'the record does not exist, as 999…'],
  ['every other number', 'the record exists'],
] as const;

export const CONVENTIONS_TEXT = [
  'The record ids decide what happens to an association:',
  ...CONVENTIONS.map(([id, effect]) => `  ${id.padEnd(32)}${effect}`),
].join('\n');

export type IdFate = 'exists' | 'missing' | 'crowded' | 'ignored' | 'malformed';

const NUMBER = /^\d{1,19}$/;
const MARKED = 9;
const FATE_BY_MARK: Record<string, IdFate> = { '999': 'missing', '998': 'crowded', '997': 'ignored' };

/** Called for both ids of every input: no allocation for an ordinary id. */
export function fateOf(id: string, missing: ReadonlySet<string>): IdFate {
  if (!NUMBER.test(id)) return 'malformed';
  if (missing.size > 0 && missing.has(id)) return 'missing';
  return id.length >= MARKED && id.startsWith('99') ? (FATE_BY_MARK[id.slice(0, 3)] ?? 'exists') : 'exists';
}
