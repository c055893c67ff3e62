/** The cells of one CSV record (RFC 4180). Pure. */
import { parse } from 'csv-parse/sync';
import { messageOf } from '../../shared/contract/errors.js';

export type Cells =
  | { readonly cells: string[]; readonly fault?: undefined }
  | { readonly fault: string; readonly cells?: undefined };

/** @param text one record; several physical lines if a quoted cell has line breaks */
export function cellsOf(text: string, delimiter: string): Cells {
  if (!text.includes('"')) return { cells: text.split(delimiter) };
  try {
    const [cells, ...more] = parse(text, { delimiter });
    if (cells && more.length === 0) return { cells };
    return { fault: 'not one CSV record' };
  } catch (error) {
    return { fault: `not CSV: ${messageOf(error).replace(/ (at|on) line \d+/, '')}` };
  }
}

/** @returns the cell as it is written into a file */
export const quotedCell = (cell: string, delimiter: string): string =>
  cell.includes(delimiter) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
