/**
 * Makes foreign text (record ids, HubSpot's words, job data, lines of files) safe to display, and to copy into a shell. A
 * terminal obeys control characters, C1 ones included, and characters that are invisible or change the writing direction
 * make a text look like another one. Stored data is not changed. Pure and without imports, because the web page uses it as
 * well.
 */

/** Control characters, invisible formatting characters (bidi, zero-width, tags, BOM), line separators, lone surrogates. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** The same for JSON text, in which controls up to U+001F are escaped already and line breaks are allowed. */
const UNSEEN_IN_JSON = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Characters that break readers and databases: control characters, including NUL, and lone surrogates. */
const NO_TEXT = /[\p{Cc}\p{Cs}]/gu;

/** @returns foreign words as we store them: well-formed, without control characters, at most `most` code points */
export function enteringWords(text: string, most: number): string {
  // read no more than can be kept: an answer may have many megabytes
  const some = Array.from(text.length > most ? text.slice(0, 2 * most + 1) : text);
  const cut = some.length > most ? `${some.slice(0, most - 1).join('')}…` : some.join('');
  return cut.replace(NO_TEXT, ' ');
}

/** @returns one line with blanks instead of invisible characters */
export const harmless = (text: string): string => text.replace(UNSEEN, ' ');

/** Like {@link harmless}, but keeps line breaks. */
export const harmlessLines = (text: string): string => text.split('\n').map(harmless).join('\n');

/** Escapes invisible characters in JSON text (one or more documents): the same meaning, safe in a terminal. */
export const harmlessJson = (json: string): string => json.replace(UNSEEN_IN_JSON, escaped);

/** @returns the text as one word of a command that a person copies into a shell */
export const shellWord = (text: string): string =>
  /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

const escaped = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');
