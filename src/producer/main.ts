/**
 * `association-queue enqueue FILE`: imports the file, or says what an import would do; prints the result, chooses the exit
 * code. import-file.ts reads the lines and sends them to Redis.
 */
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { HubSpotOptions } from '../labels/open-labels.js';
import { ConfigError } from '../shared/contract/errors.js';
import { type Config, parseConfig } from '../shared/runtime/config.js';
import { harmless } from '../shared/runtime/text.js';
import { startTracing } from '../shared/runtime/tracing.js';
import { ConsoleReport } from './import/console-report.js';
import { type DryRun, dryRun } from './import/dry-run.js';
import { type Imported, importFile } from './import/import-file.js';
import { type EnqueueOptions, formatProblems, readOptions } from './import/options.js';
import { callsText, type Quota } from './import/plan.js';
import { type Progress, startProgress } from './import/progress.js';
import { RefusedFile, refusedFileProblem } from './import/refused-file.js';
import { fileSource, type Source, stdinSource, withCopy } from './import/source.js';
import { openProducer } from './producer.js';

export type Terminal = { stdin: Readable; stdout: NodeJS.WritableStream; stderr: NodeJS.WriteStream };

/** The part of the configuration that the command needs. It uses `hubspot` only to look up labels. */
export type EnqueueConfig = Pick<Config, 'redisUrl' | 'queuePrefix'> & {
  readonly hubspot?: HubSpotOptions;
  /** for the time that an import takes at HubSpot; default: the defaults of the settings */
  readonly quota?: Quota;
};

/**
 * @returns the exit code: 0, or 1 if a line was refused, Redis was lost, or labels could not be looked up
 * @throws ConfigError with every problem of the options and of the whole file; nothing is enqueued in that case
 */
export async function runEnqueue(
  config: EnqueueConfig,
  options: EnqueueOptions,
  terminal: Terminal = process,
): Promise<number> {
  const { reading, priority, source } = readCommand(options, terminal.stdin);
  const quota = config.quota ?? parseConfig({});
  const tracing = await startTracing('enqueue', process.env);
  let warn: Progress['print'] = text => terminal.stderr.write(text);
  const producer = openProducer({
    redisUrl: config.redisUrl,
    prefix: config.queuePrefix,
    ...(config.hubspot && { hubspot: config.hubspot }),
    onWarning: warning => warn(`warning: ${harmless(warning)}\n`),
    ...(options.source !== undefined && { source: options.source }),
  });
  /** Runs with a progress bar, which is gone before the result is printed. */
  const reported = async <T>(input: Source, run: (report: ConsoleReport) => Promise<T>): Promise<T> => {
    const progress = startProgress(terminal.stderr, input.bytes);
    warn = progress.print;
    const report = new ConsoleReport(progress, refusedFile(options));
    try {
      return await run(report);
    } finally {
      report.end();
      progress.stop();
    }
  };
  const enqueue = async (input: Source): Promise<number> => {
    const { imported, calls } = await reported(input, async report => ({
      imported: await importFile(input, reading, options.strict ?? false, producer, report, { priority }),
      calls: report.tally.calls(quota),
    }));
    if (!imported.interrupted && calls > 0) terminal.stdout.write(`${callsText(calls, quota)}\n`);
    return tell(imported, terminal);
  };
  try {
    if (options.dryRun)
      return tellDryRun(
        await reported(source, report => dryRun(source, reading, producer.typesOf, report, quota)),
        terminal,
      );
    return await (options.strict && options.file === '-' ? withCopy(source, enqueue) : enqueue(source));
  } finally {
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
  if ('problems' in opened) throw new ConfigError([...problems, ...opened.problems]);
  problems.push(...formatProblems(options, opened.source.format));
  if (problems.length > 0) throw new ConfigError(problems);
  return { reading, priority, source: opened.source };
}

const refusedFile = ({ refused, encoding }: EnqueueOptions): RefusedFile | undefined =>
  refused === undefined ? undefined : new RefusedFile(refused, { encoding, goesOn: false });

function tell({ associations, jobs, refused, interrupted }: Imported, { stdout, stderr }: Terminal): number {
  if (interrupted)
    stderr.write(
      `${harmless(interrupted.reason)}\n${associations} lines are enqueued for sure; from line ${interrupted.fromLine} on nothing is acknowledged: enqueue the file from there on again (a line enqueued twice does no harm)\n`,
    );
  stdout.write(`enqueued ${associations} associations in ${jobs} jobs (${refused} lines refused)\n`);
  return refused > 0 || interrupted ? 1 : 0;
}

function tellDryRun({ texts, warnings, isClean }: DryRun, { stdout, stderr }: Terminal): number {
  for (const warning of warnings) stderr.write(`warning: ${harmless(warning)}\n`);
  for (const text of texts) stdout.write(`${harmless(text)}\n`);
  return isClean ? 0 : 1;
}
