/**
 * Exports what was rejected of a request, with HubSpot's reasons: the lines of its file with their own columns, or, of a
 * request without a file, ids as NDJSON. It keeps the rejected associations in memory, and no line of the file. It changes
 * nothing. Discarded associations are left out, because their types are gone with their jobs.
 */
import { ConfigError } from '../../shared/contract/errors.js';
import { harmlessJson } from '../../shared/runtime/text.js';
import { type RequestFile, RequestReader } from '../../shared/state/requests.js';
import type { QueueAccess } from '../connection.js';
import { type RejectedAssociation, rejectedAssociations } from '../failures/failures.js';
import { findRequest } from './find-request.js';

/** A file that was enqueued, found again and unchanged. The command line has it from the import (src/producer). */
export type OriginalFile = {
  readonly path: string;
  readonly format: 'csv' | 'ndjson';
  /** the options under which its lines are read again */
  readonly options: string;
  /** Yields the text of a file with the lines of these associations. */
  lines(rejected: readonly RejectedAssociation[]): AsyncIterable<string>;
  /** @returns the associations that no line had */
  missing(): readonly RejectedAssociation[];
};
/** @throws ConfigError if the file is not there or is another one */
export type OpenOriginal = (file: RequestFile, path: string | undefined) => Promise<OriginalFile>;

export type ExportOptions = {
  /** id of a request, or its beginning */
  readonly given: string;
  /** where the file is now */
  readonly path?: string | undefined;
  readonly openOriginal: OpenOriginal;
  /** resolves when more may follow */
  readonly write: (text: string) => Promise<void>;
};
export type ExportedRequest = {
  readonly id: string;
  readonly associations: number;
  /** that the request's record counts as rejected */
  readonly rejected: number;
  /** of those */
  readonly discarded: number;
  /** undefined: ids alone */
  readonly original?: OriginalFile;
};

/** @throws ConfigError if there is no such request or no such file; nothing is written then */
export async function exportRequest(access: QueueAccess, options: ExportOptions): Promise<ExportedRequest> {
  const { given, path, openOriginal, write } = options;
  const reader = new RequestReader(access.redis, access.keys);
  const id = await findRequest(access, reader, given);
  const record = await reader.record(id);
  const { rejected = 0, discarded = 0 } = record ?? {};
  const found = rejectedAssociations(access, { request: id });
  if (!record?.file) {
    if (path !== undefined) throw new ConfigError([`--file: request ${id} was not enqueued from a file`]);
    return { id, rejected, discarded, associations: await writeIds(found, write) };
  }
  const original = await openOriginal(record.file, path);
  const all: RejectedAssociation[] = [];
  for await (const association of found) all.push(association);
  for await (const text of original.lines(all))
    await write(original.format === 'ndjson' ? safeNdjson(text) : text);
  return { id, rejected, discarded, associations: all.length - original.missing().length, original };
}

const MARK = '\ufeff';
/** @param text NDJSON; a byte order mark at its beginning stays, because it says the encoding */
const safeNdjson = (text: string): string =>
  text.startsWith(MARK) ? MARK + harmlessJson(text.slice(MARK.length)) : harmlessJson(text);

/** Lines that are written at once. */
const LINES = 500;

async function writeIds(
  found: AsyncIterable<RejectedAssociation>,
  write: (text: string) => Promise<void>,
): Promise<number> {
  let associations = 0;
  let lines: string[] = [];
  const flush = async () => {
    await write(harmlessJson(lines.join('')));
    lines = [];
  };
  for await (const association of found) {
    associations += 1;
    lines.push(`${JSON.stringify(association)}\n`);
    if (lines.length === LINES) await flush();
  }
  if (lines.length > 0) await flush();
  return associations;
}
