/**
 * `association-queue enqueue FILE`: imports the file, or says what an import would do; prints the result, chooses the exit
 * code. import-file.ts reads the lines and sends them to Redis.
 */
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { HubSpotOptions } from '../labels/hubspot-options.js';
import { ConfigError } from '../shared/contract/errors.js';
import { type Config, parseConfig } from '../shared/runtime/config.js';
import { startTracing } from '../shared/runtime/start-tracing.js';
import { harmless } from '../shared/runtime/text.js';
import { ConsoleReport } from './import/console-report.js';
import { type DryRun, dryRun } from './import/dry-run.js';
import { type ImportJob, importFile } from './import/import-file.js';
import { type EnqueueOptions, formatProblems, readOptions } from './import/options.js';
import { type CallLimits, callsText } from './import/plan.js';
import { type Progress, startProgress } from './import/progress.js';
import { RefusedFile, refusedFileProblem } from './import/refused-file.js';
import { fileSource, type Source, stdinSource, withCopy } from './import/source.js';
import { openProducer } from './producer.js';

export type Terminal = { stdin: Readable; stdout: NodeJS.WritableStream; stderr: NodeJS.WriteStream };

/** The part of the configuration that the command needs. It uses `hubspot` only to look up labels. */
export type EnqueueConfig = Pick<Config, 'redisUrl' | 'queuePrefix'> &
  Partial<Pick<Config, 'requestRetentionDays'>> & {
    readonly hubspot?: HubSpotOptions;
    /** for the time that an import takes at HubSpot; default: the defaults of the settings */
    readonly limits?: CallLimits;
  };

export type Enqueued = {
  /** exit code: 0, or 1 if a line was refused, Redis was lost, labels could not be looked up, or the signal was aborted */
  readonly code: number;
  /** undefined: nothing is enqueued */
  readonly requestId?: string;
  /** the rest of the file is not enqueued */
  readonly isInterrupted?: boolean;
};

/**
 * @param signal aborted with a text for people when the import must stop: everything that was read is then enqueued
 * @throws ConfigError with every problem of the options and of the whole file; nothing is enqueued in that case
 */
export async function runEnqueue(
  config: EnqueueConfig,
  options: EnqueueOptions,
  terminal: Terminal = process,
  signal: AbortSignal = new AbortController().signal,
): Promise<Enqueued> {
  const { reading, priority, source } = readCommand(options, terminal.stdin);
  const limits = config.limits ?? parseConfig({});
  const tracing = await startTracing('enqueue', process.env);
  let warn: Progress['print'] = text => terminal.stderr.write(text);
  const producer = openProducer({
    redisUrl: config.redisUrl,
    prefix: config.queuePrefix,
    ...(config.hubspot && { hubspot: config.hubspot }),
    ...(config.requestRetentionDays !== undefined && { requestRetentionDays: config.requestRetentionDays }),
    onWarning: warning => warn(`warning: ${harmless(warning)}\n`),
    ...(options.source !== undefined && { source: options.source }),
  });
  /** Runs with a progress bar, which is gone before the result is printed. */
  const reported = async <T>(input: Source, run: (report: ConsoleReport) => Promise<T>): Promise<T> => {
    const progress = startProgress(terminal.stderr, input.bytes);
    warn = progress.print;
    const report = new ConsoleReport(progress, refusedFile(options), terminal.stdout);
    try {
      return await run(report);
    } finally {
      report.end();
      progress.stop();
    }
  };
  const enqueue = async (input: Source): Promise<Enqueued> => {
    const { imported, calls } = await reported(input, async report => ({
      imported: await importFile(
        importJob(options, { source: input, reading, priority }),
        producer,
        report,
        signal,
      ),
      calls: report.tally.calls(limits),
    }));
    if (!imported.interrupted && calls > 0) terminal.stdout.write(`${callsText(calls, limits)}\n`);
    return tell(imported, options.file, terminal);
  };
  // a read of standard input may wait for ever
  const unread = () => terminal.stdin.destroy();
  if (options.file === '-') signal.addEventListener('abort', unread, { once: true });
  try {
    if (options.dryRun) {
      const tried = await reported(source, report =>
        dryRun(source, reading, producer.typesOf, report, limits),
      );
      return { code: tellDryRun(tried, terminal) };
    }
    return await (options.strict && options.file === '-' ? withCopy(source, enqueue) : enqueue(source));
  } finally {
    signal.removeEventListener('abort', unread);
    await producer.close();
    await tracing?.stop();
  }
}

/** @throws ConfigError with every problem of the options and of the file's name */
function readCommand(options: EnqueueOptions, stdin: Readable) {
  const { reading, format, priority, problems } = readOptions(options);
  const { file, refused } = options;
  const opened = file === '-' ? { source: stdinSource(stdin, format) } : fileSource(file, format);
  if (refused !== undefined && path.resolve(refused) === path.resolve(file))
    problems.push('--refused names the file that is read: give another one');
  const unwritable = refused === undefined ? undefined : refusedFileProblem(refused);
  if (unwritable !== undefined) problems.push(unwritable);
  if (file === '-' && options.resume !== undefined)
    problems.push('--resume needs a file: standard input cannot be read again');
  if ('problems' in opened) throw new ConfigError([...problems, ...opened.problems]);
  problems.push(...formatProblems(options, opened.source.format));
  if (problems.length > 0) throw new ConfigError(problems);
  return { reading, priority, source: opened.source };
}

const refusedFile = ({ refused, resume }: EnqueueOptions): RefusedFile | undefined =>
  refused === undefined ? undefined : new RefusedFile(refused, { goesOn: resume !== undefined });

function importJob(
  { file, name, again, resume, strict = false }: EnqueueOptions,
  read: Pick<ImportJob, 'source' | 'reading' | 'priority'>,
): ImportJob {
  const place = file === '-' ? undefined : path.resolve(file);
  return {
    ...{ ...read, strict, resume, path: place },
    name: name ?? (place && path.basename(place)),
    how: resume !== undefined ? 'resume' : again ? 'again' : 'new',
  };
}

type Result = Awaited<ReturnType<typeof importFile>>;

function tell(imported: Result, file: string, { stdout, stderr }: Terminal): Enqueued {
  const { refused, interrupted } = imported;
  const { associations, jobs } = 'requestId' in imported ? imported : { associations: 0, jobs: 0 };
  if (interrupted) stderr.write(`${harmless(interrupted.reason)}\n${goOn(imported, file)}\n`);
  stdout.write(`enqueued ${associations} associations in ${jobs} jobs (${refused} lines refused)\n`);
  return {
    code: refused > 0 || interrupted ? 1 : 0,
    ...('requestId' in imported && { requestId: imported.requestId }),
    isInterrupted: interrupted !== undefined,
  };
}

/** Up to where it came, and the command that goes on from there. */
function goOn(imported: Result, file: string): string {
  if (!('requestId' in imported) || !imported.interrupted) return 'nothing is enqueued';
  const { requestId, interrupted } = imported;
  const { upTo } = interrupted;
  const done =
    upTo > 0 ? `everything up to line ${upTo} is enqueued or refused for sure` : 'nothing is enqueued yet';
  return file === '-'
    ? `${done}; enqueue the lines after it again`
    : `${done}; go on with: association-queue enqueue ${JSON.stringify(file)} --resume ${requestId}`;
}

function tellDryRun({ texts, warnings, isClean }: DryRun, { stdout, stderr }: Terminal): number {
  for (const warning of warnings) stderr.write(`warning: ${harmless(warning)}\n`);
  for (const text of texts) stdout.write(`${harmless(text)}\n`);
  return isClean ? 0 : 1;
}
