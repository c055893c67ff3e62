/**
 * Splits a stream of bytes into physical lines, in constant memory whatever the input.
 * Responsible for the encoding across chunks, a byte order mark, LF, CRLF and CR, a last line without a line break, and
 * endless lines. Not responsible for the content of a line.
 */
import { ConfigError } from '../../shared/contract/errors.js';
import { encodingOf, HEAD_BYTES, isPlain, notText } from './encoding.js';

/** Longest line. A longer one is cut one character above this limit, so that the parser detects and refuses it. */
export const MAX_LINE_LENGTH = 1_048_576;

export type LineChunk = {
  /** physical number of `lines[0]`, from 1 */
  firstLine: number;
  lines: string[];
  /** UTF-8 without a byte order mark */
  isPlain: boolean;
  /** under its usual name */
  encoding: string;
  /** bytes of the input read so far */
  bytesRead: number;
};

/**
 * @param encoding of an input without a byte order mark; without it, UTF-8 or UTF-16 is detected
 * @throws ConfigError if the input is no text
 */
export async function* readLines(
  input: AsyncIterable<Uint8Array>,
  encoding?: string,
): AsyncGenerator<LineChunk> {
  const decoder = new HeadDecoder(encoding);
  let firstLine = 1;
  let bytesRead = 0;
  let rest = '';
  let lineEnd: string | undefined;
  for await (const bytes of input) {
    bytesRead += bytes.length;
    rest += decoder.decode(bytes);
    lineEnd ??= lineEndOf(rest);
    if (lineEnd === undefined) {
      rest = rest.slice(0, MAX_LINE_LENGTH + 1);
      continue;
    }
    const lines = rest.split(lineEnd);
    rest = (lines.pop() ?? '').slice(0, MAX_LINE_LENGTH + 1);
    if (lines.length === 0) continue;
    yield { firstLine, lines: lines.map(withoutReturn), ...decoder.found, bytesRead };
    firstLine += lines.length;
  }
  // a file of a few bytes is decoded only now
  const lines = (rest + decoder.end()).split(lineEnd ?? '\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > 0) yield { firstLine, lines: lines.map(withoutReturn), ...decoder.found, bytesRead };
}

/** Old programs for the Macintosh end lines with CR alone. @returns undefined while no line has ended for sure */
const lineEndOf = (text: string): string | undefined => /\n|\r(?=[^\n])/.exec(text)?.[0];

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);

/** Decodes bytes once the first of them have told the encoding. */
class HeadDecoder {
  readonly #given: string | undefined;
  #head = new Uint8Array(0);
  #decoder: InstanceType<typeof TextDecoder> | undefined;

  constructor(given: string | undefined) {
    this.#given = given;
  }

  get found(): Pick<LineChunk, 'isPlain' | 'encoding'> {
    return { isPlain: isPlain(this.#head, this.#given), encoding: this.#decoder?.encoding ?? '' };
  }

  decode(bytes: Uint8Array): string {
    if (this.#decoder) return this.#decoder.decode(bytes, { stream: true });
    const head = Uint8Array.from([...this.#head, ...bytes.subarray(0, HEAD_BYTES - this.#head.length)]);
    const others = bytes.subarray(head.length - this.#head.length);
    this.#head = head;
    if (head.length < HEAD_BYTES) return '';
    const decoder = this.#open();
    return decoder.decode(head, { stream: true }) + decoder.decode(others, { stream: true });
  }

  end(): string {
    if (this.#decoder) return this.#decoder.decode();
    return this.#open().decode(this.#head);
  }

  /** It drops the byte order mark. */
  #open(): InstanceType<typeof TextDecoder> {
    const problem = notText(this.#head);
    if (problem) throw new ConfigError([`the file ${problem}`]);
    this.#decoder = new TextDecoder(encodingOf(this.#head, this.#given));
    return this.#decoder;
  }
}
