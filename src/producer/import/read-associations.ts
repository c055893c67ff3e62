/**
 * Reads a file chunk by chunk, in constant memory: bytes → lines → associations with types, and refusals.
 * Responsible for:
 *   1. refusing the whole input before anything of it is yielded (header, missing options);
 *   2. resolving labels, and refusing the lines whose label is unknown;
 *   3. saying with each chunk up to which line everything has been yielded.
 * Not responsible for parsing a line (csv.ts, ndjson.ts), nor for what becomes of the associations.
 */
import { saysTypes, type TypesOf, withTypes } from '../../labels/type-resolver.js';
import { ConfigError } from '../../shared/contract/errors.js';
import { CsvParser } from './csv.js';
import type { LineDefaults, LineParser, ParsedLines } from './line.js';
import { NdjsonParser } from './ndjson.js';
import { readLines } from './read-lines.js';
import type { Source } from './source.js';

/** How the lines of a file are read. It can be written as JSON, so that the same file can be read again in the same way. */
export type Reading = { readonly defaults: LineDefaults };

/**
 * The result of some lines. `lines` ascends; a line with several ids has several associations in a row, all of them in
 * one chunk. Everything of the lines up to `upTo` is in this chunk or in an earlier one: enqueued, refused or blank.
 */
export type Chunk = ParsedLines & { bytesRead: number; upTo: number };

/**
 * @param onUsable called with the warnings and awaited once the whole input proves usable, before anything is yielded
 * @throws ConfigError if the whole input is unusable
 * @throws LabelLookupError if labels cannot be looked up; the chunk of the line has not been yielded then
 */
export function readAssociations(
  source: Source,
  reading: Reading,
  typesOf: TypesOf,
  onUsable: (warnings: readonly string[]) => Promise<void>,
): AsyncGenerator<Chunk> {
  return typedLines(parsedLines(source, reading, onUsable), typesOf);
}

async function* parsedLines(
  source: Source,
  { defaults }: Reading,
  onUsable: (warnings: readonly string[]) => Promise<void>,
): AsyncGenerator<Chunk> {
  const parser: LineParser = source.format === 'csv' ? new CsvParser(defaults) : new NdjsonParser(defaults);
  let chunk: Chunk = emptyChunk(0, 0);
  let isFirst = true;
  for await (const { firstLine, lines, bytesRead } of readLines(source.open())) {
    chunk = emptyChunk(bytesRead, firstLine + lines.length - 1);
    for (const [index, text] of lines.entries()) parser.feed(text, firstLine + index, chunk);
    if (isFirst) {
      refuseWhole(parser.problems());
      await onUsable(parser.warnings());
    }
    isFirst = false;
    const open = parser.openSince();
    if (open !== undefined) chunk.upTo = open - 1;
    yield chunk;
  }
  const last = emptyChunk(chunk.bytesRead, chunk.upTo);
  parser.end(last);
  if (isFirst && source.format === 'csv') refuseWhole(parser.problems());
  last.upTo = Math.max(last.upTo, last.lines.at(-1) ?? 0, last.refusals.at(-1)?.line ?? 0);
  yield last;
}

const emptyChunk = (bytesRead: number, upTo: number): Chunk => ({
  associations: [],
  lines: [],
  refusals: [],
  bytesRead,
  upTo,
});

async function* typedLines(chunks: AsyncIterable<Chunk>, typesOf: TypesOf): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) {
    if (chunk.associations.every(saysTypes)) {
      yield chunk;
      continue;
    }
    const typed: Chunk = { ...chunk, associations: [], lines: [], refusals: [...chunk.refusals] };
    for (const [index, association] of chunk.associations.entries()) {
      const line = chunk.lines[index] ?? 0;
      const answer = typesOf(association);
      const resolved = answer instanceof Promise ? await answer : answer;
      if (resolved.fault === undefined) {
        typed.associations.push(withTypes(association, resolved.types));
        typed.lines.push(line);
      } else typed.refusals.push({ line, reasons: [resolved.fault] });
    }
    typed.refusals.sort((one, other) => one.line - other.line);
    yield typed;
  }
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
      refusals: chunk.refusals.filter(refusal => refusal.line > line),
    };
  }
}
