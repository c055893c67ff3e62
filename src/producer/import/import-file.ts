/**
 * Imports a file: from its lines to a request.
 * Responsible for:
 *   1. the order: the whole input proves usable, then the request is opened, then lines are enqueued;
 *   2. --strict: it enqueues nothing before it has found every line valid;
 *   3. it goes on with an interrupted request of the same file (--resume), and does not enqueue a file twice without --again.
 * Not responsible for recognising a file (same-file.ts), reading lines (read-associations.ts), sending them (enqueue-lines.ts), nor for output (main.ts).
 */
import { randomUUID } from 'node:crypto';
import type { TypesOf } from '../../labels/type-resolver.js';
import { ConfigError, messageOf } from '../../shared/contract/errors.js';
import type { Priority } from '../../shared/contract/keys.js';
import type { RequestView } from '../../shared/state/requests.js';
import { Packer } from '../packer.js';
import type { FileProducer } from '../producer.js';
import type { Opening, OpenReply } from '../request-sender.js';
import { type Begin, enqueueLines, type ImportEnd, type Interruption } from './enqueue-lines.js';
import type { FileLayout, Reading, RefusedLine } from './line.js';
import type { FileOptions } from './original-file.js';
import {
  afterLine,
  type Chunk,
  type FileUnderstanding,
  type ReadingEvents,
  readAssociations,
} from './read-associations.js';
import { fileHash, type OwnTypes, sameFile, typesOfOthers } from './same-file.js';
import { type Source, sha256Of } from './source.js';

export type ImportReport = {
  /** the request is opened, or an interrupted one goes on */
  opened(requestId: string): void;
  /** the input as a whole is usable; once */
  usable(warnings: readonly string[], layout: FileLayout): void;
  /** after the last line: what was repaired or skipped */
  noted(notes: readonly string[]): void;
  refused(refusals: readonly RefusedLine[]): void;
  /** lines that are about to be enqueued */
  read(chunk: Chunk): void;
  progress(bytesRead: number, associations: number): void;
};

export type ImportJob = {
  readonly source: Source;
  readonly reading: Reading;
  readonly strict: boolean;
  readonly priority: Priority;
  /** for people; default: the name of the file */
  readonly name: string | undefined;
  /** undefined: the input cannot be read again, such as standard input */
  readonly path: string | undefined;
  readonly how: Opening['how'];
  /** request to go on with; undefined: a new one */
  readonly resume: string | undefined;
};

export type ImportProducer = Pick<
  FileProducer,
  'connected' | 'typesOf' | 'onLane' | 'origin' | 'fileRequest' | 'request'
>;

/** @throws ConfigError if the whole input is unusable, or the request cannot be opened; nothing is enqueued in that case */
export async function importFile(
  given: ImportJob,
  producer: ImportProducer,
  report: ImportReport,
  signal: AbortSignal,
): Promise<ImportEnd> {
  const before = given.resume === undefined ? undefined : await requestBefore(given.resume, producer);
  const { types, ...job } = before ? asBefore(given, before) : { ...given, types: undefined };
  const { source, reading, strict, priority, name, how } = job;
  const id = job.resume ?? randomUUID();
  const request = producer.fileRequest({ id, name, priority });
  let begin: Begin | undefined;
  let isFirst = true;
  const usable = (warnings: readonly string[], layout: FileLayout) => {
    if (isFirst) report.usable(warnings, layout);
    isFirst = false;
    return producer.connected();
  };
  const lines = (events: ReadingEvents) => readAssociations(source, reading, producer.typesOf, events);
  if (strict) {
    const checked = await checkLines(lines({ usable }), report, signal);
    if (checked.refused > 0 || checked.interrupted) return checked;
  }
  const read = job.path === undefined ? undefined : { sha256: await sha256Of(source), types };
  if (signal.aborted) return { refused: 0, interrupted: { reason: String(signal.reason) } };
  const opened: ReadingEvents['usable'] = async (warnings, layout, understood) => {
    await usable(warnings, layout);
    const file = read && (await fileOf(job, read, understood, producer.typesOf));
    const reply = await request.open({ how, ...(file && { file }) });
    if (reply.outcome !== 'opened' && reply.outcome !== 'resumed')
      throw new ConfigError([await refusalOf(reply, id, job.path ?? '', producer)]);
    begin = { associations: reply.accepted, jobs: reply.jobs, refused: reply.refused, line: reply.line };
    report.opened(id);
  };
  const all = lines({ usable: opened, ended: notes => report.noted(notes) });
  // its jobs say the same source as before
  const { source: text = producer.origin.source } = before ?? {};
  const origin = { ...(text !== undefined && { source: text }), requestId: id };
  return enqueueLines(
    reported(
      afterBegin(all, () => begin?.line ?? 0),
      report,
    ),
    () => begin,
    {
      request,
      signal,
      packer: new Packer(origin, undefined, producer.onLane),
      onChunk({ refusals, bytesRead }, associations) {
        report.refused(refusals);
        report.progress(bytesRead, associations);
      },
    },
  );
}

async function* reported(chunks: AsyncIterable<Chunk>, report: ImportReport): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) {
    report.read(chunk);
    yield chunk;
  }
}

/** The line is known only when the first chunk comes. */
async function* afterBegin(chunks: AsyncGenerator<Chunk>, line: () => number): AsyncGenerator<Chunk> {
  const first = await chunks.next();
  if (first.done) return;
  async function* again() {
    yield first.value as Chunk;
    yield* chunks;
  }
  yield* line() === 0 ? again() : afterLine(again(), line());
}

type Checked = { refused: number; interrupted?: Interruption };

async function checkLines(
  chunks: AsyncIterable<Chunk>,
  report: ImportReport,
  signal: AbortSignal,
): Promise<Checked> {
  const checked: Checked = { refused: 0 };
  try {
    for await (const { refusals } of chunks) {
      report.refused(refusals);
      checked.refused += refusals.length;
      if (signal.aborted) break;
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    checked.interrupted = { reason: messageOf(error) };
  }
  if (signal.aborted) checked.interrupted = { reason: String(signal.reason) };
  return checked;
}

/** What is known of a file before it is understood: its content, and of an interrupted request the types it had. */
type Read = { readonly sha256: string; readonly types?: OwnTypes | undefined };

/** How the lines are understood is part of what a file is: understood otherwise, the same bytes are other associations. */
async function fileOf(
  { source, reading, priority, path = '' }: ImportJob,
  { sha256, ...read }: Read,
  understood: FileUnderstanding,
  typesOf: TypesOf,
): Promise<NonNullable<Opening['file']>> {
  const { format } = source;
  const types = read.types === undefined ? await typesOfOthers(understood, typesOf) : read.types;
  const options = { reading, priority, format, types } satisfies FileOptions;
  const hash = fileHash({ sha256, format, reading, understood, types });
  return { hash, about: { path, bytes: source.bytes ?? 0, sha256, options } };
}

/** @returns the request to go on with @throws ConfigError if there is none */
async function requestBefore(id: string, producer: ImportProducer): Promise<RequestView> {
  await producer.connected();
  const before = await producer.request(id);
  if (before) return before;
  throw new ConfigError([
    `--resume ${id}: there is no such request, or it is no longer kept (give its whole id, as requests list --json shows it)`,
  ]);
}

/**
 * Takes the options that are not given from the interrupted request. With the same options its types are those of then: HubSpot
 * may be away by now, or have renamed a label.
 */
function asBefore(job: ImportJob, before: RequestView): ImportJob & Pick<Read, 'types'> {
  if (!before.file) return job; // open-request.lua says why
  const { reading, priority, types } = before.file.options as Partial<FileOptions & ImportJob>;
  const { defaults, ...others } = job.reading;
  // options that are given must say the same; otherwise open-request.lua refuses them
  const all = { ...reading, ...others, defaults: { ...reading?.defaults, ...defaults } };
  const isSame = JSON.stringify(all.defaults) === JSON.stringify(reading?.defaults);
  return {
    ...job,
    reading: reading ? all : job.reading,
    priority: priority ?? job.priority,
    types: isSame ? types : undefined,
  };
}

async function refusalOf(
  { outcome, other }: OpenReply,
  id: string,
  path: string,
  producer: ImportProducer,
): Promise<string> {
  switch (outcome) {
    case 'same':
      return sameFile(path, other, await producer.request(other));
    case 'unknown':
      return `--resume ${id}: there is no such request, or it is no longer kept`;
    case 'differs':
      return `--resume ${id}: this request is not of this file, or the file has changed since, or other options are given than before (leave them out: the request has them)`;
    case 'enqueueing':
      return `--resume ${id}: its process still enqueues it, or ended less than 15 s ago`;
    case 'cancelled':
      return `--resume ${id}: this request was cancelled; to enqueue the file once more, give --again and its options instead`;
    case 'done':
      return `--resume ${id}: everything of this request is enqueued`;
    default:
      return `a request ${id} exists already`;
  }
}
