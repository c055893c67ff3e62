/** The character between the cells of a CSV file. Pure. */
import { cellsOf } from './cells.js';

const CANDIDATES = [',', ';', '\t', '|'] as const;
/** A first line that Excel writes and reads. */
const EXCEL_LINE = /^"?sep=(.)"?$/i;

/** @returns the character that a line `sep=;` announces */
export const announcedDelimiter = (line: string): string | undefined => EXCEL_LINE.exec(line.trim())?.[1];

/**
 * @param isKnown tells whether a cell is the name of a column that we read: a note may have any character
 * @returns the delimiter that gives the header the most known columns, then the most cells
 */
export function detectedDelimiter(header: string, isKnown: (cell: string) => boolean): string {
  let best = { delimiter: ',', known: 0, cells: 1 };
  for (const delimiter of CANDIDATES) {
    const cells = cellsOf(header, delimiter).cells ?? [];
    const known = cells.filter(isKnown).length;
    if (known > best.known || (known === best.known && cells.length > best.cells))
      best = { delimiter, known, cells: cells.length };
  }
  return best.delimiter;
}
