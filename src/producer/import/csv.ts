/**
 * Reads the lines of a CSV file (RFC 4180): the header has from,to and, optionally, category,typeId, label and
 * fromObjectType,toObjectType, under any of their names. An unknown column that seems to be about types, labels or objects
 * makes the file unusable, because its lines would mean something else without it. Other columns are ignored, with one
 * warning. A quoted cell may contain line breaks. An unclosed quote invalidates only its own line and not the good lines
 * after it: a bad record is refused at its first line, and its other lines are read again.
 */
import { parse } from 'csv-parse/sync';
import { typeIdOf } from '../../shared/contract/association.js';
import { type Fields, fieldMeant, fieldNamed } from '../../shared/contract/association-fields.js';
import { didYouMean } from '../../shared/contract/did-you-mean.js';
import { messageOf } from '../../shared/contract/errors.js';
import { quote } from '../../shared/contract/record-id.js';
import { addLine, type LineDefaults, type LineParser, missingOptions, type ParsedLines } from './line.js';
import { MAX_LINE_LENGTH } from './read-lines.js';

const COLUMNS = ['from', 'to', 'category', 'typeId', 'label', 'fromObjectType', 'toObjectType'] as const;
type Column = (typeof COLUMNS)[number];
/** Most lines of one record. */
const MAX_LINES_PER_RECORD = 100;
/** Most ignored columns in the warning. */
const MAX_LISTED = 20;
/** Matches squeezed (lower-case) names of columns that seem to be about associations. */
const SPEAKS_OF_ASSOCIATIONS = /type|label|object|categor/;
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

  openSince(): number | undefined {
    return this.#open[0]?.line;
  }

  end(into: ParsedLines): void {
    while (this.#open.length > 0) this.#giveUp(UNCLOSED, into);
  }

  problems(): string[] {
    const header = this.#header;
    if (!header) return ['the file is empty: its first line must be the header from,to'];
    const problems = COLUMNS.slice(0, 2)
      .filter(column => this.#at[column] === undefined)
      .map(column => `the header has no column ${column}: ${quote(header.join(','))}`);
    if (problems.length > 0) problems.push(...formatFaults(header));
    const { category, typeId } = this.#at;
    if ((category === undefined) !== (typeId === undefined))
      problems.push(
        category === undefined
          ? 'the header has typeId without category: give both or neither'
          : 'the header has category without typeId: give both or neither',
      );
    return [
      ...problems,
      ...columnFaults(header),
      ...missingOptions(this.#defaults, field => this.#at[field] !== undefined),
    ];
  }

  warnings(): string[] {
    const unread = (this.#header ?? []).flatMap((name, index) =>
      columnOf(name) ? [] : name === '' ? `number ${index + 1} (without a name)` : quote(name),
    );
    const more = unread.length > MAX_LISTED ? ` and ${unread.length - MAX_LISTED} more` : '';
    return unread.length > 0
      ? [`columns that are not read: ${unread.slice(0, MAX_LISTED).join(', ')}${more}`]
      : [];
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
    // Several lines that form a bad record may be one bad line and good ones.
    this.#open = open;
    const reasons = into.refusals.pop()?.reasons ?? [];
    this.#giveUp(`${reasons.join('; ')} (a quoted cell goes on over ${open.length} lines)`, into);
  }

  /** Refuses the first of the open lines and reads the others again. */
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
    else if (cells.length > columns && !cells.slice(columns).every(isEmpty))
      into.refusals.push({ line, reasons: [`${cells.length} cells, but the header has ${columns}`] });
    else if (!cells.every(isEmpty)) addLine(this.#fields(cells), line, this.#defaults, into);
  }

  #fields(cells: readonly string[]): Fields {
    const cell = (column: Column) => cells[this.#at[column] ?? -1]?.trim() || undefined;
    const category = cell('category');
    const typeId = cell('typeId');
    const label = cell('label');
    const types = [{ associationCategory: category, associationTypeId: typeIdOf(typeId) }];
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
    const end = cells.findLastIndex(cell => !isEmpty(cell)) + 1;
    this.#header = cells.slice(0, end).map(name => name.trim());
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

const isEmpty = (cell: string): boolean => cell.trim() === '';

function columnOf(name: string): Column | undefined {
  const field = fieldNamed(name);
  return COLUMNS.find(column => column === field);
}

/** @returns faults of the file's format that hide the columns of the header */
function formatFaults(header: readonly string[]): string[] {
  const text = header.join(',');
  // read as UTF-8, a file in UTF-16 has a NUL next to each letter
  if (/[\0\ufffd]/.test(text)) return ['the file is not UTF-8: save it as UTF-8'];
  const separator = header.length === 1 ? /[;\t|]/.exec(text)?.[0] : undefined;
  return separator ? [`the cells are separated by ${quote(separator)}: separate them by commas`] : [];
}

function columnFaults(header: readonly string[]): string[] {
  const seen = new Map<string, string>();
  return header.flatMap(name => {
    const meaning = columnOf(name) ?? name;
    const same = seen.get(meaning);
    seen.set(meaning, name);
    if (name === '') return [];
    if (same !== undefined) return `columns ${quote(same)} and ${quote(name)} say the same: keep one of them`;
    return unknownColumn(name) ?? [];
  });
}

/** @returns the fault of an unknown column; undefined if the column is about something else */
function unknownColumn(name: string): string | undefined {
  if (columnOf(name)) return undefined;
  const column = fieldMeant(name, COLUMNS);
  if (column) return `column ${name}${didYouMean(column)}`;
  return SPEAKS_OF_ASSOCIATIONS.test(name.toLowerCase())
    ? `column ${quote(name)} may say what the associations are, and is not understood: call it ${COLUMNS.slice(2).join(', ')}, or take it out of the file`
    : undefined;
}
