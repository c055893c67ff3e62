/** Text from elsewhere on its way to a terminal, a log or a job. */
import { expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { createLogger } from '../../../../src/shared/runtime/logger.js';
import { enteringWords, harmless, harmlessJson, harmlessLines } from '../../../../src/shared/runtime/text.js';

/** Characters that a terminal obeys, and characters that reverse or hide text. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\x1b[2J', '\x1b]0;t\x07', '\u009b31m', '\u0085', '\u202e', '\u2066', '\u200f', '\u061c'),
    fc.constantFrom('\u{e0041}', '\ud800', '\ufeff', '\u2028', '\r', '\n', '"', '\\', 'é', '日', '👍'),
    fc.string({ unit: 'binary', maxLength: 3 }),
  ),
});

test('foreign text in one line moves no terminal and keeps its visible characters', () => {
  expect(harmless('12\x1b[31m34\u009b2J \u202e56\u2066é日👍')).toBe('12 [31m34 2J  56 é日👍');
  expect(harmlessLines('a\x07\nb\u2028')).toBe('a \nb ');
  fc.assert(fc.property(hostile, text => !UNSEEN.test(harmless(text))));
});

test('foreign text in JSON moves no terminal and means the same', () => {
  expect(harmlessJson('{"id":"1\u009b\u{e0041}\u202e"}')).toBe('{"id":"1\\u009b\\udb40\\udc41\\u202e"}');
  fc.assert(
    fc.property(hostile, hostile, (key, text) => {
      for (const indent of [0, 2]) {
        const value = { [`_${key}`]: [text] };
        const json = harmlessJson(JSON.stringify(value, null, indent));
        expect(json.replaceAll('\n', '')).not.toMatch(UNSEEN);
        expect(JSON.parse(json)).toEqual(value);
      }
    }),
  );
});

test('foreign text in a log line moves no terminal', () => {
  const lines: string[] = [];
  const logger = createLogger('info', 'test', { destination: { write: line => void lines.push(line) } });
  logger.info({ path: '/\u009b31m\u202e' }, 'said \u0090by somebody\x1b');
  expect(lines[0]?.trimEnd()).not.toMatch(UNSEEN);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    path: '/\u009b31m\u202e',
    msg: 'said \u0090by somebody\x1b',
  });
});

it('words from outside enter well-formed, without controls, cut by code points', () => {
  expect(enteringWords('a\u0000b\ud800c\u009bd', 100)).toBe('a b c d');
  const emoji = '😀'.repeat(600);
  expect(enteringWords(emoji, 500)).toBe(`${'😀'.repeat(499)}…`);
  expect(enteringWords(`${'x'.repeat(498)}😀y`, 500)).toBe(`${'x'.repeat(498)}😀y`);
  expect(enteringWords('x'.repeat(1e7), 5)).toBe('xxxx…');
});
