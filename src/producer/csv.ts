/**
 * Lines of a CSV file (RFC 4180): header from,to and, optionally, category,typeId, label and fromObjectType,toObjectType.
 * Other columns are ignored, unless their name looks like one of these misspelt.
 * A quoted cell may hold line breaks. A quote that is never closed costs its own line only: it must not swallow the
 * good lines after it, so a record that does not come out well is refused at its first line and the others read anew.
 */
import { parse } from 'csv-parse/sync';
import { messageOf } from '../shared/errors.js';
import { meant } from '../shared/meant.js';
import {
  addLine,
  type LineDefaults,
  type LineFields,
  type LineParser,
  missingOptions,
  type ParsedLines,
} from './line.js';
import { MAX_LINE_LENGTH } from './read-lines.js';

const COLUMNS = ['from', 'to', 'category', 'typeId', 'label', 'fromObjectType', 'toObjectType'] as const;
type Column = (typeof COLUMNS)[number];
/** Lines that one record may span. */
const MAX_LINES_PER_RECORD = 100;
const UNCLOSED = 'a quote is not closed';

export class CsvParser implements LineParser {
  readonly #defaults: LineDefaults;
  #header: string[] | undefined;
  #at: { [column in Column]?: number } = {};
  /** Lines of a record whose quote is still open. */
  #open: { text: string; line: number }[] = [];

  constructor(defaults: LineDefaults) {
    this.#defaults = defaults;
  }

  feed(text: string, line: number, into: ParsedLines): void {
    if (this.#open.length === 0) {
      if (text.trim() === '') return;
      if (!text.includes('"')) {
        this.#record(text, text.split(','), line, into);
        return;
      }
    }
    this.#open.push({ text, line });
    this.#readOpen(into);
  }

  end(into: ParsedLines): void {
    while (this.#open.length > 0) this.#giveUp(UNCLOSED, into);
  }

  problems(): string[] {
    const header = this.#header;
    if (!header) return ['the file is empty: its first line must be the header from,to'];
    const problems = COLUMNS.slice(0, 2)
      .filter(column => this.#at[column] === undefined)
      .map(column => `the header has no column ${column}: ${header.join(',').slice(0, 80)}`);
    if ((this.#at.category === undefined) !== (this.#at.typeId === undefined))
      problems.push('the header has one of category and typeId: give both or neither');
    for (const name of header) {
      const column = columnOf(name) ? undefined : meant(squeezed(name), COLUMNS.slice(2));
      if (column) problems.push(`column ${name}: did you mean ${column}?`);
    }
    return [...problems, ...missingOptions(this.#defaults, field => this.#at[field] !== undefined)];
  }

  #readOpen(into: ParsedLines): void {
    const open = this.#open;
    const text = open.map(part => part.text).join('\n');
    const isClosed = (text.split('"').length - 1) % 2 === 0;
    if (!isClosed && open.length < MAX_LINES_PER_RECORD && text.length <= MAX_LINE_LENGTH) return;
    const parsed = isClosed ? parsedRecord(text) : { fault: UNCLOSED };
    if (parsed.fault !== undefined) {
      this.#giveUp(parsed.fault, into);
      return;
    }
    this.#open = [];
    const refusals = into.refusals.length;
    this.#record(text, parsed.cells, open[0]?.line ?? 0, into);
    if (open.length === 1 || into.refusals.length === refusals) return;
    // Several lines that make a bad record may be one bad line and good ones.
    this.#open = open;
    const reasons = into.refusals.pop()?.reasons ?? [];
    this.#giveUp(`${reasons.join('; ')} (a quoted cell goes on over ${open.length} lines)`, into);
  }

  /** Refuses the first of the open lines and reads the others anew. */
  #giveUp(reason: string, into: ParsedLines): void {
    const [first, ...others] = this.#open;
    this.#open = [];
    if (first && this.#header) into.refusals.push({ line: first.line, reasons: [reason] });
    else if (first) this.#readHeader([first.text]);
    for (const { text, line } of others) this.feed(text, line, into);
  }

  #record(text: string, cells: readonly string[], line: number, into: ParsedLines): void {
    const columns = this.#header?.length;
    if (columns === undefined) this.#readHeader(cells);
    else if (text.length > MAX_LINE_LENGTH)
      into.refusals.push({ line, reasons: [`longer than ${MAX_LINE_LENGTH} characters`] });
    else if (cells.length > columns)
      into.refusals.push({ line, reasons: [`${cells.length} cells, but the header has ${columns}`] });
    else addLine(this.#fields(cells), line, this.#defaults, into);
  }

  #fields(cells: readonly string[]): LineFields {
    const cell = (column: Column) => cells[this.#at[column] ?? -1]?.trim() || undefined;
    const category = cell('category');
    const typeId = cell('typeId');
    const label = cell('label');
    const types = [
      {
        associationCategory: category,
        associationTypeId: typeId && /^\d+$/.test(typeId) ? Number(typeId) : typeId,
      },
    ];
    return {
      from: cell('from') ?? '',
      to: cell('to') ?? '',
      fromObjectType: cell('fromObjectType'),
      toObjectType: cell('toObjectType'),
      types: category === undefined && typeId === undefined ? undefined : types,
      ...(label !== undefined && { label }),
    };
  }

  #readHeader(cells: readonly string[]): void {
    this.#header = cells.map(name => name.trim());
    this.#at = {};
    this.#header.forEach((name, index) => {
      const column = columnOf(name);
      if (column) this.#at[column] ??= index;
    });
  }
}

function parsedRecord(text: string): { cells: string[]; fault?: undefined } | { fault: string } {
  try {
    const [cells, ...more] = parse(text);
    if (cells && more.length === 0) return { cells };
    return { fault: 'not one CSV record' };
  } catch (error) {
    return { fault: `not CSV: ${messageOf(error).replace(/ (at|on) line \d+/, '')}` };
  }
}

/** `Type ID` and `type_id` are typeId. */
const squeezed = (name: string): string => name.toLowerCase().replace(/[\s_-]/g, '');
const columnOf = (name: string): Column | undefined =>
  COLUMNS.find(column => column.toLowerCase() === squeezed(name));
