/**
 * The encoding of a file: from its byte order mark, from the option, or from its first bytes. Pure.
 * A byte order mark always counts, so that the files that we write are read again whatever the options say.
 */
import { quote } from '../../shared/contract/record-id.js';

/** Bytes from which the encoding can be told. */
export const HEAD_BYTES = 4;
const UTF_8 = 'utf-8';

const UTF_8_MARK = [0xef, 0xbb, 0xbf];
const MARKS: readonly (readonly [encoding: string, bytes: readonly number[]])[] = [
  [UTF_8, UTF_8_MARK],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];
/** First bytes of files that are no text, and the remedy. */
const NO_TEXT: readonly (readonly [bytes: readonly number[], words: string])[] = [
  [[0x50, 0x4b, 0x03, 0x04], 'is an Excel workbook or another zip file: save it as "CSV UTF-8"'],
  [[0xd0, 0xcf, 0x11, 0xe0], 'is an Excel workbook: save it as "CSV UTF-8"'],
  [[0x1f, 0x8b], 'is compressed: unpack it'],
];

/** @returns true if the file is UTF-8 without a byte order mark, which programs and people may take for something else */
export const isPlain = (head: Uint8Array, given?: string): boolean =>
  given === undefined && encodingOf(head) === UTF_8 && !startsWith(head, UTF_8_MARK);

/** @param head the first bytes, at least {@link HEAD_BYTES} unless the file is shorter */
export function encodingOf(head: Uint8Array, given?: string): string {
  const marked = MARKS.find(([, bytes]) => startsWith(head, bytes));
  if (marked) return marked[0];
  if (given !== undefined) return given;
  // a header is ASCII: in UTF-16 every other byte is 0
  if (head.length >= HEAD_BYTES && head[0] && !head[1] && head[2] && !head[3]) return 'utf-16le';
  if (head.length >= HEAD_BYTES && !head[0] && head[1] && !head[2] && head[3]) return 'utf-16be';
  return UTF_8;
}

/** @returns why these are not the first bytes of a text */
export const notText = (head: Uint8Array): string | undefined =>
  NO_TEXT.find(([bytes]) => startsWith(head, bytes))?.[1];

export function encodingProblem(name: string): string | undefined {
  try {
    new TextDecoder(name);
    return undefined;
  } catch {
    return `${quote(name)} is not an encoding (such as utf-8, utf-16le, latin1, windows-1252)`;
  }
}

const startsWith = (head: Uint8Array, bytes: readonly number[]): boolean =>
  bytes.every((byte, at) => head[at] === byte);

/** What a decoder writes for a byte that the encoding does not have. */
export const UNDECODED = '\ufffd';
/** The end of a message about such a byte. */
export const ENCODING_REMEDY =
  'save the file as UTF-8 ("CSV UTF-8" in Excel), or name its encoding (such as --encoding windows-1252)';
