/** Bars, sparklines, wrapped and cut text for a terminal. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bar, clip, sparkline, width, wrap } from '../../../../src/dashboard/terminal/glyphs.js';
import { harmless } from '../../../../src/shared/runtime/text.js';
import { paint, plain } from '../../../support/terminal.js';

describe('glyphs', () => {
  test.each([
    [0, '', '░░░░'],
    [0.5, '██', '░░'],
    [0.53, '██▏', '░'],
    [1, '████', ''],
    [7, '████', ''],
  ])('a bar of %p', (share, full, empty) => {
    expect(bar(share, 4)).toEqual([full, empty]);
  });

  test('a sparkline: the highest fills it, the least above nothing shows', () => {
    expect(sparkline([0, 1, 500, 1_000], 2)).toEqual(['   █', ' ▁██']);
    expect(sparkline([0, 0], 1)).toEqual(['  ']);
  });

  test('wrapped between words; a word that is too long, within it', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('日本語 abcdefgh', 5)).toEqual(['日本', '語', 'abcde', 'fgh']);
    expect(wrap('', 5)).toEqual(['']);
  });

  test('text that is cut ends in an ellipsis, with its colours', () => {
    expect(clip('abcdef', 4)).toBe('abc…');
    expect(clip('日本語', 4)).toBe('日…');
    expect(clip(paint('abcdef', 'red'), 4)).toBe('\x1b[31mabc\x1b[39m…');
    expect(clip('abc', 3)).toBe('abc');
    expect(width(harmless('a\x1b[31mb'))).toBe(7);
  });

  test('no character that is seen as one is cut in two', () => {
    expect(clip('ab👍🏽cd', 4)).toBe('ab…');
    expect(clip('ab👍🏽cd', 5)).toBe('ab👍🏽…');
    expect(clip('e\u0301e\u0301e\u0301', 2)).toBe('e\u0301…');
    expect(clip('日a', 2)).toBe('…');
  });

  test('whatever the text, what is cut or wrapped has the width that is asked for', () => {
    const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' })).map(harmless);
    fc.assert(
      fc.property(text, text, fc.integer({ min: 0, max: 40 }), (one, other, columns) => {
        expect(width(clip(paint(one, 'red', 'bold') + other, columns))).toBeLessThanOrEqual(columns);
      }),
      { numRuns: 1_000 },
    );
    fc.assert(
      fc.property(fc.string().map(harmless), fc.integer({ min: 2, max: 40 }), (words, columns) => {
        for (const line of wrap(words, columns)) expect(width(line)).toBeLessThanOrEqual(columns);
      }),
    );
  });

  test('colours on a terminal only, and none around nothing', () => {
    expect(paint('a', 'red', 'bold')).toBe('\x1b[1m\x1b[31ma\x1b[39m\x1b[22m');
    expect(plain('a', 'red', 'bold')).toBe('a');
    expect(paint('', 'red')).toBe('');
  });
});
