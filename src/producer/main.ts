/**
 * `association-queue enqueue FILE`: checks the options, imports, says what happened, chooses the exit code.
 * What a line means, and how it gets to Redis, is import-file.ts.
 */
import type { Readable } from 'node:stream';
import {
  type Association,
  type AssociationType,
  associationFaults,
  parseType,
} from '../shared/association.js';
import type { Config } from '../shared/config.js';
import { ConfigError, messageOf } from '../shared/errors.js';
import { type Priority, priorityProblem } from '../shared/queue.js';
import { startTracing } from '../shared/tracing.js';
import { type Imported, type ImportReport, importFile } from './import-file.js';
import type { LineDefaults } from './line.js';
import { createProducer, MAX_SOURCE_LENGTH } from './producer.js';
import { startProgress } from './progress.js';
import { fileSource, type Source, stdinSource, withCopy } from './source.js';

export type EnqueueOptions = {
  /** path of a .csv, .ndjson or .jsonl file; `-` reads NDJSON from standard input */
  file: string;
  from?: string;
  to?: string;
  type?: string[];
  strict?: boolean;
  source?: string;
  priority?: string;
};

export type Terminal = { stdin: Readable; stdout: NodeJS.WritableStream; stderr: NodeJS.WriteStream };

/**
 * @returns the exit code: 0, or 1 when a line was refused or Redis went away
 * @throws ConfigError with every problem of the options and of the file as a whole; nothing is enqueued then
 */
export async function runEnqueue(
  config: Pick<Config, 'redisUrl' | 'queuePrefix'>,
  options: EnqueueOptions,
  terminal: Terminal = process,
): Promise<number> {
  const { defaults, priority, problems } = readOptions(options);
  const opened = options.file === '-' ? { source: stdinSource(terminal.stdin) } : fileSource(options.file);
  if ('problems' in opened) throw new ConfigError([...problems, ...opened.problems]);
  if (problems.length > 0) throw new ConfigError(problems);

  const tracing = await startTracing('enqueue', process.env);
  const producer = createProducer({
    redisUrl: config.redisUrl,
    prefix: config.queuePrefix,
    ...(options.source !== undefined && { source: options.source }),
  });
  const strict = options.strict ?? false;
  const run = async (source: Source): Promise<Imported> => {
    const progress = startProgress(terminal.stderr, source.bytes);
    try {
      const report: ImportReport = {
        refused(refusals) {
          const lines = refusals.map(({ line, reasons }) => `line ${line}: ${reasons.join('; ')}\n`);
          if (lines.length > 0) progress.print(lines.join(''));
        },
        progress: progress.update,
      };
      return await importFile(source, defaults, strict, producer, report, { priority });
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
      `${interrupted.reason}\n${associations} lines are enqueued for sure; from line ${interrupted.fromLine} on nothing is acknowledged: enqueue the file from there on again (a line enqueued twice does no harm)\n`,
    );
  stdout.write(`enqueued ${associations} associations in ${jobs} jobs (${refused} lines refused)\n`);
  return refused > 0 || interrupted ? 1 : 0;
}

function readOptions(options: EnqueueOptions): {
  defaults: LineDefaults;
  priority: Priority;
  problems: string[];
} {
  const { from, to, type: texts = [], priority = 'normal' } = options;
  const problems: string[] = [];
  const types: AssociationType[] = [];
  for (const text of texts) {
    try {
      types.push(parseType(text));
    } catch (error) {
      problems.push(`--type: ${messageOf(error)}`);
    }
  }
  // Everything but the options is good here, so every fault is an option's.
  const probe: Association = { fromObjectType: from ?? 'a', toObjectType: to ?? 'b', from: 1, to: 1, types };
  for (const fault of associationFaults(probe)) {
    if (fault.startsWith('fromObjectType: ')) problems.push(fault.replace('fromObjectType', '--from'));
    if (fault.startsWith('toObjectType: ')) problems.push(fault.replace('toObjectType', '--to'));
    if (fault.startsWith('types: ') && types.length > 0) problems.push(fault.replace('types', '--type'));
  }
  if (options.source !== undefined && options.source.length > MAX_SOURCE_LENGTH)
    problems.push(`--source is longer than ${MAX_SOURCE_LENGTH} characters`);
  const fault = priorityProblem(priority);
  if (fault) problems.push(`--${fault}`);
  return {
    defaults: {
      ...(from !== undefined && { fromObjectType: from }),
      ...(to !== undefined && { toObjectType: to }),
      ...(texts.length > 0 && { types }),
    },
    priority: priority as Priority,
    problems,
  };
}
