/** From bytes to numbered lines. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_LINE_LENGTH, readLines } from '../../../../src/producer/import/read-lines.js';

describe('readLines', () => {
  async function* inChunks(bytes: Uint8Array, size: number) {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const linesOf = async (bytes: Uint8Array, size: number) => {
    const lines: [number, string][] = [];
    for await (const { firstLine, lines: texts } of readLines(inChunks(bytes, size)))
      texts.forEach((text, index) => {
        lines.push([firstLine + index, text]);
      });
    return lines;
  };

  it('numbers physical lines, whatever the chunks, the ends of line and the byte order mark', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.stringMatching(/^[aü€😀, "]{0,6}$/u), { minLength: 1, maxLength: 8 }),
        fc.constantFrom('\n', '\r\n'),
        fc.constantFrom('', '\uFEFF'),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        async (texts, end, mark, endsWithEnd, size) => {
          const bytes = new TextEncoder().encode(mark + texts.join(end) + (endsWithEnd ? end : ''));
          const expected = texts.map((text, index): [number, string] => [index + 1, text]);
          if (!endsWithEnd && texts.at(-1) === '') expected.pop();
          expect(await linesOf(bytes, size)).toEqual(expected);
        },
      ),
    );
  });

  it('cuts a line that does not end, and finds the next one', async () => {
    const bytes = new TextEncoder().encode(`${'x'.repeat(3 * MAX_LINE_LENGTH)}\n1,2`);
    const lines = await linesOf(bytes, 65_536);
    expect(lines.map(([line, text]) => [line, text.slice(0, 3)])).toEqual([
      [1, 'xxx'],
      [2, '1,2'],
    ]);
    expect(lines[0]?.[1].length).toBeLessThanOrEqual(MAX_LINE_LENGTH + 65_537);
    expect(lines[0]?.[1].length).toBeGreaterThan(MAX_LINE_LENGTH);
  });
});
