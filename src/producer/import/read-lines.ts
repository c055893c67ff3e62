/**
 * Splits a stream of bytes into physical lines, in constant memory whatever the input.
 * Responsible for UTF-8 across chunks, a byte order mark, LF and CRLF, a last line without a line break, and endless
 * lines. Not responsible for the content of a line.
 */

/** Longest line. A longer one is cut one character above this limit, so that the parser detects and refuses it. */
export const MAX_LINE_LENGTH = 1_048_576;

export type LineChunk = {
  /** physical number of `lines[0]`, from 1 */
  firstLine: number;
  lines: string[];
  /** bytes of the input read so far */
  bytesRead: number;
};

export async function* readLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<LineChunk> {
  const decoder = new TextDecoder(); // drops the byte order mark
  let firstLine = 1;
  let bytesRead = 0;
  let rest = '';
  for await (const bytes of input) {
    bytesRead += bytes.length;
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_LINE_LENGTH + 1);
    if (lines.length === 0) continue;
    yield { firstLine, lines: lines.map(withoutReturn), bytesRead };
    firstLine += lines.length;
  }
  rest += decoder.decode();
  if (rest !== '') yield { firstLine, lines: [withoutReturn(rest)], bytesRead };
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);
