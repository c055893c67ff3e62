/**
 * The cells of one CSV record (RFC 4180). Pure.
 * HubSpot's exports quote every cell, and csv-parse takes about 15 µs for such a line. So a well-formed record is read
 * here, in a tenth of that; csv-parse reads the others, and says what is wrong with them. Excel's text form (`="0101"`) is
 * well-formed.
 */
import { parse } from 'csv-parse/sync';
import { messageOf } from '../../shared/contract/errors.js';

export type Cells =
  | { readonly cells: string[]; readonly fault?: undefined }
  | { readonly fault: string; readonly cells?: undefined };

/** @param text one record; several physical lines if a quoted cell has line breaks */
export function cellsOf(text: string, delimiter: string): Cells {
  const read = text.includes('"') ? wellFormedCells(text, delimiter) : text.split(delimiter);
  if (read) return { cells: read };
  try {
    const [cells, ...more] = parse(text, { delimiter });
    if (cells && more.length === 0) return { cells };
    return { fault: 'not one CSV record' };
  } catch (error) {
    return { fault: `not CSV: ${messageOf(error).replace(/ (at|on) line \d+/, '')}` };
  }
}

const QUOTE = 34;

/** @returns undefined unless each cell is quoted as a whole or has no quote */
export function wellFormedCells(text: string, delimiter: string): string[] | undefined {
  const cells: string[] = [];
  for (let at = 0; ; ) {
    const isQuoted = text.charCodeAt(at) === QUOTE;
    const end = isQuoted ? afterQuotes(text, at) : endOf(text, delimiter, at);
    if (isQuoted ? end < text.length && text[end] !== delimiter : !isUnquoted(text.slice(at, end)))
      return undefined;
    cells.push(isQuoted ? text.slice(at + 1, end - 1).replaceAll('""', '"') : text.slice(at, end));
    if (end >= text.length) return end === text.length ? cells : undefined;
    at = end + 1;
  }
}

/** Characters that an unquoted cell cannot have. */
const QUOTED_ONLY = /["\r\n]/;
const EXCEL_TEXT = /^="([^"\r\n]*)"$/;
const isUnquoted = (cell: string): boolean => !QUOTED_ONLY.test(cell) || EXCEL_TEXT.test(cell.trim());

/**
 * @param cell as it was read, with or without quotes around it
 * @returns what it says, without white space around it; `="0101"` tells Excel that 0101 is a text and no number
 */
export function textOf(cell: string): string {
  const text = cell.trim();
  return text.charCodeAt(0) === EQUALS ? (EXCEL_TEXT.exec(text)?.[1] ?? text).trim() : text;
}
const EQUALS = 61;

function endOf(text: string, delimiter: string, from: number): number {
  const end = text.indexOf(delimiter, from);
  return end < 0 ? text.length : end;
}

/** @returns the position after the closing quote; beyond the text if there is none */
function afterQuotes(text: string, from: number): number {
  let close = text.indexOf('"', from + 1);
  while (close >= 0 && text.charCodeAt(close + 1) === QUOTE) close = text.indexOf('"', close + 2);
  return close < 0 ? text.length + 1 : close + 1;
}

/** @returns the cell as it is written into a file */
export const quotedCell = (cell: string, delimiter: string): string =>
  cell.includes(delimiter) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
