/**
 * Writes lines of a file in the file's own format, each with the number of its line and an error: columns `line` and
 * `error` before the others, or the field `error`. `enqueue` reads such a file again and ignores both. Pure.
 */
import { cellsOf, quotedCell } from './cells.js';
import { ID_SEPARATOR } from './ids.js';
import type { FileLayout, Layout } from './line.js';

/** What is written about a line. */
export type LineError = {
  readonly line: number;
  /** as in the file */
  readonly text: string;
  readonly message: string;
  /** further fields of the error, for NDJSON */
  readonly error?: Readonly<Record<string, unknown>>;
  /** the only ids to keep of the cells that have several; absent: the line as it is */
  readonly ids?: { readonly from: readonly string[]; readonly to: readonly string[] };
};

/**
 * @returns the beginning of the file: its header with its line break, none for NDJSON. What we write is UTF-8, with a byte
 * order mark unless the file was plain UTF-8: Excel needs it, and it wins over --encoding when the file is read again.
 */
export function headerText(layout: FileLayout): string {
  const mark = layout.isPlain ? '' : '\ufeff';
  if (layout.format === 'ndjson') return mark;
  const { header, delimiter } = layout;
  return `${mark}${[...OURS, ...header.slice(oursIn(header))].map(cell => quotedCell(cell, delimiter)).join(delimiter)}\n`;
}

/** @returns the line with its line break */
export const lineText = (layout: Layout, given: LineError): string =>
  `${layout.format === 'csv' ? csvLine(layout, given) : ndjsonLine(given)}\n`;

const OURS = ['line', 'error'] as const;
/** @returns how many columns of the header we have written ourselves, in an earlier round */
const oursIn = ([first, second]: readonly string[]): number =>
  first === OURS[0] && second === OURS[1] ? OURS.length : 0;

function csvLine(layout: Layout & { format: 'csv' }, { line, text, message, ids }: LineError): string {
  const { header, delimiter } = layout;
  const before = [String(line), quotedCell(message, delimiter)];
  const ours = oursIn(header);
  if (ours === 0 && !ids) return [...before, text].join(delimiter);
  const { cells } = cellsOf(text, delimiter);
  // a line that cannot be read stays as it is
  if (!cells) return [...before, text].join(delimiter);
  if (ids) {
    cells[layout.from] = ids.from.join(ID_SEPARATOR);
    cells[layout.to] = ids.to.join(ID_SEPARATOR);
  }
  return [...before, ...cells.slice(ours).map(cell => quotedCell(cell, delimiter))].join(delimiter);
}

/** The text stays as it is, because reading and writing it again would change large numbers: JSON takes the last `error`. */
function ndjsonLine({ line, text, message, error, ids }: LineError): string {
  const about = { line, message, ...error };
  const given = jsonObject(text);
  if (!given) return JSON.stringify({ error: { ...about, text } });
  if (ids) return JSON.stringify({ ...given, ...kept(given, ids), error: about });
  const open = text.trim().slice(0, -1).trimEnd();
  return `${open}${open === '{' ? '' : ','}"error":${JSON.stringify(about)}}`;
}

function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** @returns the sides with the ids that are kept, under the line's own names */
function kept(given: Record<string, unknown>, ids: { from: readonly string[]; to: readonly string[] }) {
  const fields: Record<string, string> = {};
  for (const name of Object.keys(given)) {
    const side = name.toLowerCase();
    if (side === 'from' || side === 'to') fields[name] = ids[side].join(ID_SEPARATOR);
  }
  return fields;
}
