/** Bars, sparklines and text that fits, for a terminal. Pure. */

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan';
const CODES: Readonly<Record<Style, number>> = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  cyan: 36,
};
/** Colours where they are wanted; the text alone says everything, too. */
export type Paint = (text: string, ...styles: readonly Style[]) => string;
export const paint: Paint = (text, ...styles) =>
  text === '' ? '' : `\x1b[${styles.map(style => CODES[style]).join(';')}m${text}\x1b[0m`;
export const plain: Paint = text => text;

// biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours
const PIECES = /\x1b\[[\d;]*m|./gsu;
const isColour = (piece: string): boolean => piece.startsWith('\x1b');
/** East Asian characters and emoji take two columns; marks that combine, none. */
const columnsOf = (character: string): number => {
  if (/\p{Mark}/u.test(character)) return 0;
  const code = character.codePointAt(0) ?? 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    code >= 0x1f300;
  return wide ? 2 : 1;
};

/** Columns that the text takes; colours take none. */
export function width(text: string): number {
  let columns = 0;
  for (const piece of text.match(PIECES) ?? []) columns += isColour(piece) ? 0 : columnsOf(piece);
  return columns;
}

/** At most so many columns; what is cut off ends in an ellipsis. Colours are kept, and closed. */
export function clip(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let taken = '';
  let left = columns - 1;
  for (const piece of text.match(PIECES) ?? []) {
    if (isColour(piece)) taken += piece;
    else if (columnsOf(piece) <= left) {
      taken += piece;
      left -= columnsOf(piece);
    } else left = 0;
  }
  return columns <= 0 ? '' : `${taken}…`;
}

/** Lines of at most so many columns, broken between words where that can be. For text without colours. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (width(longer) <= columns) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = '';
    for (const piece of word.match(PIECES) ?? []) {
      if (width(line + piece) > columns) {
        lines.push(line);
        line = '';
      }
      line += piece;
    }
  }
  return [...lines, line];
}

export const padEnd = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - width(text)));

const PARTS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
/** Filled to an eighth of a column. @param share 0…1 @returns the full and the empty part */
export function bar(share: number, columns: number): [full: string, empty: string] {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * columns * 8);
  const full = '█'.repeat(Math.floor(eighths / 8)) + (PARTS[eighths % 8] ?? '');
  return [full, '░'.repeat(columns - full.length)];
}

const LEVELS = ' ▁▂▃▄▅▆▇█';
/** Columns of several rows each, highest row first; anything above nothing shows. */
export function sparkline(values: readonly number[], rows: number): string[] {
  const top = Math.max(...values, Number.MIN_VALUE);
  const heights = values.map(value => (value <= 0 ? 0 : Math.max(1, Math.round((value / top) * rows * 8))));
  return Array.from({ length: rows }, (_, row) => {
    const below = (rows - 1 - row) * 8;
    return heights.map(height => LEVELS[Math.min(8, Math.max(0, height - below))]).join('');
  });
}
