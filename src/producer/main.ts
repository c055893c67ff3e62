/**
 * `association-queue enqueue FILE`: imports the file, prints the result, chooses the exit code.
 * import-file.ts reads the lines and sends them to Redis.
 */
import type { Readable } from 'node:stream';
import type { HubSpotOptions } from '../labels/open-labels.js';
import { ConfigError } from '../shared/contract/errors.js';
import type { Config } from '../shared/runtime/config.js';
import { harmless } from '../shared/runtime/text.js';
import { startTracing } from '../shared/runtime/tracing.js';
import { type Imported, type ImportReport, importFile } from './import/import-file.js';
import { type EnqueueOptions, readOptions } from './import/options.js';
import { type Progress, startProgress } from './import/progress.js';
import { fileSource, type Source, stdinSource, withCopy } from './import/source.js';
import { openProducer } from './producer.js';

export type Terminal = { stdin: Readable; stdout: NodeJS.WritableStream; stderr: NodeJS.WriteStream };

/** The part of the configuration that the command needs. It uses `hubspot` only to look up labels. */
export type EnqueueConfig = Pick<Config, 'redisUrl' | 'queuePrefix'> & { readonly hubspot?: HubSpotOptions };

/**
 * @returns the exit code: 0, or 1 if a line was refused, Redis was lost, or labels could not be looked up
 * @throws ConfigError with every problem of the options and of the whole file; nothing is enqueued in that case
 */
export async function runEnqueue(
  config: EnqueueConfig,
  options: EnqueueOptions,
  terminal: Terminal = process,
): Promise<number> {
  const { defaults, priority, problems } = readOptions(options);
  const opened = options.file === '-' ? { source: stdinSource(terminal.stdin) } : fileSource(options.file);
  if ('problems' in opened) throw new ConfigError([...problems, ...opened.problems]);
  if (problems.length > 0) throw new ConfigError(problems);

  const tracing = await startTracing('enqueue', process.env);
  let warn: Progress['print'] = text => terminal.stderr.write(text);
  const producer = openProducer({
    redisUrl: config.redisUrl,
    prefix: config.queuePrefix,
    ...(config.hubspot && { hubspot: config.hubspot }),
    onWarning: warning => warn(`warning: ${harmless(warning)}\n`),
    ...(options.source !== undefined && { source: options.source }),
  });
  const strict = options.strict ?? false;
  const run = async (source: Source): Promise<Imported> => {
    const progress = startProgress(terminal.stderr, source.bytes);
    warn = progress.print;
    try {
      const report: ImportReport = {
        refused(refusals) {
          const lines = refusals.map(
            ({ line, reasons }) => `${harmless(`line ${line}: ${reasons.join('; ')}`)}\n`,
          );
          if (lines.length > 0) progress.print(lines.join(''));
        },
        warned(warnings) {
          for (const warning of warnings) progress.print(`warning: ${warning}\n`);
        },
        progress: progress.update,
      };
      return await importFile(source, { defaults }, strict, producer, report, { priority });
    } finally {
      progress.stop();
    }
  };
  try {
    const imported = await (strict && options.file === '-'
      ? withCopy(opened.source, run)
      : run(opened.source));
    return tell(imported, terminal);
  } finally {
    await producer.close();
    await tracing?.stop();
  }
}

function tell({ associations, jobs, refused, interrupted }: Imported, { stdout, stderr }: Terminal): number {
  if (interrupted)
    stderr.write(
      `${harmless(interrupted.reason)}\n${associations} lines are enqueued for sure; from line ${interrupted.fromLine} on nothing is acknowledged: enqueue the file from there on again (a line enqueued twice does no harm)\n`,
    );
  stdout.write(`enqueued ${associations} associations in ${jobs} jobs (${refused} lines refused)\n`);
  return refused > 0 || interrupted ? 1 : 0;
}
