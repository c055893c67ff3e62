/**
 * Text from elsewhere (record ids, HubSpot's words, data of jobs, lines of files) on its way to a reader. A terminal obeys
 * control characters, C1 ones too, and characters that turn the direction of writing or are not seen at all let a text
 * pass for another one. Data stays as it is: this is for the eye. Pure, and without imports: the web page has it, too.
 */

/** Controls, formatting characters that are not seen (bidi, zero-width, tags, BOM), line separators, lone surrogates. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** In JSON controls up to U+001F are escaped already, and line breaks stand between its parts. */
const UNSEEN_IN_JSON = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** What no reader and no database takes well: controls (NUL among them), and halves of characters. */
const NO_TEXT = /[\p{Cc}\p{Cs}]/gu;

/** Somebody else's words as they enter our data: well-formed, without controls, at most so many code points. */
export function enteringWords(text: string, most: number): string {
  // no more is looked at than can stay: an answer may be of many megabytes
  const some = Array.from(text.length > most ? text.slice(0, 2 * most + 1) : text);
  const cut = some.length > most ? `${some.slice(0, most - 1).join('')}…` : some.join('');
  return cut.replace(NO_TEXT, ' ');
}

/** As one line that says what it looks like. */
export const harmless = (text: string): string => text.replace(UNSEEN, ' ');

/** Line breaks are ours. */
export const harmlessLines = (text: string): string => text.split('\n').map(harmless).join('\n');

/** JSON text, one document or many, that means the same and moves no terminal. */
export const harmlessJson = (json: string): string => json.replace(UNSEEN_IN_JSON, escaped);

const escaped = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');
