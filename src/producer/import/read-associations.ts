/**
 * Reads a file chunk by chunk, in constant memory: bytes → lines → associations with types, and refusals.
 * Responsible for:
 *   1. refusing the whole input before anything of it is yielded (header, missing options);
 *   2. resolving labels, and refusing the lines whose label is unknown;
 *   3. saying with each chunk up to which line everything has been yielded.
 * Not responsible for parsing a line (csv.ts, ndjson.ts), nor for what becomes of the associations.
 */
import type { Wish } from '../../labels/choose-types.js';
import { type Resolved, saysTypes, type TypesOf, withTypes } from '../../labels/type-resolver.js';
import { ConfigError } from '../../shared/contract/errors.js';
import { CsvParser } from './csv.js';
import {
  type FileLayout,
  LABEL_SEPARATOR,
  type LineParser,
  labelsOf,
  noLines,
  type ParsedLines,
  type Reading,
  type Understanding,
} from './line.js';
import { NdjsonParser } from './ndjson.js';
import { readLines } from './read-lines.js';
import type { Source } from './source.js';

/**
 * The result of some lines. `lines` ascends; a line with several ids has several associations in a row, all of them in
 * one chunk. Everything of the lines up to `upTo` is in this chunk or in an earlier one: enqueued, refused or blank.
 */
export type Chunk = ParsedLines & { bytesRead: number; upTo: number };

export type FileUnderstanding = Understanding & { readonly encoding: string };

export type ReadingEvents = {
  /** awaited once the whole input proves usable, before anything is yielded */
  usable(warnings: readonly string[], layout: FileLayout, understood: FileUnderstanding): Promise<void>;
  /** after the last line: what was repaired or skipped */
  ended?(notes: readonly string[]): void;
};

/**
 * @throws ConfigError if the whole input is unusable
 * @throws LabelLookupError if labels cannot be looked up; the chunk of the line has not been yielded then
 */
export function readAssociations(
  source: Source,
  reading: Reading,
  typesOf: TypesOf,
  events: ReadingEvents,
): AsyncGenerator<Chunk> {
  return typedLines(parsedLines(source, reading, events), typesOf);
}

/** The lines as they are written: labels are not looked up. */
export async function* parsedLines(
  source: Source,
  reading: Reading,
  { usable, ended }: ReadingEvents,
): AsyncGenerator<Chunk> {
  const parser: LineParser = source.format === 'csv' ? new CsvParser(reading) : new NdjsonParser(reading);
  let lastLine = 0;
  let chunk: Chunk = { ...noLines(), bytesRead: 0, upTo: 0 };
  let isFirst = true;
  let isEmpty = true;
  for await (const { firstLine, lines, isPlain, encoding, bytesRead } of readLines(
    source.open(),
    reading.encoding,
  )) {
    lastLine = firstLine + lines.length - 1;
    chunk = { ...noLines(), bytesRead, upTo: lastLine };
    for (const [index, text] of lines.entries()) parser.feed(text, firstLine + index, chunk);
    if (isFirst) {
      refuseWhole(parser.problems());
      const understood = { ...parser.understood(), encoding };
      await usable(parser.warnings(), { ...parser.layout(), isPlain }, understood);
    }
    isFirst = false;
    const open = parser.openSince();
    if (open !== undefined) chunk.upTo = open - 1;
    isEmpty &&= saysNothing(chunk);
    yield chunk;
  }
  const last: Chunk = { ...noLines(), bytesRead: chunk.bytesRead, upTo: lastLine };
  parser.end(last);
  if (isFirst && source.format === 'csv') refuseWhole(parser.problems());
  isEmpty &&= saysNothing(last);
  yield last;
  ended?.([...parser.notes(), ...(isEmpty ? ['the file has no associations'] : [])]);
}

/** True of a header, of blank lines and of lines that are skipped. */
const saysNothing = ({ associations, refusals }: ParsedLines): boolean =>
  associations.length + refusals.length === 0;

async function* typedLines(chunks: AsyncIterable<Chunk>, typesOf: TypesOf): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) {
    if (chunk.associations.every(saysTypes)) {
      yield chunk;
      continue;
    }
    const typed: Chunk = { ...chunk, ...noLines(), refusals: [...chunk.refusals] };
    for (const [index, association] of chunk.associations.entries()) {
      const [line, text] = [chunk.lines[index] ?? 0, chunk.texts[index] ?? ''];
      const answer = resolved(association, typesOf);
      const { types, fault } = answer instanceof Promise ? await answer : answer;
      if (fault === undefined) {
        typed.associations.push(withTypes(association, types));
        typed.lines.push(line);
        typed.texts.push(text);
      } else if (typed.refusals.at(-1)?.line !== line) typed.refusals.push({ line, reasons: [fault], text });
    }
    typed.refusals.sort((one, other) => one.line - other.line);
    yield typed;
  }
}

/** A label may be several, as a cell has them. */
export function resolved(wish: Wish, typesOf: TypesOf): Resolved | Promise<Resolved> {
  const { label } = wish;
  return label?.includes(LABEL_SEPARATOR) ? manyLabels(wish, labelsOf(label), typesOf) : typesOf(wish);
}

/** A line with several labels gets the types of all of them. */
async function manyLabels(wish: Wish, labels: readonly string[], typesOf: TypesOf): Promise<Resolved> {
  let types = wish.types;
  for (const label of labels) {
    const found = await typesOf({ ...wish, types, label });
    if (found.fault !== undefined) return found;
    types = found.types;
  }
  return { types: types ?? [] };
}

function refuseWhole(problems: readonly string[]): void {
  if (problems.length > 0) throw new ConfigError(problems);
}

/** Leaves out everything up to a line, for an import that goes on after it. */
export async function* afterLine(chunks: AsyncIterable<Chunk>, line: number): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) {
    const first = chunk.lines.findIndex(number => number > line);
    const from = first < 0 ? chunk.lines.length : first;
    yield {
      ...chunk,
      associations: chunk.associations.slice(from),
      lines: chunk.lines.slice(from),
      texts: chunk.texts.slice(from),
      refusals: chunk.refusals.filter(refusal => refusal.line > line),
    };
  }
}
