/**
 * Tells a person on a terminal what an import finds: warnings at once, refused lines at the end, grouped by reason; all of
 * them in a file if one is wanted. It chooses no exit code.
 */
import { harmless } from '../../shared/runtime/text.js';
import type { ImportReport } from './import-file.js';
import type { FileLayout, RefusedLine } from './line.js';
import { Tally } from './plan.js';
import type { Progress } from './progress.js';
import type { Chunk } from './read-associations.js';
import { RefusalGroups } from './refusal-groups.js';
import type { RefusedFile } from './refused-file.js';

export class ConsoleReport implements ImportReport {
  /** what has been read so far */
  readonly tally = new Tally();
  readonly #progress: Progress;
  readonly #stdout: NodeJS.WritableStream;
  readonly #file: RefusedFile | undefined;
  readonly #groups = new RefusalGroups();

  constructor(progress: Progress, file: RefusedFile | undefined, stdout: NodeJS.WritableStream) {
    this.#progress = progress;
    this.#stdout = stdout;
    this.#file = file;
  }

  opened(requestId: string): void {
    this.#stdout.write(`request ${requestId}\n`);
  }

  usable(warnings: readonly string[], layout: FileLayout): void {
    this.#file?.use(layout);
    this.noted(warnings);
  }

  noted(warnings: readonly string[]): void {
    for (const warning of warnings) this.#progress.print(`warning: ${harmless(warning)}\n`);
  }

  read(chunk: Chunk): void {
    this.tally.add(chunk);
  }

  refused(refusals: readonly RefusedLine[]): void {
    this.#groups.add(refusals);
    this.#file?.write(refusals);
  }

  progress(bytesRead: number, associations: number): void {
    this.#progress.update(bytesRead, associations);
  }

  /** Prints the refused lines and closes their file. */
  end(): void {
    for (const text of this.#groups.texts()) this.#progress.print(`${harmless(text)}\n`);
    this.#file?.close();
  }
}
