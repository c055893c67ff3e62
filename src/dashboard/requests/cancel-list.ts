/**
 * The file of `requests cancel --list FILE`: one line for each association that is taken back, as `enqueue` reads it. Lines are
 * written before their jobs leave the queue, and removed again if a job stays. If the process is killed in between, the file
 * may have lines of at most a hundred jobs too many, and none too few. Lines are added to an existing file, so that a second
 * call continues it.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { CancelListing, CancelledJob } from '../../shared/state/cancel-sweep.js';

export class CancelList implements CancelListing {
  /** associations in the file by this process */
  associations = 0;
  #bytes: number;
  #jobs: readonly CancelledJob[] = [];

  private constructor(
    private readonly file: FileHandle,
    bytes: number,
  ) {
    this.#bytes = bytes;
  }

  /** @throws Error of the file system */
  static async open(path: string): Promise<CancelList> {
    const file = await open(path, 'a');
    return new CancelList(file, (await file.stat()).size);
  }

  async before(jobs: readonly CancelledJob[]): Promise<void> {
    this.#jobs = jobs;
    await this.file.appendFile(jobs.map(linesOf).join(''));
    await this.file.datasync();
  }

  async after(stay: ReadonlySet<string>): Promise<void> {
    const gone = this.#jobs.filter(({ id }) => !stay.has(id));
    const lines = gone.map(linesOf).join('');
    if (stay.size > 0) {
      await this.file.truncate(this.#bytes);
      await this.file.appendFile(lines);
    }
    this.#bytes += Buffer.byteLength(lines);
    this.associations += gone.reduce((sum, { pairs }) => sum + pairs.length, 0);
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

function linesOf({ fromObjectType, toObjectType, types, pairs }: CancelledJob): string {
  return pairs
    .map(([from, to]) => `${JSON.stringify({ from, to, types, fromObjectType, toObjectType })}\n`)
    .join('');
}
