/**
 * Reads the lines of an NDJSON file: `from`, `to` and, optionally, `types`, `label`, `fromObjectType`, `toObjectType`,
 * under any of their names; they take precedence over the options. HubSpot's inputs, whose ids are objects, are accepted as
 * well. The `error` of an exported failure is ignored; any other field is refused. A line that an export wrote for an
 * unreadable job is refused with that reason.
 */
import { type Fields, hasOwnNames, readFields } from '../../shared/contract/association-fields.js';
import { messageOf } from '../../shared/contract/errors.js';
import { INVALID_JOB } from '../../shared/state/rejection-groups.js';
import { readTypes } from '../given.js';
import {
  type Layout,
  type LineParser,
  LineReader,
  missingOptions,
  noLines,
  type ParsedLines,
  type Reading,
  type Understanding,
} from './line.js';
import { MAX_LINE_LENGTH } from './read-lines.js';

const OPTIONAL = ['fromObjectType', 'toObjectType', 'types', 'label'] as const;

export class NdjsonParser implements LineParser {
  readonly #reader: LineReader;
  readonly #fixIds: boolean;
  readonly #given = new Set<string>();

  constructor(reading: Reading) {
    this.#reader = new LineReader(reading);
    this.#fixIds = reading.fixIds ?? false;
  }

  feed(text: string, line: number, into: ParsedLines): void {
    if (text.trim() === '') return;
    const read = this.#read(text);
    if (read.fields && read.faults.length === 0) this.#reader.add(read.fields, line, text, into);
    else this.#refuse(read, line, text, into);
  }

  /** Refuses the line with all faults of its text and of its fields. */
  #refuse(read: ReadLine, line: number, text: string, into: ParsedLines): void {
    const others = noLines();
    if (read.fields) this.#reader.add(read.fields, line, text, others);
    const isNew = (reason: string) => !read.faults.some(fault => placeOf(fault) === placeOf(reason));
    const reasons = others.refusals.flatMap(refusal => refusal.reasons.filter(isNew));
    into.refusals.push({ line, reasons: [...read.faults, ...reasons], text });
  }

  openSince(): undefined {}

  end(): void {}

  warnings(): string[] {
    return [];
  }

  layout(): Layout {
    return { format: 'ndjson' };
  }

  understood(): Understanding {
    const saysTypes = this.#given.has('types') || this.#given.has('label');
    return { defaults: this.#reader.defaults, saysTypes };
  }

  notes(): string[] {
    return this.#reader.ids.repairs();
  }

  problems(): string[] {
    return missingOptions(this.#reader.defaults, field => this.#given.has(field));
  }

  #read(text: string): ReadLine {
    const given = parsedObject(text);
    if (typeof given === 'string') return { fields: undefined, faults: [given] };
    const copyOf = unreadableJob(given);
    if (copyOf !== undefined) {
      // such a line tells nothing about the others, so missing options are reported line by line
      for (const field of OPTIONAL) this.#given.add(field);
      return {
        fields: undefined,
        faults: [
          `a copy of job ${copyOf}, whose data could not be read (error.data): it holds no association to enqueue`,
        ],
      };
    }
    const named = sayingSomething(given);
    const read = hasOwnNames(named) ? { fields: named as Fields, faults: [] } : readFields(named);
    for (const field of OPTIONAL) if (read.fields[field] !== undefined) this.#given.add(field);
    const { types, faults } = readTypes(read.fields.types);
    const fields = { ...read.fields, from: idOf(read.fields.from), to: idOf(read.fields.to), types };
    for (const side of ['from', 'to'] as const) {
      if (typeof fields[side] !== 'number') continue;
      const written = writtenNumbers(text, side);
      const fault = numberFault(written, side, fields[side]);
      // 101.0 as a text, so that it is repaired and counted like one
      if (fault && this.#fixIds && written.every(number => WHOLE_NUMBER.test(number)))
        fields[side] = written[0];
      else if (fault) faults.push(fault);
    }
    return { fields, faults: [...read.faults, ...faults] };
  }
}

/** Removes the error of an earlier attempt and fields that are null. */
function sayingSomething({ error: _error, ...given }: Record<string, unknown>): object {
  for (const name in given) if (given[name] === null && name !== 'from' && name !== 'to') delete given[name];
  return given;
}

/** Accepts HubSpot's `{"id":"51"}` as `"51"`; an object with further fields is not an id. */
function idOf(given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given;
  const { id, ...others } = given as { id?: unknown };
  return id !== undefined && Object.keys(others).length === 0 ? id : given;
}

/** fields undefined: the line is not a JSON object */
type ReadLine = { fields: Fields | undefined; faults: string[] };

/** `from: "" is not …` → `from`, `types[0].associationTypeId: …` → `types` */
const placeOf = (fault: string): string => fault.slice(0, fault.search(/[:[.]/));

/** @returns the id of the unreadable job whose data `failures export` wrote into this line; undefined for any other line */
function unreadableJob({ error, from, to }: Readonly<Record<string, unknown>>): string | undefined {
  if (from !== undefined || to !== undefined || typeof error !== 'object' || error === null) return undefined;
  const { category, jobId } = error as { category?: unknown; jobId?: unknown };
  return category === INVALID_JOB ? String(jobId) : undefined;
}

/** @returns the object, or the fault of the text */
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

/** @returns the numbers that the line writes for this side */
function writtenNumbers(text: string, side: 'from' | 'to'): string[] {
  const pattern = new RegExp(`${side}"\\s*:\\s*(?:\\{\\s*"id"\\s*:\\s*)?([-+.\\deE]+)`, 'gi');
  return [...text.matchAll(pattern)].map(match => match[1] ?? '');
}

const WHOLE_NUMBER = /^\d+\.0+$/;

/**
 * JSON.parse changes a number that it cannot represent exactly: 9007199254740993 becomes …992, and 9007199254740990.6 an
 * integer. So the text must contain exactly the integer that was parsed.
 */
function numberFault(written: readonly string[], side: 'from' | 'to', id: number): string | undefined {
  if (Number.isSafeInteger(id) && written.includes(String(id))) return undefined;
  return `${side}: ${written[0] ?? id} is not exactly an integer up to ${Number.MAX_SAFE_INTEGER}: give the id as a string`;
}
