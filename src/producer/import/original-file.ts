/**
 * Opens the file of a request again, for the lines that HubSpot rejected (original-lines.ts): finds it, refuses a changed one,
 * and says under which options its lines are read.
 */
import { ConfigError } from '../../shared/contract/errors.js';
import type { RequestFile } from '../../shared/state/requests.js';
import type { Reading } from './line.js';
import { optionsText } from './options.js';
import { originalLines, type RejectedPair, RejectedPairs } from './original-lines.js';
import type { OwnTypes } from './same-file.js';
import { FORMATS, fileSource, type Source, sha256Of } from './source.js';

/** What an import keeps of how it has read a file, in the record of its request. */
export type FileOptions = {
  readonly reading: Reading;
  readonly format?: string;
  readonly priority?: string;
  readonly types?: OwnTypes;
};

export type OriginalFile = {
  readonly path: string;
  readonly format: Source['format'];
  /** for `enqueue`, as a person types them */
  readonly options: string;
  lines(rejected: readonly RejectedPair[]): AsyncGenerator<string>;
  /** @returns the pairs that no line had, once all lines are read */
  missing(): readonly RejectedPair[];
};

/**
 * @param moved where the file is now; default: where it was
 * @throws ConfigError if it is not there, or if its content has changed
 */
export async function openOriginal(file: RequestFile, moved?: string): Promise<OriginalFile> {
  const path = moved ?? file.path;
  const { reading, format, priority } = file.options as Partial<FileOptions>;
  const opened = fileSource(path, FORMATS.find(name => name === format) ?? formatOf(file.path));
  if ('problems' in opened) throw new ConfigError([...opened.problems, REMEDY]);
  const { source } = opened;
  if ((await sha256Of(source)) !== file.sha256)
    throw new ConfigError([`${path} is not the file that was enqueued, or has changed since`, REMEDY]);
  let pairs = new RejectedPairs([]);
  const how: Reading = reading ?? { defaults: {} };
  return {
    ...{ path, format: source.format, options: optionsText(how, priority) },
    async *lines(rejected) {
      pairs = new RejectedPairs(rejected);
      yield* originalLines(source, how, pairs);
    },
    missing: () => pairs.missing(),
  };
}

const REMEDY =
  'the lines with their own columns need the file as it was enqueued: --file says where it is now; without it, association-queue failures export --request ID writes the ids with the reasons';

/** A moved file may have any name. */
function formatOf(path: string): Source['format'] | undefined {
  return /\.(ndjson|jsonl)$/i.test(path) ? 'ndjson' : /\.(csv|tsv|txt)$/i.test(path) ? 'csv' : undefined;
}
