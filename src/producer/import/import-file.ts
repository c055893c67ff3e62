/**
 * Enqueues the lines of a file in constant memory.
 * Responsible for:
 *   1. lots: one is in flight while the next is read. A lot is sent only after the previous one is acknowledged, so that
 *      after an interruption there is one line before which everything is enqueued for sure;
 *   2. reporting every refused line, including lines with an unknown label;
 *   3. --strict: it enqueues nothing before it has found every line valid.
 * Not responsible for parsing lines (csv.ts, ndjson.ts), nor for options and output (main.ts).
 */
import { saysTypes, type TypesOf, withTypes } from '../../labels/type-resolver.js';
import { ConfigError, EnqueueError, messageOf } from '../../shared/contract/errors.js';
import type { EnqueueOptions, Producer } from '../producer.js';
import { CsvParser } from './csv.js';
import type { LineDefaults, ParsedLines, RefusedLine } from './line.js';
import { NdjsonParser } from './ndjson.js';
import { readLines } from './read-lines.js';
import type { Source } from './source.js';

/** Associations of a lot: ten full jobs of one lane. Larger lots were no faster and took 10 MB more for each 5,000. */
const LOT_SIZE = 5_000;

export type ImportReport = {
  refused(refusals: readonly RefusedLine[]): void;
  /** warnings about the whole input, once */
  warned(warnings: readonly string[]): void;
  progress(bytesRead: number, associations: number): void;
};

export type Imported = {
  /** acknowledged */
  associations: number;
  jobs: number;
  refused: number;
  /** the import ended early: everything before `fromLine` is enqueued or refused, nothing from there on is acknowledged */
  interrupted?: { fromLine: number; reason: string };
};

export type ImportProducer = Pick<Producer, 'connected' | 'enqueueMany'> & { readonly typesOf: TypesOf };

/** @throws ConfigError if the whole input is unusable (header, missing options); nothing is enqueued in that case */
export async function importFile(
  source: Source,
  defaults: LineDefaults,
  strict: boolean,
  producer: ImportProducer,
  report: ImportReport,
  options: EnqueueOptions = {},
): Promise<Imported> {
  let isFirst = true;
  const onUsable = (warnings: readonly string[]) => {
    if (isFirst) report.warned(warnings);
    isFirst = false;
    return producer.connected();
  };
  const lines = () => typedLines(parsedLines(source, defaults, onUsable), producer.typesOf);
  if (strict) {
    const checked = await checkLines(lines(), report);
    if (checked.refused > 0 || checked.interrupted) return checked;
  }
  return enqueueLines(lines(), producer, report, options);
}

async function checkLines(chunks: AsyncIterable<Parsed>, report: ImportReport): Promise<Imported> {
  const checked: Imported = { associations: 0, jobs: 0, refused: 0 };
  try {
    for await (const { refusals } of chunks) {
      report.refused(refusals);
      checked.refused += refusals.length;
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    checked.interrupted = { fromLine: 1, reason: messageOf(error) };
  }
  return checked;
}

type Parsed = ParsedLines & { bytesRead: number };

/** @param onUsable called with the warnings and awaited once the whole input proves usable, before anything is yielded */
async function* parsedLines(
  source: Source,
  defaults: LineDefaults,
  onUsable: (warnings: readonly string[]) => Promise<void>,
): AsyncGenerator<Parsed> {
  const parser = source.format === 'csv' ? new CsvParser(defaults) : new NdjsonParser(defaults);
  let parsed: Parsed = { associations: [], lines: [], refusals: [], bytesRead: 0 };
  let isFirst = true;
  for await (const { firstLine, lines, bytesRead } of readLines(source.open())) {
    parsed = { associations: [], lines: [], refusals: [], bytesRead };
    for (const [index, text] of lines.entries()) parser.feed(text, firstLine + index, parsed);
    if (isFirst) {
      refuseWhole(parser.problems());
      await onUsable(parser.warnings());
    }
    isFirst = false;
    yield parsed;
  }
  const last: Parsed = { associations: [], lines: [], refusals: [], bytesRead: parsed.bytesRead };
  parser.end(last);
  if (isFirst && source.format === 'csv') refuseWhole(parser.problems());
  yield last;
}

/**
 * Resolves the types of lines that have a label, or neither label nor types. Refuses lines with an unknown label. If labels
 * cannot be looked up, the input ends before the first line of the chunk.
 */
async function* typedLines(chunks: AsyncIterable<Parsed>, typesOf: TypesOf): AsyncGenerator<Parsed> {
  for await (const chunk of chunks) {
    if (chunk.associations.every(saysTypes)) {
      yield chunk;
      continue;
    }
    const typed: Parsed = { ...chunk, associations: [], lines: [], refusals: [...chunk.refusals] };
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

async function enqueueLines(
  chunks: AsyncIterable<Parsed>,
  producer: Pick<ImportProducer, 'enqueueMany'>,
  report: ImportReport,
  options: EnqueueOptions,
): Promise<Imported> {
  const done: Imported = { associations: 0, jobs: 0, refused: 0 };
  let lot: Pick<Parsed, 'associations' | 'lines'> = { associations: [], lines: [] };
  let sending = Promise.resolve();
  let lastLine = 0;
  const sendLot = async () => {
    const { associations, lines } = lot;
    lot = { associations: [], lines: [] };
    await sending;
    if (!done.interrupted && associations.length > 0) sending = send(associations, lines[0] ?? 0);
  };
  const send = async (associations: Parsed['associations'], fromLine: number) => {
    try {
      const enqueued = await producer.enqueueMany(associations, options);
      done.associations += enqueued.associations;
      done.jobs += enqueued.jobs;
    } catch (error) {
      const reason = messageOf(error instanceof EnqueueError ? error.cause : error);
      done.interrupted = { fromLine, reason };
    }
  };
  try {
    for await (const { associations, lines, refusals, bytesRead } of chunks) {
      report.refused(refusals);
      done.refused += refusals.length;
      for (const [index, association] of associations.entries()) {
        lot.associations.push(association);
        lot.lines.push(lines[index] ?? 0);
        if (lot.associations.length >= LOT_SIZE) await sendLot();
      }
      lastLine = lines.at(-1) ?? lastLine;
      report.progress(bytesRead, done.associations);
      if (done.interrupted) return done;
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    // The input broke off: enqueue the lines before and report the line to continue from.
    await sendLot();
    await sending;
    done.interrupted ??= { fromLine: lastLine + 1, reason: messageOf(error) };
    return done;
  }
  await sendLot();
  await sending;
  return done;
}
