/** Colours, bars, sparklines and fitted text for a terminal. Pure, except that it asks the terminal about its colours. */
import { styleText } from 'node:util';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan';
/** Paints text with colours. The text without colours has the same information. */
export type Paint = (text: string, ...styles: readonly Style[]) => string;

/** Paints unless the terminal has no colours or NO_COLOR is set. */
export const painter =
  (stream: NodeJS.WritableStream): Paint =>
  (text, ...styles) =>
    // one by one, because with a list of styles Node 20 ignores the stream
    text === '' ? '' : styles.reduce((painted, style) => styleText(style, painted, { stream }), text);

/** @returns the columns of a text; colours take none, East Asian characters and emoji two */
export const width = (text: string): number => stringWidth(text);

// biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours
const COLOUR = /(\x1b\[[\d;]*m)/;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Truncates a text to the columns, with an ellipsis. Keeps and closes colours. */
export function clip(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  if (columns <= 0) return '';
  let taken = '';
  let left = columns - 1;
  for (const part of text.split(COLOUR)) {
    if (COLOUR.test(part)) taken += part;
    else
      for (const { segment } of graphemes.segment(part)) {
        left = width(segment) <= left ? left - width(segment) : -1;
        if (left >= 0) taken += segment;
      }
  }
  return `${taken}…`;
}

/** Wraps a text to lines of at most this many columns, between words if possible. */
export const wrap = (text: string, columns: number): string[] =>
  wrapAnsi(text, columns, { hard: true }).split('\n');

export const padEnd = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - width(text)));

const PARTS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
/** Draws a bar with a resolution of an eighth of a column. @param share 0…1 @returns the full and the empty part */
export function bar(share: number, columns: number): [full: string, empty: string] {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * columns * 8);
  const full = '█'.repeat(Math.floor(eighths / 8)) + (PARTS[eighths % 8] ?? '');
  return [full, '░'.repeat(columns - full.length)];
}

const LEVELS = ' ▁▂▃▄▅▆▇█';
/** Draws columns of several rows each, highest row first. Any value above 0 is visible. */
export function sparkline(values: readonly number[], rows: number): string[] {
  const top = Math.max(...values, Number.MIN_VALUE);
  const heights = values.map(value => (value <= 0 ? 0 : Math.max(1, Math.round((value / top) * rows * 8))));
  return Array.from({ length: rows }, (_, row) => {
    const below = (rows - 1 - row) * 8;
    return heights.map(height => LEVELS[Math.min(8, Math.max(0, height - below))]).join('');
  });
}
