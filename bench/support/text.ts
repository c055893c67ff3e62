/** Rows as text: for the terminal while it runs, and for RESULTS.md. Pure. */
import { isReached, median, type Row } from './row.js';

const HEADINGS = ['figure', 'median', 'spread (min – max)', 'n', 'goal', ''] as const;

/** A Markdown table with aligned columns: good to read as it stands. */
export function table(rows: readonly Row[]): string {
  const lines = [HEADINGS, ...rows.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map(line => (line[column] ?? '').length)));
  const text = lines.map(
    line => `| ${line.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join(' | ')} |`,
  );
  const rule = `|${widths.map((width, column) => `${'-'.repeat(width + 1)}${isNumeric(column) ? ':' : '-'}`).join('|')}|`;
  return [text[0], rule, ...text.slice(1)].join('\n');
}

function cells(row: Row): string[] {
  const { what, unit, values, goal } = row;
  if (values.length === 0) return [what, 'skipped', '', '0', '', ''];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const reached = isReached(row);
  return [
    what,
    withUnit(median(values), unit),
    values.length > 1 ? `${figure(least)} – ${figure(most)}` : '',
    String(values.length),
    goal ? `${goal.at === 'least' ? '≥' : '≤'} ${withUnit(goal.value, unit)}` : '',
    reached === undefined ? '' : reached ? 'reached' : 'MISSED',
  ];
}

export const withUnit = (value: number, unit: string): string => `${figure(value)} ${unit}`.trim();

function figure(value: number): string {
  const digits = Math.abs(value) >= 1_000 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  const text = value.toLocaleString('en', { maximumFractionDigits: digits });
  return text === '-0' ? '0' : text;
}

const isNumeric = (column: number): boolean => column >= 1 && column <= 3;
const pad = (text: string, width: number, column: number): string =>
  isNumeric(column) ? text.padStart(width) : text.padEnd(width);
