/**
 * Imports a file: from its lines to a request.
 * Responsible for:
 *   1. the order: the whole input proves usable, then the request is opened, then lines are enqueued;
 *   2. --strict: it enqueues nothing before it has found every line valid;
 *   3. recognising a file: it goes on with an interrupted request of the same file (--resume), and does not enqueue a file
 *      twice without --again.
 * Not responsible for reading lines (read-associations.ts), sending them (enqueue-lines.ts), nor for output (main.ts).
 */
import { createHash, randomUUID } from 'node:crypto';
import { ConfigError, messageOf } from '../../shared/contract/errors.js';
import type { Priority } from '../../shared/contract/keys.js';
import type { RequestView } from '../../shared/state/requests.js';
import { Packer } from '../packer.js';
import type { FileProducer } from '../producer.js';
import type { Opening, OpenReply } from '../request-sender.js';
import { type Begin, enqueueLines, type Imported } from './enqueue-lines.js';
import type { FileLayout, Reading, RefusedLine } from './line.js';
import type { FileOptions } from './original-file.js';
import { afterLine, type Chunk, type ReadingEvents, readAssociations } from './read-associations.js';
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
): Promise<Imported | { readonly refused: number; readonly interrupted?: { readonly reason: string } }> {
  const job = given.resume === undefined ? given : await asBefore(given, given.resume, producer);
  const { source, reading, strict, priority, name, how } = job;
  const id = job.resume ?? randomUUID();
  const request = producer.fileRequest({ id, name, priority });
  let begin: Begin = { associations: 0, jobs: 0, refused: 0, line: 0 };
  let isFirst = true;
  const usable: ReadingEvents['usable'] = (warnings, layout) => {
    if (isFirst) report.usable(warnings, layout);
    isFirst = false;
    return producer.connected();
  };
  const lines = (events: ReadingEvents) => readAssociations(source, reading, producer.typesOf, events);
  if (strict) {
    const checked = await checkLines(lines({ usable }), report);
    if (checked.refused > 0 || checked.interrupted) return checked;
  }
  const file = await fileOf(job);
  const opened: ReadingEvents['usable'] = async (warnings, layout) => {
    await usable(warnings, layout);
    const reply = await request.open({ how, ...(file && { file }) });
    if (reply.outcome !== 'opened' && reply.outcome !== 'resumed')
      throw new ConfigError([await refusalOf(reply, id, job.path ?? '', producer)]);
    begin = { associations: reply.accepted, jobs: reply.jobs, refused: reply.refused, line: reply.line };
    report.opened(id);
  };
  const all = lines({ usable: opened, ended: notes => report.noted(notes) });
  const origin = { ...producer.origin, requestId: id };
  return enqueueLines(
    reported(
      afterBegin(all, () => begin.line),
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

type Checked = { refused: number; interrupted?: { reason: string } };

async function checkLines(chunks: AsyncIterable<Chunk>, report: ImportReport): Promise<Checked> {
  const checked: Checked = { refused: 0 };
  try {
    for await (const { refusals } of chunks) {
      report.refused(refusals);
      checked.refused += refusals.length;
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    checked.interrupted = { reason: messageOf(error) };
  }
  return checked;
}

/** How the file is read is part of what it is: with other options the same bytes are other associations. */
async function fileOf({ source, reading, priority, path }: ImportJob): Promise<Opening['file']> {
  if (path === undefined) return undefined;
  const sha256 = await sha256Of(source);
  const options = { reading, priority, format: source.format } satisfies FileOptions;
  const hash = createHash('sha256')
    .update(`${sha256}\n${JSON.stringify(reading)}`)
    .digest('hex');
  return { hash, about: { path, bytes: source.bytes ?? 0, sha256, options } };
}

/**
 * Takes the options that are not given from the interrupted request.
 * @throws ConfigError if there is no such request
 */
async function asBefore(job: ImportJob, id: string, producer: ImportProducer): Promise<ImportJob> {
  await producer.connected();
  const before = await producer.request(id);
  if (!before)
    throw new ConfigError([
      `--resume ${id}: there is no such request, or it is no longer kept (give its whole id, as requests list --json shows it)`,
    ]);
  if (!before.file) return job; // open-request.lua says why
  const { reading, priority } = before.file.options as Partial<Pick<ImportJob, 'reading' | 'priority'>>;
  const { defaults, ...others } = job.reading;
  // options that are given must say the same; otherwise open-request.lua refuses them
  const all = { ...reading, ...others, defaults: { ...reading?.defaults, ...defaults } };
  return { ...job, reading: reading ? all : job.reading, priority: priority ?? job.priority };
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
      return `--resume ${id}: this request was cancelled`;
    case 'done':
      return `--resume ${id}: everything of this request is enqueued`;
    default:
      return `a request ${id} exists already`;
  }
}

function sameFile(path: string, id: string, view: RequestView | undefined): string {
  const before = view
    ? `request ${id} of ${view.enqueuedAt}${view.by ? ` by ${view.by}` : ''} (${view.state}: ${view.created} created, ${view.rejected} rejected, ${view.queued} queued)`
    : `request ${id}`;
  const remedy =
    view?.state === 'interrupted'
      ? `go on with it (--resume ${id}), or`
      : 'if it is meant to be enqueued again,';
  return `${path} was enqueued before: ${before}; ${remedy} add --again`;
}
