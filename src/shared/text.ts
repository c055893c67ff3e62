/**
 * Text from elsewhere (record ids, HubSpot's words, data of jobs, lines of files) on its way to a reader. A terminal obeys
 * control characters, C1 ones too, and characters that turn the direction of writing or are not seen at all let a text
 * pass for another one. Data stays as it is: this is for the eye. Pure, and without imports: the web page has it, too.
 */

/** Controls, formatting characters that are not seen (bidi, zero-width, tags, BOM), line separators, lone surrogates. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** In JSON controls up to U+001F are escaped already, and line breaks stand between its parts. */
const UNSEEN_IN_JSON = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

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
