/** The source of the lines: a file or standard input. --strict reads twice, so it copies standard input to a file. */
import { createHash } from 'node:crypto';
import { accessSync, constants, createReadStream, createWriteStream, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../../shared/contract/errors.js';

export type Source = {
  format: Format;
  /** size of the input; undefined: unknown */
  bytes: number | undefined;
  /** opens the input from the beginning; works only once for standard input */
  open(): AsyncIterable<Uint8Array>;
};

export const FORMATS = ['csv', 'ndjson'] as const;
export type Format = (typeof FORMATS)[number];

const FORMAT_OF: Readonly<Record<string, Format>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.txt': 'csv',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
};
const WORKBOOK = /^\.(xlsx?|xlsm|xlsb|ods|numbers)$/;

/** A quarter of Node's default: a million lines then peak at about 170 MB instead of 185, in the same time. */
const CHUNK_BYTES = 16_384;

/**
 * @param format of a file whose name does not say it
 * @returns the source, or every reason why the file cannot be read
 */
export function fileSource(file: string, format?: Format): { source: Source } | { problems: string[] } {
  const problems: string[] = [];
  const extension = path.extname(file).toLowerCase();
  const given = format ?? FORMAT_OF[extension];
  if (WORKBOOK.test(extension)) problems.push(`${file} is a workbook: save the sheet as "CSV UTF-8"`);
  else if (!given)
    problems.push(
      `${file}: the name must end in ${Object.keys(FORMAT_OF).join(', ')}, or --format must say what it is (or - for NDJSON from stdin)`,
    );
  let bytes: number | undefined;
  try {
    accessSync(file, constants.R_OK);
    const stat = statSync(file);
    if (stat.isDirectory()) problems.push(`${file} is a directory`);
    if (stat.isFile()) bytes = stat.size;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    problems.push(missing ? `${file} does not exist` : `${file} cannot be read: ${messageOf(error)}`);
  }
  if (!given || problems.length > 0) return { problems };
  return {
    source: { format: given, bytes, open: () => createReadStream(file, { highWaterMark: CHUNK_BYTES }) },
  };
}

export function stdinSource(stdin: Readable, format: Format = 'ndjson'): Source {
  return { format, bytes: undefined, open: () => stdin };
}

/** @returns the SHA-256 of the content, in hexadecimal. It reads the whole source: a GB takes about a second. */
export async function sha256Of(source: Source): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of source.open()) hash.update(bytes);
  return hash.digest('hex');
}

/** Runs with a copy of the source in a temporary file, which can be opened many times and is deleted afterwards. */
export async function withCopy<T>(source: Source, run: (copy: Source) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(path.join(tmpdir(), 'association-queue-'));
  try {
    const file = path.join(directory, `input.${source.format}`);
    await pipeline(source.open(), createWriteStream(file, { mode: 0o600 }));
    const copy = fileSource(file);
    if ('problems' in copy) throw new Error(copy.problems.join('\n'));
    return await run(copy.source);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
