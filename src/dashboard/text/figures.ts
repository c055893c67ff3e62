/** Formats numbers, durations, times and tables for people. Pure. */

const integerFormat = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const decimalFormat = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

/** `1,234,567` */
export const count = (value: number): string => integerFormat.format(value);
/** `1,987.4` */
export const mean = (value: number): string => decimalFormat.format(value);
/** `1 job`, `1,200 jobs` */
export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** The two largest units: `45 s`, `3 min 20 s`, `2 h 5 min`, `4 d 1 h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const units = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3_600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const;
  const first = units.findIndex(([amount]) => amount > 0);
  if (first < 0) return '0 s';
  return units
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}

/** `2026-11-23 14:05:00 UTC` */
export const moment = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** `14:05 UTC`; with the date if the time is not within hours of `now` */
export const clockAt =
  (now: number) =>
  (ms: number): string => {
    if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return '–'; // outside the range of dates
    const text = `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
    return Math.abs(ms - now) < FAR_MS ? text.slice(-9) : text;
  };
const FAR_MS = 20 * 3_600_000;

/** Aligns the columns of rows; columns in `right` are aligned to the right. */
export function aligned(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  return rows.map(row =>
    row
      .map((cell, at) => (right.has(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
