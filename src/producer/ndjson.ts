/**
 * Lines of an NDJSON file: `from`, `to` and, optionally, `types`, `label`, `fromObjectType`, `toObjectType`, which win over
 * the options. Other fields (such as the `error` of an exported failure) are ignored, unless their name looks like one of
 * the optional ones misspelt. Lines in which an export has kept the data of a job that cannot be read are refused as such.
 */
import { parseType } from '../shared/association.js';
import { messageOf } from '../shared/errors.js';
import { meant } from '../shared/meant.js';
import { INVALID_JOB } from '../shared/rejection-groups.js';
import {
  addLine,
  type LineDefaults,
  type LineFields,
  type LineParser,
  missingOptions,
  type ParsedLines,
} from './line.js';
import { MAX_LINE_LENGTH } from './read-lines.js';

const OPTIONAL = ['fromObjectType', 'toObjectType', 'types', 'label'] as const;
const KNOWN = new Set<string>(['from', 'to', 'error', ...OPTIONAL]);

export class NdjsonParser implements LineParser {
  readonly #defaults: LineDefaults;
  readonly #given = new Set<string>();

  constructor(defaults: LineDefaults) {
    this.#defaults = defaults;
  }

  feed(text: string, line: number, into: ParsedLines): void {
    if (text.trim() === '') return;
    const read = this.#read(text);
    if (read.fields && read.faults.length === 0) addLine(read.fields, line, this.#defaults, into);
    else this.#refuse(read, line, into);
  }

  /** Every fault of the line: those of its text, and what else its fields have. */
  #refuse(read: ReadLine, line: number, into: ParsedLines): void {
    const others: ParsedLines = { associations: [], lines: [], refusals: [] };
    if (read.fields) addLine(read.fields, line, this.#defaults, others);
    const isNew = (reason: string) => !read.faults.some(fault => placeOf(fault) === placeOf(reason));
    const reasons = others.refusals.flatMap(refusal => refusal.reasons.filter(isNew));
    into.refusals.push({ line, reasons: [...read.faults, ...reasons] });
  }

  end(): void {}

  problems(): string[] {
    return missingOptions(this.#defaults, field => this.#given.has(field));
  }

  #read(text: string): ReadLine {
    const given = parsedObject(text);
    if (typeof given === 'string') return { fields: undefined, faults: [given] };
    const copyOf = unreadableJob(given);
    if (copyOf !== undefined) {
      // such lines say nothing of the others: whether options are missing is told line by line
      for (const field of OPTIONAL) this.#given.add(field);
      return {
        fields: undefined,
        faults: [
          `a copy of job ${copyOf}, whose data could not be read (error.data): it holds no association to enqueue`,
        ],
      };
    }
    for (const field of OPTIONAL) if (given[field] != null) this.#given.add(field);
    const { types, faults } = readTypes(given.types ?? undefined);
    for (const name of Object.keys(given)) {
      const field = KNOWN.has(name) ? undefined : meant(name, OPTIONAL);
      if (field) faults.push(`${name}: did you mean ${field}?`);
    }
    for (const side of ['from', 'to'] as const) {
      const fault = numberFault(text, side, given[side]);
      if (fault) faults.push(fault);
    }
    const fields = {
      from: given.from,
      to: given.to,
      fromObjectType: given.fromObjectType ?? undefined,
      toObjectType: given.toObjectType ?? undefined,
      types,
      ...(given.label != null && { label: given.label }),
    };
    return { fields, faults };
  }
}

/** fields undefined: it is not a line of fields at all */
type ReadLine = { fields: LineFields | undefined; faults: string[] };

/** `from: "" is not …` → `from`, `types[0].associationTypeId: …` → `types` */
const placeOf = (fault: string): string => fault.slice(0, fault.search(/[:[.]/));

/** The id of the job of which `failures export` wrote nothing but its data; undefined for any other line. */
function unreadableJob({ error, from, to }: Readonly<Record<string, unknown>>): string | undefined {
  if (from !== undefined || to !== undefined || typeof error !== 'object' || error === null) return undefined;
  const { category, jobId } = error as { category?: unknown; jobId?: unknown };
  return category === INVALID_JOB ? String(jobId) : undefined;
}

/** The object, or what is wrong with the text. */
function parsedObject(text: string): Readonly<Record<string, unknown>> | string {
  if (text.length > MAX_LINE_LENGTH) return `longer than ${MAX_LINE_LENGTH} characters`;
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : 'not a JSON object with from and to';
  } catch (error) {
    return `not JSON: ${messageOf(error).slice(0, 120)}`;
  }
}

/** `HUBSPOT_DEFINED:279` stands for the object. */
function readTypes(given: unknown): { types: unknown; faults: string[] } {
  const faults: string[] = [];
  if (!Array.isArray(given)) return { types: given, faults };
  const types = given.map((type: unknown, index) => {
    if (typeof type !== 'string') return type;
    try {
      return parseType(type);
    } catch (error) {
      faults.push(`types[${index}]: ${messageOf(error)}`);
      return undefined;
    }
  });
  return { types, faults };
}

/**
 * A number that JSON.parse cannot hold exactly is another id by now: 9007199254740993 becomes …992, and
 * 9007199254740990.6 an integer. So the text must say the very integer that was read.
 */
function numberFault(text: string, side: 'from' | 'to', id: unknown): string | undefined {
  if (typeof id !== 'number') return undefined;
  const written = [...text.matchAll(new RegExp(`"${side}"\\s*:\\s*([-+.\\deE]+)`, 'g'))].map(
    match => match[1],
  );
  if (Number.isSafeInteger(id) && written.includes(String(id))) return undefined;
  return `${side}: ${written[0] ?? id} is not exactly an integer up to ${Number.MAX_SAFE_INTEGER}: give the id as a string`;
}
