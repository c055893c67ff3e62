/** Bars, sparklines, wrapped and cut text for a terminal. */
import { describe, expect, test } from '@jest/globals';
import { bar, clip, paint, sparkline, width, wrap } from '../../../../src/dashboard/terminal/glyphs.js';
import { harmless } from '../../../../src/shared/runtime/text.js';

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
    expect(clip(paint('abcdef', 'red'), 4)).toBe('\x1b[31mabc\x1b[0m…');
    expect(clip('abc', 3)).toBe('abc');
    expect(width(harmless('a\x1b[31mb'))).toBe(7);
  });
});
