/**
 * Refused lines, grouped by reason, for a person: a file with a wrong column has one mistake and not a million. Pure, in
 * constant memory.
 */
import type { RefusedLine } from './line.js';

/** Line numbers that are listed for a reason. */
const MAX_LINES = 10;
/** Most reasons that are told apart. */
const MAX_GROUPS = 100;
const OTHER = 'for other reasons';

type Group = { lines: number[]; count: number; readonly example: string; isOne: boolean };

export class RefusalGroups {
  readonly #groups = new Map<string, Group>();

  add(refusals: readonly RefusedLine[]): void {
    for (const { line, reasons } of refusals) this.#add(line, reasons.join('; '));
  }

  /** @returns a text for each reason, in the order of their first lines */
  texts(): string[] {
    return [...this.#groups.values()].map(({ lines, count, example, isOne }) => {
      if (count === 1) return `line ${lines[0]}: ${example}`;
      const more = count > lines.length ? ', …' : '';
      return `${count} lines (${lines.join(', ')}${more}): ${isOne ? '' : 'such as '}${example}`;
    });
  }

  #add(line: number, reason: string): void {
    const name = withoutValues(reason);
    const isKnown = this.#groups.has(name);
    const key = isKnown || this.#groups.size < MAX_GROUPS ? name : OTHER;
    const group = this.#groups.get(key) ?? {
      lines: [],
      count: 0,
      example: key === OTHER ? OTHER : reason,
      isOne: true,
    };
    group.count += 1;
    if (group.lines.length < MAX_LINES) group.lines.push(line);
    if (reason !== group.example) group.isOne = group.example === OTHER;
    this.#groups.set(key, group);
  }
}

/** The same fault has the same text but for the quoted values and the numbers in it. */
const withoutValues = (reason: string): string =>
  reason.replace(/"(?:[^"\\]|\\.)*["…]/g, '""').replace(/\d+/g, '0');
