/** Turns the fields of a line into an association, or into the reasons of a refusal. Pure. */
import {
  type Association,
  type AssociationType,
  associationFaults,
} from '../../shared/contract/association.js';
import type { Fields } from '../../shared/contract/association-fields.js';

/** Defaults for lines without these fields. */
export type LineDefaults = {
  readonly fromObjectType?: string;
  readonly toObjectType?: string;
  /** for lines with neither types nor a label */
  readonly types?: readonly AssociationType[];
  readonly label?: string;
};

export type RefusedLine = { line: number; reasons: readonly string[] };

/** The result of some lines: `lines[i]` is the physical line number of `associations[i]`. */
export type ParsedLines = { associations: Association[]; lines: number[]; refusals: RefusedLine[] };

export type LineParser = {
  /** Takes the next line and adds complete results to `into`; a record may need further lines. */
  feed(text: string, line: number, into: ParsedLines): void;
  /** @returns the first line of a record that waits for further lines */
  openSince(): number | undefined;
  /** Adds the result of a record that still waited for further lines. */
  end(into: ParsedLines): void;
  /** @returns problems that make the whole input unusable. Called once, after the first lines. */
  problems(): string[];
  /** @returns warnings about parts of the input that are ignored. */
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
