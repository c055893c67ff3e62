/**
 * Enqueues the lines of a file in constant memory.
 * Responsible for:
 *   1. lots: one is in flight while the next is read. A lot is sent only after the previous one is acknowledged, so that
 *      after an interruption there is one line before which everything is enqueued for sure;
 *   2. reporting every refused line, including lines with an unknown label;
 *   3. --strict: it enqueues nothing before it has found every line valid.
 * Not responsible for reading lines (read-associations.ts), nor for options and output (main.ts).
 */
import type { TypesOf } from '../../labels/type-resolver.js';
import { ConfigError, EnqueueError, messageOf } from '../../shared/contract/errors.js';
import type { EnqueueOptions, Producer } from '../producer.js';
import type { Layout, Reading, RefusedLine } from './line.js';
import { type Chunk, type ReadingEvents, readAssociations } from './read-associations.js';
import type { Source } from './source.js';

/** Associations of a lot: ten full jobs of one lane. Larger lots were no faster and took 10 MB more for each 5,000. */
const LOT_SIZE = 5_000;

export type ImportReport = {
  /** the input as a whole is usable; once */
  usable(warnings: readonly string[], layout: Layout): void;
  /** after the last line: what was repaired or skipped */
  noted(notes: readonly string[]): void;
  refused(refusals: readonly RefusedLine[]): void;
  /** lines that are about to be enqueued */
  read(chunk: Chunk): void;
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
  reading: Reading,
  strict: boolean,
  producer: ImportProducer,
  report: ImportReport,
  options: EnqueueOptions = {},
): Promise<Imported> {
  let isFirst = true;
  const events: ReadingEvents = {
    usable(warnings, layout) {
      if (isFirst) report.usable(warnings, layout);
      isFirst = false;
      return producer.connected();
    },
    ended: notes => report.noted(notes),
  };
  const lines = (reported: ReadingEvents) => readAssociations(source, reading, producer.typesOf, reported);
  if (strict) {
    const checked = await checkLines(lines({ usable: events.usable }), report);
    if (checked.refused > 0 || checked.interrupted) return checked;
  }
  return enqueueLines(reported(lines(events), report), producer, report, options);
}

async function checkLines(chunks: AsyncIterable<Chunk>, report: ImportReport): Promise<Imported> {
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

async function* reported(chunks: AsyncIterable<Chunk>, report: ImportReport): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) {
    report.read(chunk);
    yield chunk;
  }
}

async function enqueueLines(
  chunks: AsyncIterable<Chunk>,
  producer: Pick<ImportProducer, 'enqueueMany'>,
  report: ImportReport,
  options: EnqueueOptions,
): Promise<Imported> {
  const done: Imported = { associations: 0, jobs: 0, refused: 0 };
  let lot: Pick<Chunk, 'associations' | 'lines'> = { associations: [], lines: [] };
  let sending = Promise.resolve();
  let lastLine = 0;
  const sendLot = async () => {
    const { associations, lines } = lot;
    lot = { associations: [], lines: [] };
    await sending;
    if (!done.interrupted && associations.length > 0) sending = send(associations, lines[0] ?? 0);
  };
  const send = async (associations: Chunk['associations'], fromLine: number) => {
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
