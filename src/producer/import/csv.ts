/**
 * Reads the lines of a CSV file (RFC 4180, with any delimiter). Its first line that is not blank is the header, whose
 * columns columns.ts chooses. A quoted cell may contain line breaks. An unclosed quote invalidates only its own line and
 * not the good lines after it: a bad record is refused at its first line, and its other lines are read again.
 */
import { parseType, typeIdOf } from '../../shared/contract/association.js';
import type { Fields } from '../../shared/contract/association-fields.js';
import { messageOf } from '../../shared/contract/errors.js';
import { cellsOf, textOf } from './cells.js';
import { type Column, type HeaderColumns, isKnownColumn, readColumns } from './columns.js';
import { announcedDelimiter, detectedDelimiter } from './delimiter.js';
import {
  type Layout,
  type LineParser,
  LineReader,
  missingOptions,
  type ParsedLines,
  type Reading,
  type Understanding,
} from './line.js';
import { MAX_LINE_LENGTH } from './read-lines.js';

/** Most lines of one record. */
const MAX_LINES_PER_RECORD = 100;
const UNCLOSED = 'a quote is not closed';
/** Several types in a cell of --type-column. */
const TYPE_SEPARATOR = ';';
/** What HubSpot's exports write into an empty cell. */
const NO_VALUE = '(No value)';

export class CsvParser implements LineParser {
  readonly #reading: Reading;
  readonly #reader: LineReader;
  #delimiter: string | undefined;
  #header: string[] | undefined;
  #columns: HeaderColumns = { at: {}, objects: {}, associated: undefined, problems: [], warnings: [] };
  #lastTypes: TypeCells & { types: SaidTypes } = {
    texts: undefined,
    category: undefined,
    typeId: undefined,
    types: undefined,
  };
  /** Lines of an export without associated records. */
  #skipped = 0;
  /** Lines of a record whose quote is still open. */
  #open: { text: string; line: number }[] = [];

  constructor(reading: Reading) {
    this.#reading = reading;
    this.#reader = new LineReader(reading);
    this.#delimiter = reading.delimiter;
  }

  feed(text: string, line: number, into: ParsedLines): void {
    if (this.#open.length === 0) {
      if (text.trim() === '') return;
      if (!this.#header && this.#isAnnouncement(text)) return;
      if (!text.includes('"')) {
        this.#record(text, text.split(this.#delimiterOf(text)), line, into);
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
    if (!this.#header) return ['the file is empty: its first line must be the header from,to'];
    const { problems, at } = this.#columns;
    return [...problems, ...missingOptions(this.#reader.defaults, field => at[field] !== undefined)];
  }

  warnings(): string[] {
    return [...this.#columns.warnings];
  }

  layout(): Layout {
    const { from = 0, to = 0 } = this.#columns.at;
    return { format: 'csv', header: this.#header ?? [], delimiter: this.#delimiter ?? ',', from, to };
  }

  understood(): Understanding {
    const { at, associated } = this.#columns;
    return {
      defaults: this.#reader.defaults,
      saysTypes: [at.label, at.type, at.category].some(index => index !== undefined),
      ...{ columns: at, delimiter: this.#delimiter ?? ',', associated },
    };
  }

  notes(): string[] {
    const skipped = this.#skipped;
    const words =
      skipped === 1
        ? '1 line has no associated record and is skipped'
        : `${skipped} lines have no associated record and are skipped`;
    return [...this.#reader.ids.repairs(), ...(skipped > 0 ? [words] : [])];
  }

  #isAnnouncement(text: string): boolean {
    const announced = announcedDelimiter(text);
    if (announced === undefined) return false;
    this.#delimiter ??= announced;
    return true;
  }

  /** @param text the header, if the delimiter is not known yet */
  #delimiterOf(text: string): string {
    this.#delimiter ??= detectedDelimiter(text, cell => isKnownColumn(cell, this.#reading));
    return this.#delimiter;
  }

  #readOpen(into: ParsedLines): void {
    const open = this.#open;
    const text = open.map(part => part.text).join('\n');
    const isClosed = (text.split('"').length - 1) % 2 === 0;
    if (!isClosed && open.length < MAX_LINES_PER_RECORD && text.length <= MAX_LINE_LENGTH) return;
    const parsed = isClosed ? cellsOf(text, this.#delimiterOf(text)) : { fault: UNCLOSED };
    if (parsed.fault !== undefined) {
      this.#giveUp(parsed.fault, into);
      return;
    }
    this.#open = [];
    const refusals = into.refusals.length;
    this.#record(text, parsed.cells, open[0]?.line ?? 0, into);
    if (open.length === 1 || into.refusals.length === refusals || this.#isOneRecord(parsed.cells)) return;
    // Several lines that form a bad record may be one bad line and good ones.
    this.#open = open;
    const reasons = into.refusals.pop()?.reasons ?? [];
    this.#giveUp(`${reasons.join('; ')} (a quoted cell goes on over ${open.length} lines)`, into);
  }

  /** A note may have line breaks. In an id they come from a quote that is not closed, which swallows good lines. */
  #isOneRecord(cells: readonly string[]): boolean {
    const read = Object.values(this.#columns.at);
    return cells.length === this.#header?.length && !read.some(index => cells[index]?.includes('\n'));
  }

  /** Refuses the first of the open lines and reads the others again. */
  #giveUp(reason: string, into: ParsedLines): void {
    const [first, ...others] = this.#open;
    this.#open = [];
    if (first && this.#header) into.refusals.push({ line: first.line, reasons: [reason], text: first.text });
    else if (first) this.#readHeader([first.text]);
    for (const { text, line } of others) this.feed(text, line, into);
  }

  #record(text: string, cells: readonly string[], line: number, into: ParsedLines): void {
    const refuse = (reason: string) => into.refusals.push({ line, reasons: [reason], text });
    const columns = this.#header?.length;
    if (columns === undefined) this.#readHeader(cells);
    else if (text.length > MAX_LINE_LENGTH) refuse(`longer than ${MAX_LINE_LENGTH} characters`);
    else if (cells.length > columns && !cells.slice(columns).every(isEmpty))
      refuse(`${cells.length} cells, but the header has ${columns}`);
    else if (!cells.every(isEmpty)) this.#fields(text, cells, line, into);
  }

  #fields(text: string, cells: readonly string[], line: number, into: ParsedLines): void {
    const { at, associated } = this.#columns;
    const cell = (column: Column): string | undefined => {
      const index = at[column];
      return index === undefined ? undefined : textOf(cells[index] ?? '') || undefined;
    };
    if (associated !== undefined && [undefined, NO_VALUE].includes(cell(associated))) {
      this.#skipped += 1;
      return;
    }
    const types = this.#types(cell('type'), cell('category'), cell('typeId'));
    if (typeof types === 'string') {
      into.refusals.push({ line, reasons: [types], text });
      return;
    }
    const fields: Fields = {
      from: cell('from') ?? '',
      to: cell('to') ?? '',
      fromObjectType: cell('fromObjectType'),
      toObjectType: cell('toObjectType'),
      types,
      label: cell('label'),
    };
    this.#reader.add(fields, line, text, into);
  }

  /** Consecutive lines mostly say the same types: they get the same array. */
  #types(texts: string | undefined, category: string | undefined, typeId: string | undefined): SaidTypes {
    const last = this.#lastTypes;
    if (last.texts === texts && last.category === category && last.typeId === typeId) return last.types;
    const types = typesIn(texts, category, typeId);
    this.#lastTypes = { texts, category, typeId, types };
    return types;
  }

  /** Blank rows above the header are skipped. */
  #readHeader(cells: readonly string[]): void {
    const end = cells.findLastIndex(cell => !isEmpty(cell)) + 1;
    if (end === 0) return;
    this.#header = cells.slice(0, end).map(textOf);
    this.#columns = readColumns(this.#header, this.#reading);
    this.#reader.defaults = { ...this.#columns.objects, ...this.#reading.defaults };
  }
}

const isEmpty = (cell: string): boolean => cell.trim() === '';

type TypeCells = { texts: string | undefined; category: string | undefined; typeId: string | undefined };
/** the types that a line says, unchecked, or the fault of the text */
type SaidTypes = { associationCategory: unknown; associationTypeId: unknown }[] | string | undefined;

function typesIn(
  texts: string | undefined,
  category: string | undefined,
  typeId: string | undefined,
): SaidTypes {
  if (texts === undefined)
    return category === undefined && typeId === undefined
      ? undefined
      : [{ associationCategory: category, associationTypeId: typeIdOf(typeId) }];
  try {
    return texts
      .split(TYPE_SEPARATOR)
      .filter(text => text.trim() !== '')
      .map(parseType);
  } catch (error) {
    return `types: ${messageOf(error)}`;
  }
}
