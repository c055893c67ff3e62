/**
 * `association-queue enqueue FILE`: imports the file, or says what an import would do; prints the result, chooses the exit
 * code. import-file.ts reads the lines and sends them to Redis.
 */
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { HubSpotOptions } from '../labels/hubspot-options.js';
import { ConfigError, RedisUnavailableError } from '../shared/contract/errors.js';
import { NOT_OVER } from '../shared/contract/exit-codes.js';
import { type Config, parseConfig } from '../shared/runtime/config.js';
import { startTracing } from '../shared/runtime/start-tracing.js';
import { harmless, shellWord } from '../shared/runtime/text.js';
import { ConsoleReport } from './import/console-report.js';
import { type DryRun, dryRun } from './import/dry-run.js';
import type { ImportEnd } from './import/enqueue-lines.js';
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
  Partial<Pick<Config, 'requestRetentionDays' | 'redis' | 'redisWaitReplicas'>> & {
    readonly hubspot?: HubSpotOptions;
    /** for the time that an import takes at HubSpot; default: the defaults of the settings */
    readonly limits?: CallLimits;
  };

export type Enqueued = {
  /** exit code: 1 if a line was refused or the request was cancelled, NOT_OVER if the import was interrupted, else 0 */
  readonly code: number;
  /** undefined: nothing is enqueued */
  readonly requestId?: string;
  /** the rest of the file is not enqueued yet */
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
    ...(config.redis && { redisLogin: config.redis.login }),
    prefix: config.queuePrefix,
    waitReplicas: config.redisWaitReplicas,
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
    return tell(imported, options, terminal);
  };
  // a read of standard input may wait for ever
  const unread = () => terminal.stdin.destroy();
  if (options.file === '-') signal.addEventListener('abort', unread, { once: true });
  try {
    if (options.dryRun) {
      const { file, again = false } = options;
      const job = { source, reading, file, again, limits, signal };
      return { code: tellDryRun(await reported(source, report => dryRun(job, producer, report)), terminal) };
    }
    return await (options.strict && options.file === '-' ? withCopy(source, enqueue) : enqueue(source));
  } catch (error) {
    const reason = interruptionIn(error, signal);
    if (reason === undefined) throw error;
    return tell({ refused: 0, interrupted: { reason } }, options, terminal);
  } finally {
    signal.removeEventListener('abort', unread);
    await producer.close();
    await tracing?.stop();
  }
}

/** @returns why nothing was enqueued, if the same command may work later */
function interruptionIn(error: unknown, signal: AbortSignal): string | undefined {
  if (error instanceof ConfigError) return undefined;
  if (signal.aborted) return String(signal.reason);
  return error instanceof RedisUnavailableError ? error.message : undefined;
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

function tell(imported: ImportEnd, options: EnqueueOptions, { stdout, stderr }: Terminal): Enqueued {
  const { refused, interrupted } = imported;
  const { associations, jobs } = 'requestId' in imported ? imported : { associations: 0, jobs: 0 };
  if (interrupted) stderr.write(`${harmless(interrupted.reason)}\n${harmless(goOn(imported, options))}\n`);
  // programs read this line, so it has one form for all numbers
  stdout.write(`enqueued ${associations} associations in ${jobs} jobs (${refused} lines refused)\n`);
  const isInterrupted = interrupted !== undefined && !interrupted.isCancelled;
  return {
    code: isInterrupted ? NOT_OVER : refused > 0 || interrupted ? 1 : 0,
    ...('requestId' in imported && { requestId: imported.requestId }),
    isInterrupted,
  };
}

/** Up to where it came, and the command that goes on from there. */
function goOn(imported: ImportEnd, { file, refused }: EnqueueOptions): string {
  if (!('requestId' in imported) || !imported.interrupted)
    return 'nothing is enqueued: the same command begins again';
  const { requestId, interrupted } = imported;
  const { upTo, isCancelled } = interrupted;
  if (isCancelled)
    return `what is still queued of it is taken back, and the rest of the file is not enqueued (what became of it: association-queue requests show ${requestId})`;
  const done =
    upTo > 0 ? `everything up to line ${upTo} is enqueued or refused for sure` : 'nothing is enqueued yet';
  if (file === '-') return `${done}; enqueue ${upTo > 0 ? 'the lines after it' : 'all lines'} again`;
  const more = refused === undefined ? '' : ` --refused ${shellWord(refused)}`;
  return `${done}; go on with: association-queue enqueue ${shellWord(file)} --resume ${requestId}${more}`;
}

function tellDryRun({ texts, warnings, isClean, isStopped }: DryRun, { stdout, stderr }: Terminal): number {
  for (const warning of warnings) stderr.write(`warning: ${harmless(warning)}\n`);
  for (const text of texts) stdout.write(`${harmless(text)}\n`);
  return isStopped ? NOT_OVER : isClean ? 0 : 1;
}
