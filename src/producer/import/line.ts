/** From the fields of one line of a file to an association, or to the reasons why not. Pure. */
import {
  type Association,
  type AssociationType,
  associationFaults,
} from '../../shared/contract/association.js';
import type { Fields } from '../../shared/contract/association-fields.js';

/** What lines without these fields get. */
export type LineDefaults = {
  readonly fromObjectType?: string;
  readonly toObjectType?: string;
  /** for lines that say nothing of their own about types: neither types nor a label */
  readonly types?: readonly AssociationType[];
  readonly label?: string;
};

export type Refusal = { line: number; reasons: readonly string[] };

/** What came of some lines: `lines[i]` is the physical number of the line that `associations[i]` stood in. */
export type ParsedLines = { associations: Association[]; lines: number[]; refusals: Refusal[] };

export type LineParser = {
  /** Takes the next line; what comes of it, now or with a later line, is added to `into`. */
  feed(text: string, line: number, into: ParsedLines): void;
  /** Adds what still waited for a next line. */
  end(into: ParsedLines): void;
  /** What makes the whole input unusable, as far as the lines so far tell; asked once, after the first of them. */
  problems(): string[];
  /** What of the input as a whole is not read, and harms nobody. */
  warnings(): string[];
};

const NEEDED_FIELDS = { fromObjectType: '--from', toObjectType: '--to' } as const;
type NeededField = keyof typeof NEEDED_FIELDS;

export function addLine(fields: Fields, line: number, defaults: LineDefaults, into: ParsedLines): void {
  const association = { ...fields } as { -readonly [field in keyof Fields]: Fields[field] };
  const missing: string[] = [];
  for (const field of Object.keys(NEEDED_FIELDS) as NeededField[]) {
    association[field] ??= defaults[field];
    if (association[field] === undefined)
      missing.push(`${field}: missing, and there is no ${NEEDED_FIELDS[field]}`);
  }
  if (association.types === undefined && association.label === undefined) {
    if (defaults.types) association.types = defaults.types;
    if (defaults.label !== undefined) association.label = defaults.label;
  }
  const absent = (fault: string) =>
    missing.some(text => fault.startsWith(text.slice(0, text.indexOf(':') + 1)));
  const faults = associationFaults(association as Association);
  if (faults.length === 0) {
    into.associations.push(association as Association);
    into.lines.push(line);
  } else into.refusals.push({ line, reasons: [...missing, ...faults.filter(fault => !absent(fault))] });
}

/** An option that is needed, because neither it nor the input gives the field. */
export function missingOptions(defaults: LineDefaults, isGiven: (field: NeededField) => boolean): string[] {
  const examples = { fromObjectType: 'contacts', toObjectType: 'companies' };
  return (Object.keys(NEEDED_FIELDS) as NeededField[])
    .filter(field => defaults[field] === undefined && !isGiven(field))
    .map(
      field =>
        `${NEEDED_FIELDS[field]} is missing (such as ${NEEDED_FIELDS[field]} ${examples[field]}), and the input does not give it`,
    );
}
