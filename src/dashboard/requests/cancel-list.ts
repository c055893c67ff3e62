/**
 * The file of `requests cancel --list FILE`: NDJSON that `enqueue` reads, a line for each association. Lines are added to an
 * existing file, and are on the disk when `add` resolves. If an earlier process was killed after it wrote lines, and before it
 * could note that, the same lines come again: they are recognised at the end of the file, also if the last one is cut off,
 * and are not written twice. Only one process at a time may add the lines of a request (list-cancelled.ts). Commands for other
 * requests may add theirs to the same file meanwhile.
 */
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, messageOf } from '../../shared/contract/errors.js';
import type { CancelledJob } from '../../shared/state/unlisted-jobs.js';

const LINE_FEED = 10;

export class CancelList {
  #isFirst = true;

  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
    /** false: a pipe or a device */
    private readonly isFile: boolean,
  ) {}

  /** @throws ConfigError if the file cannot be written */
  static async open(place: string): Promise<CancelList> {
    if (!/^(\.(ndjson|jsonl))?$/i.test(path.extname(place)))
      throw new ConfigError([
        `--list ${place}: the list is NDJSON, and enqueue would read this file as something else: end its name in .ndjson`,
      ]);
    try {
      const file = await open(place, 'a');
      return new CancelList(place, file, (await file.stat()).isFile());
    } catch (error) {
      throw new ConfigError([`--list ${place} cannot be written: ${messageOf(error)}`]);
    }
  }

  /** @throws Error of the file system; the file has none of these lines then, unless it cannot even be cut back */
  async add(jobs: readonly CancelledJob[]): Promise<void> {
    const lines = Buffer.from(jobs.map(linesOf).join(''));
    if (!this.isFile) return this.file.appendFile(lines);
    const { size } = await this.file.stat();
    const missing = this.#isFirst
      ? missingIn(await tailOf(this.path, size, lines.length + 1), size, lines)
      : lines;
    try {
      await this.#append(missing);
      await this.file.datasync();
    } catch (error) {
      await this.#cutBack(size, missing).catch(() => {});
      throw error;
    }
    this.#isFirst = false;
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  /** In one write, which no other process's write divides; appendFile makes many of a long text. */
  async #append(lines: Buffer): Promise<void> {
    const { bytesWritten } = await this.file.write(lines);
    // usually the disk is full: the next write says so
    if (bytesWritten < lines.length) await this.file.appendFile(lines.subarray(bytesWritten));
  }

  /** Removes what was written of some lines, and nothing that somebody else has added. */
  async #cutBack(before: number, lines: Buffer): Promise<void> {
    const { size } = await this.file.stat();
    const written = lines.subarray(0, size - before);
    if (size <= before || size > before + lines.length) return;
    if ((await tailOf(this.path, size, written.length)).equals(written)) await this.file.truncate(before);
  }
}

/** @returns the last bytes of a file of this size */
async function tailOf(place: string, size: number, most: number): Promise<Buffer> {
  const file = await open(place, 'r');
  try {
    const length = Math.min(size, most);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/**
 * Pure. @param tail the end of a file of this size, one byte longer than the lines if the file is as long
 * @returns what the file lacks of the lines
 */
export function missingIn(tail: Buffer, size: number, lines: Buffer): Buffer {
  // where lines begin
  let start = tail.length === size ? 0 : afterLine(tail, 0);
  while (start < tail.length) {
    const end = tail.subarray(start);
    if (end.equals(lines.subarray(0, end.length))) return lines.subarray(end.length);
    start = afterLine(tail, start);
  }
  const isCutOff = tail.length > 0 && tail.at(-1) !== LINE_FEED;
  return isCutOff ? Buffer.concat([Buffer.from('\n'), lines]) : lines;
}

/** @returns where the next line begins */
function afterLine(text: Buffer, from: number): number {
  const feed = text.indexOf(LINE_FEED, from);
  return feed < 0 ? text.length : feed + 1;
}

function linesOf({ fromObjectType, toObjectType, types, pairs }: CancelledJob): string {
  return pairs
    .map(([from, to]) => `${JSON.stringify({ from, to, types, fromObjectType, toObjectType })}\n`)
    .join('');
}
