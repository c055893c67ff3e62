/**
 * Which column of a CSV file says what. Pure.
 * In this order: the options (`--from-column` …), the names of our fields, and columns of record ids under HubSpot's names.
 * A header that leaves anything open makes the file unusable (decision 20), with every problem and its remedy.
 */
import { fieldMeant, fieldNamed } from '../../shared/contract/association-fields.js';
import { didYouMean, meant } from '../../shared/contract/did-you-mean.js';
import { sameTypeName } from '../../shared/contract/object-types.js';
import { quote } from '../../shared/contract/record-id.js';
import { ENCODING_REMEDY } from './encoding.js';
import { type IdColumn, idColumns, meaningOf } from './id-columns.js';
import type { LineDefaults, Reading } from './line.js';

const COLUMNS = ['from', 'to', 'category', 'typeId', 'label', 'fromObjectType', 'toObjectType'] as const;
/** `type`: a column of texts such as HUBSPOT_DEFINED:279; only an option names it */
export type Column = (typeof COLUMNS)[number] | 'type';
export type Positions = { [column in Column]?: number };
type Side = 'from' | 'to';
const SIDES = ['from', 'to'] as const;
const OBJECT_TYPE = { from: 'fromObjectType', to: 'toObjectType' } as const;

export type HeaderColumns = {
  readonly at: Positions;
  /** object types that the header says */
  readonly objects: Pick<LineDefaults, 'fromObjectType' | 'toObjectType'>;
  /** the side whose column HubSpot exported as associated records: an empty cell there is no fault */
  readonly associated: Side | undefined;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
};

/** Columns that we write ourselves, into files of refused and rejected lines. */
export const OUR_COLUMNS = ['line', 'error'] as const;
/** Most ignored columns in the warning. */
const MAX_LISTED = 20;
/** Matches names of columns that seem to be about associations. */
const SPEAKS_OF_ASSOCIATIONS = /type|label|object|categor/i;
/** The same in an export, whose other columns are properties of records (`Deal Type`). */
const SPEAKS_OF_LABELS = /associat.*(type|label|categor)/i;

export function readColumns(header: readonly string[], reading: Reading): HeaderColumns {
  const at: Positions = {};
  const problems = namedColumns(header, reading, at);
  header.forEach((name, index) => {
    const column = columnOf(name);
    if (column && !isTypeBesideOption(column, at)) at[column] ??= index;
  });
  const ids = new IdColumns(header, reading, at);
  problems.push(...ids.choose());
  const isTold = (side: Side) =>
    at[side] !== undefined || problems.some(problem => problem.includes(`--${side}`));
  problems.push(
    ...missing(
      header,
      SIDES.filter(side => !isTold(side)),
    ),
  );
  if ((at.category === undefined) !== (at.typeId === undefined))
    problems.push(
      at.category === undefined
        ? 'the header has typeId without category: give both or neither'
        : 'the header has category without typeId: give both or neither',
    );
  const used = new Set(Object.values(at));
  const faults = columnFaults(header, used, ids.associated !== undefined, reading.ignored ?? []);
  return {
    at,
    objects: ids.objects,
    associated: ids.associated,
    problems: [...problems, ...faults],
    warnings: [
      ...ids.notes,
      ...unreadColumns(header, used, reading.ignored ?? []),
      ...unknownIgnored(header, reading.ignored ?? []),
    ],
  };
}

/** @returns true if a file with this column among its cells is probably a header */
export function isKnownColumn(name: string, reading: Reading): boolean {
  if (columnOf(name) || meaningOf(name)) return true;
  return Object.values(reading.columns ?? {}).some(wanted => isSameName(wanted, name));
}

function namedColumns(header: readonly string[], { columns = {} }: Reading, at: Positions): string[] {
  const problems: string[] = [];
  for (const [column, name] of Object.entries(columns) as [keyof typeof columns, string | undefined][]) {
    if (name === undefined) continue;
    const exact = header.flatMap((cell, index) => (cell === name ? index : []));
    const found = exact.length > 0 ? exact : header.flatMap((cell, i) => (isSameName(cell, name) ? i : []));
    if (found.length > 1)
      problems.push(`--${column}-column ${quote(name)}: ${found.length} columns have this name`);
    else if (found.length === 1) at[column] = found[0] ?? 0;
    else
      problems.push(
        `--${column}-column ${quote(name)} is not in the header${didYouMean(meant(name, header)) || `: ${quote(header.join(', '))}`}`,
      );
  }
  return problems;
}

const squeezed = (name: string): string => name.toLowerCase().replace(/[\s_-]/g, '');
const isSameName = (one: string | undefined, other: string): boolean =>
  one !== undefined && squeezed(one) === squeezed(other);

/** Chooses the columns of ids that neither an option nor our own names have said. */
class IdColumns {
  readonly objects: { -readonly [field in keyof HeaderColumns['objects']]: HeaderColumns['objects'][field] } =
    {};
  readonly notes: string[] = [];
  associated: Side | undefined;
  readonly #all: IdColumn[];
  readonly #header: readonly string[];
  readonly #defaults: LineDefaults;
  readonly #at: Positions;

  constructor(header: readonly string[], { defaults }: Reading, at: Positions) {
    this.#header = header;
    this.#all = idColumns(header);
    this.#defaults = defaults;
    this.#at = at;
  }

  /** @returns the problems of the choice */
  choose(): string[] {
    const open = SIDES.filter(side => this.#at[side] === undefined);
    const chosen = open.length === 2 ? this.#both() : open.flatMap(side => this.#one(side));
    const problems = SIDES.flatMap(side => this.#describe(side));
    if (chosen.length === 0 && problems.length === 0 && open.length > 0) this.#note();
    return [...chosen, ...problems];
  }

  /** The side with the clearer wish goes first: an object type that an option names, or associated records. */
  #both(): string[] {
    const associated = this.#all.some(({ kind }) => kind === 'associated');
    const order: readonly Side[] =
      this.#wanted('to') !== undefined || associated ? ['to', 'from'] : ['from', 'to'];
    return order.flatMap(side => (this.#all.length > 0 ? this.#one(side) : []));
  }

  #one(side: Side): string[] {
    const wanted = this.#wanted(side);
    const used = Object.values(this.#at);
    const free = this.#all.filter(({ index }) => !used.includes(index));
    const best = preferred(fitting(free, wanted), side);
    const [first, ...others] = best;
    if (first && (others.length === 0 || side === 'from')) {
      this.#at[side] = first.index;
      return [];
    }
    if (first)
      return [
        `several columns may hold the to ids (${best.map(({ name }) => quote(name)).join(', ')}): choose one with --to or --to-column`,
      ];
    if (free.length === 0 || wanted === undefined) return [];
    return [
      `no column holds ids of ${wanted}, which --${side} asks for: the header has ${free.map(({ name }) => quote(name)).join(', ')}; name the column with --${side}-column`,
    ];
  }

  #wanted(side: Side): string | undefined {
    return this.#defaults[OBJECT_TYPE[side]];
  }

  /** Takes the object type from the column's name. @returns the problem if an option says another one */
  #describe(side: Side): string[] {
    const index = this.#at[side];
    const name = index === undefined ? undefined : this.#header[index];
    const meaning = name === undefined || columnOf(name) ? undefined : meaningOf(name);
    if (name === undefined || !meaning) return [];
    if (meaning.kind === 'associated') this.associated = side;
    const field = OBJECT_TYPE[side];
    if (meaning.object === undefined || this.#at[field] !== undefined) return [];
    const wanted = this.#wanted(side);
    if (wanted === undefined) this.objects[field] = meaning.object;
    else if (meaning.kind !== 'plain' && !isSame(meaning.object, wanted))
      return [`column ${quote(name)} holds ids of ${meaning.object}, but --${side} is ${wanted}`];
    return [];
  }

  #note(): void {
    const [from, to] = SIDES.map(side => {
      const object = this.#wanted(side) ?? this.objects[OBJECT_TYPE[side]];
      return `${object ? `${object} in ` : ''}${quote(this.#header[this.#at[side] ?? -1])}`;
    });
    if (SIDES.every(side => this.#at[side] !== undefined)) this.notes.push(`reading from ${from} to ${to}`);
  }
}

const isSame = (one: string | undefined, other: string): boolean =>
  one !== undefined && sameTypeName(one) === sameTypeName(other);

/** @returns the columns that say the wanted object type, or else those that may hold any (an own record, a custom object) */
function fitting(columns: readonly IdColumn[], wanted: string | undefined): readonly IdColumn[] {
  if (wanted === undefined) return columns;
  const exact = columns.filter(({ object }) => isSame(object, wanted));
  return exact.length > 0 ? exact : columns.filter(({ object }) => object === undefined);
}

const KINDS = {
  from: ['own', 'record', 'plain', 'associated'],
  to: ['associated', 'record', 'plain', 'own'],
} as const;

/** @returns the columns of the first kind that there is: a line links its own record to the associated ones */
function preferred(columns: readonly IdColumn[], side: Side): readonly IdColumn[] {
  const kind = KINDS[side].find(kind => columns.some(column => column.kind === kind));
  return columns.filter(column => column.kind === kind);
}

/** @returns the problems of a header that lacks these sides */
function missing(header: readonly string[], sides: readonly Side[]): string[] {
  const text = quote(header.join(','));
  if (sides.length === 0) return [];
  if (/[\0\ufffd]/.test(header.join('')))
    return [`the header is not readable in this encoding: ${ENCODING_REMEDY}`];
  if (header.filter(cell => LOOKS_LIKE_ID.test(cell)).length >= 2)
    return [
      `the header is missing: the first line looks like data (${text}): put a line above it that names the columns, such as from,to`,
    ];
  return sides.map(
    side => `the header has no column ${side}: ${text} (or name the column with --${side}-column)`,
  );
}

/** Digits, also as a spreadsheet writes a number; several ids */
const LOOKS_LIKE_ID = /^\d[\d.,;]*(e\+?\d+)?$/i;

export function columnOf(name: string): Exclude<Column, 'type'> | undefined {
  const field = fieldNamed(name);
  return COLUMNS.find(column => column === field);
}

const isTypeBesideOption = (column: Column, at: Positions): boolean =>
  at.type !== undefined && (column === 'category' || column === 'typeId');

function unreadColumns(
  header: readonly string[],
  used: ReadonlySet<number | undefined>,
  ignored: readonly string[],
): string[] {
  const unread = header.flatMap((name, index) => {
    if (used.has(index) || isIgnored(name, ignored)) return [];
    return name === '' ? `number ${index + 1} (without a name)` : quote(name);
  });
  const more = unread.length > MAX_LISTED ? ` and ${unread.length - MAX_LISTED} more` : '';
  return unread.length > 0
    ? [`columns that are not read: ${unread.slice(0, MAX_LISTED).join(', ')}${more}`]
    : [];
}

/** A misspelt name would leave nothing out. */
const unknownIgnored = (header: readonly string[], ignored: readonly string[]): string[] =>
  ignored
    .filter(wanted => !header.some(name => isSameName(wanted, name)))
    .map(
      wanted => `--ignore-column ${quote(wanted)} is not in the header${didYouMean(meant(wanted, header))}`,
    );

const isIgnored = (name: string, ignored: readonly string[]): boolean =>
  (OUR_COLUMNS as readonly string[]).includes(name) || ignored.some(other => isSameName(other, name));

function columnFaults(
  header: readonly string[],
  used: ReadonlySet<number | undefined>,
  isExport: boolean,
  ignored: readonly string[],
): string[] {
  const seen = new Map<string, string>();
  return header.flatMap((name, index) => {
    if (name === '' || isIgnored(name, ignored)) return [];
    const meaning = columnOf(name) ?? name;
    const same = seen.get(meaning);
    seen.set(meaning, name);
    if (isExport && !columnOf(name))
      return used.has(index) || !SPEAKS_OF_LABELS.test(name) ? [] : notUnderstood(name);
    if (same !== undefined)
      return `columns ${quote(same)} and ${quote(name)} say the same: keep one of them${severalIds(columnOf(name))}`;
    return used.has(index) ? [] : (unknownColumn(name) ?? []);
  });
}

const severalIds = (column: Column | undefined): string =>
  column === 'from' || column === 'to' ? ' (several ids go into one cell, separated by ;)' : '';

/** @returns the fault of an unknown column; undefined if the column is about something else */
function unknownColumn(name: string): string | undefined {
  if (columnOf(name))
    return `column ${quote(name)} is not read, because an option names another one: take one of them out, or leave it out with --ignore-column`;
  const column = fieldMeant(name, COLUMNS);
  if (column) return `column ${name}${didYouMean(column)}`;
  return SPEAKS_OF_ASSOCIATIONS.test(name) ? notUnderstood(name) : undefined;
}

const notUnderstood = (name: string): string =>
  `column ${quote(name)} may say what the associations are, and is not understood: call it ${COLUMNS.slice(2).join(', ')}, name it with --type-column or --label-column, or leave it out with --ignore-column`;
