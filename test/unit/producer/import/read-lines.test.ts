/** From bytes to numbered lines. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_LINE_LENGTH, readLines } from '../../../../src/producer/import/read-lines.js';

describe('readLines', () => {
  async function* inChunks(bytes: Uint8Array, size: number) {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const linesOf = async (bytes: Uint8Array, size: number, encoding?: string) => {
    const lines: [number, string][] = [];
    for await (const { firstLine, lines: texts } of readLines(inChunks(bytes, size), encoding))
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

  it.each([
    ['utf-16le', [0xff, 0xfe], 'utf16le'],
    ['UTF-16 without a mark', [], 'utf16le'],
    ['utf-8', [0xef, 0xbb, 0xbf], 'utf8'],
    ['Latin-1', [], 'latin1'],
  ] as const)('detects %s, or is told it', async (name, mark, encoding) => {
    const bytes = Buffer.concat([Buffer.from(mark), Buffer.from('from,to\r\né1,2\r\n', encoding)]);
    const given = name === 'Latin-1' ? 'latin1' : undefined;
    for (const size of [1, 3, 100])
      expect(await linesOf(bytes, size, given)).toEqual([
        [1, 'from,to'],
        [2, 'é1,2'],
      ]);
    const swapped =
      encoding === 'utf16le' ? Uint8Array.from(bytes).map((_, at) => bytes[at ^ 1] ?? 0) : bytes;
    expect(await linesOf(swapped, 7, given)).toEqual([
      [1, 'from,to'],
      [2, 'é1,2'],
    ]);
  });

  it('a byte order mark counts more than what is told; Windows-1252 has its own characters', async () => {
    expect(await linesOf(Buffer.from('\uFEFFé,1'), 2, 'windows-1252')).toEqual([[1, 'é,1']]);
    expect(await linesOf(Uint8Array.from([0x80, 0x2c, 0x92, 0x20, 0xe9]), 2, 'windows-1252')).toEqual([
      [1, '€,’ é'],
    ]);
  });

  it('splits lines that end with CR alone', async () => {
    const bytes = Buffer.from('from,to\r1,2\r3,4\r');
    for (const size of [1, 8, 100])
      expect(await linesOf(bytes, size)).toEqual([
        [1, 'from,to'],
        [2, '1,2'],
        [3, '3,4'],
      ]);
  });

  it.each([
    [[0x50, 0x4b, 0x03, 0x04, 0x14], /is an Excel workbook or another zip file: save it as "CSV UTF-8"/],
    [[0xd0, 0xcf, 0x11, 0xe0, 0xa1], /is an Excel workbook/],
    [[0x1f, 0x8b, 0x08, 0x00, 0x00], /is compressed: unpack it/],
  ])('refuses what is no text: %j', async (bytes, words) => {
    await expect(linesOf(Uint8Array.from(bytes), 2)).rejects.toThrow(words);
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
