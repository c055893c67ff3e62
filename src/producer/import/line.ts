/** Turns the fields of a line into associations, or into the reasons of a refusal. Pure. */
import {
  type Association,
  type AssociationType,
  associationFaults,
} from '../../shared/contract/association.js';
import type { Fields } from '../../shared/contract/association-fields.js';
import { objectTypeFault } from '../../shared/contract/object-types.js';
import { ENCODING_REMEDY, UNDECODED } from './encoding.js';
import { IdFault, IdReader } from './ids.js';

/** Defaults for lines without these fields. */
export type LineDefaults = {
  readonly fromObjectType?: string;
  readonly toObjectType?: string;
  /** for lines with neither types nor a label */
  readonly types?: readonly AssociationType[];
  readonly label?: string;
};

/** How the lines of a file are read. It can be written as JSON, so that the same file can be read again in the same way. */
export type Reading = {
  readonly defaults: LineDefaults;
  /** of a file without a byte order mark; without it, UTF-8 or UTF-16 is detected */
  readonly encoding?: string;
  /** between the cells of a CSV file; without it, it is detected */
  readonly delimiter?: string;
  /** names of columns that hold something under a name of their own */
  readonly columns?: { readonly [column in 'from' | 'to' | 'type' | 'label']?: string };
  /** names of columns that are left out without a word */
  readonly ignored?: readonly string[];
  /** repairs ids that a spreadsheet has formatted as numbers */
  readonly fixIds?: boolean;
  /** accepts names of object types that HubSpot's guide does not list */
  readonly anyObjectType?: boolean;
};

/** `text`: the line as it is written in the file, its line breaks included if it has several */
export type RefusedLine = { line: number; reasons: readonly string[]; text: string };

/** The result of some lines: `lines[i]` is the physical line number of `associations[i]`, and `texts[i]` its text. */
export type ParsedLines = {
  associations: Association[];
  lines: number[];
  texts: string[];
  refusals: RefusedLine[];
};

export const noLines = (): ParsedLines => ({ associations: [], lines: [], texts: [], refusals: [] });

/** What is needed to write lines in the file's own format. */
export type Layout =
  | { readonly format: 'ndjson' }
  | {
      readonly format: 'csv';
      readonly header: readonly string[];
      readonly delimiter: string;
      /** positions of the columns of ids */
      readonly from: number;
      readonly to: number;
    };
/** isPlain: UTF-8 without a byte order mark */
export type FileLayout = Layout & { readonly isPlain: boolean };

/**
 * How the lines of a file are understood, once its header and the options are read: the same whether an option says it or the
 * header does. With the content it says which associations they are.
 */
export type Understanding = {
  /** what a line is that does not say it itself */
  readonly defaults: LineDefaults;
  /** true: lines have types or labels of their own */
  readonly saysTypes: boolean;
  /** of a CSV file: the position of each column that is read */
  readonly columns?: Readonly<Record<string, number>>;
  readonly delimiter?: string;
  /** of a CSV file: the side without which a line is skipped */
  readonly associated?: 'from' | 'to' | undefined;
};

export type LineParser = {
  /** Takes the next line and adds complete results to `into`; a record may need further lines. */
  feed(text: string, line: number, into: ParsedLines): void;
  /** @returns the first line of a record that waits for further lines */
  openSince(): number | undefined;
  /** Adds the result of a record that still waited for further lines. */
  end(into: ParsedLines): void;
  /** @returns problems that make the whole input unusable. Called once, after the first lines. */
  problems(): string[];
  /** @returns warnings about the input as a whole: what is ignored, which columns were chosen */
  warnings(): string[];
  layout(): Layout;
  /** Called once, after the first lines. */
  understood(): Understanding;
  /** @returns what was repaired or skipped, once all lines are read */
  notes(): string[];
};

const NEEDED_FIELDS = { fromObjectType: '--from', toObjectType: '--to' } as const;
type NeededField = keyof typeof NEEDED_FIELDS;
const SIDES = ['from', 'to'] as const;

/** Several labels of one line, as HubSpot's import files write them. */
export const LABEL_SEPARATOR = ';';

/** Adds lines under the same rules. */
export class LineReader {
  readonly ids: IdReader;
  defaults: LineDefaults;
  readonly #anyObjectType: boolean;
  /** object type → its fault, if it has one */
  readonly #known = new Map<string, string | undefined>();
  /** The latest association that was found valid. */
  #last: Fields | undefined;

  constructor({ defaults, fixIds = false, anyObjectType = false }: Reading) {
    this.defaults = defaults;
    this.ids = new IdReader(fixIds);
    this.#anyObjectType = anyObjectType;
  }

  add(fields: Fields, line: number, text: string, into: ParsedLines): void {
    const { defaults } = this;
    const {
      from,
      to,
      fromObjectType = defaults.fromObjectType,
      toObjectType = defaults.toObjectType,
    } = fields;
    let { types, label } = fields;
    if (types === undefined && label === undefined) ({ types, label } = defaults);
    const association: Fields = { from, to, fromObjectType, toObjectType, types, label };
    if (isPlainId(from) && isPlainId(to) && this.#isLikeLast(association))
      push(into, association as Association, line, text);
    else this.#addChecked(association, line, text, into);
  }

  /** Consecutive lines mostly differ in their ids only: then nothing else needs to be checked again. */
  #isLikeLast({ fromObjectType, toObjectType, types, label }: Fields): boolean {
    const last = this.#last;
    return (
      last !== undefined &&
      last.fromObjectType === fromObjectType &&
      last.toObjectType === toObjectType &&
      last.types === types &&
      last.label === label
    );
  }

  #addChecked(association: Fields, line: number, text: string, into: ParsedLines): void {
    const missing = (Object.keys(NEEDED_FIELDS) as NeededField[])
      .filter(field => association[field] === undefined)
      .map(field => `${field}: missing, and there is no ${NEEDED_FIELDS[field]}`);
    const from = this.ids.read(association.from);
    const to = this.ids.read(association.to);
    if (from !== undefined || to !== undefined) {
      this.#addSeveral(association, { from, to }, missing, line, text, into);
      return;
    }
    const faults = this.#faults(association, missing);
    if (faults.length > 0) into.refusals.push({ line, reasons: faults, text });
    else {
      this.#last = association;
      push(into, association as Association, line, text);
    }
  }

  /** Adds an association for each id of the cell that has several. */
  #addSeveral(
    association: Fields,
    read: { readonly [side in 'from' | 'to']: readonly string[] | IdFault | undefined },
    missing: readonly string[],
    line: number,
    text: string,
    into: ParsedLines,
  ): void {
    const faults: string[] = [];
    const valid = { ...association } as { -readonly [field in keyof Fields]: Fields[field] };
    for (const side of SIDES) {
      const ids = read[side];
      if (ids instanceof IdFault) faults.push(`${side}: ${ids.words}`);
      if (ids !== undefined) valid[side] = ids instanceof IdFault ? 1 : ids[0];
    }
    const [from, to] = SIDES.map(side => (Array.isArray(read[side]) ? read[side] : [valid[side]]));
    if (from && to && from.length > 1 && to.length > 1)
      faults.push(
        `from and to: ${from.length} and ${to.length} ids: only one of the two may be several in a line`,
      );
    faults.push(...this.#faults(valid, missing));
    if (faults.length > 0) into.refusals.push({ line, reasons: faults, text });
    else
      for (const one of from ?? [])
        for (const other of to ?? [])
          push(into, { ...valid, from: one, to: other } as Association, line, text);
  }

  #faults(association: Fields, missing: readonly string[]): string[] {
    const absent = (fault: string) =>
      missing.some(text => fault.startsWith(text.slice(0, text.indexOf(':') + 1)));
    const { label } = association;
    const labels = typeof label === 'string' && label.includes(LABEL_SEPARATOR) ? labelsOf(label) : [label];
    const faults = associationFaults({ ...association, label: labels[0] } as Association);
    for (const other of labels.slice(1))
      faults.push(...associationFaults({ ...PLAIN, label: other } as Association));
    if (faults.length === 0 && missing.length === 0) return this.#doubts(association, labels);
    return [...missing, ...faults.filter(fault => !absent(fault))];
  }

  /** @returns the faults of fields that are well-formed, and cannot be meant */
  #doubts({ fromObjectType, toObjectType }: Fields, labels: readonly unknown[]): string[] {
    const faults: string[] = [];
    for (const [field, type] of [
      ['fromObjectType', fromObjectType],
      ['toObjectType', toObjectType],
    ] as const) {
      const fault = this.#anyObjectType ? undefined : this.#typeFault(String(type));
      if (fault !== undefined) faults.push(`${field}: ${fault}`);
    }
    for (const label of labels)
      if (typeof label === 'string' && label.includes(UNDECODED))
        faults.push(`label: "${label}" has a character that is not in this encoding: ${ENCODING_REMEDY}`);
    return faults;
  }

  #typeFault(type: string): string | undefined {
    if (this.#known.has(type)) return this.#known.get(type);
    if (this.#known.size > MAX_KNOWN) this.#known.clear();
    const fault = objectTypeFault(type);
    this.#known.set(type, fault);
    return fault;
  }
}

const MAX_KNOWN = 1_000;
const PLAIN_ID = /^\d{1,20}$/;
/** @returns true for nearly every id: it is one, and valid */
const isPlainId = (id: unknown): boolean => typeof id === 'string' && PLAIN_ID.test(id);
/** An association without faults. */
const PLAIN = { fromObjectType: 'a', toObjectType: 'b', from: 1, to: 1 };

/** @returns the labels of a cell; the cell itself if it has none */
export function labelsOf(cell: string): string[] {
  const labels = cell.split(LABEL_SEPARATOR).map(name => name.trim());
  const named = labels.filter(name => name !== '');
  return named.length > 0 ? named : [cell];
}

function push(into: ParsedLines, association: Association, line: number, text: string): void {
  into.associations.push(association);
  into.lines.push(line);
  into.texts.push(text);
}

/** @returns a problem for each option that is required because the input does not have the field */
export function missingOptions(defaults: LineDefaults, isGiven: (field: NeededField) => boolean): string[] {
  const examples = { fromObjectType: 'contacts', toObjectType: 'companies' };
  return (Object.keys(NEEDED_FIELDS) as NeededField[])
    .filter(field => defaults[field] === undefined && !isGiven(field))
    .map(
      field =>
        `${NEEDED_FIELDS[field]} is missing (such as ${NEEDED_FIELDS[field]} ${examples[field]}), and the input does not give it`,
    );
}
