/**
 * `--refused FILE`: all refused lines, in the format of their file. It is written line by line, so that memory stays
 * constant. UTF-8; with a byte order mark unless the input was plain UTF-8, so that it is read again under the same options.
 */
import { appendFileSync, closeSync, openSync } from 'node:fs';
import type { Layout, RefusedLine } from './line.js';
import { headerText, lineText } from './own-format.js';

export class RefusedFile {
  readonly #path: string;
  readonly #mark: string;
  #opened: { readonly file: number; readonly layout: Layout } | undefined;

  /** @param encoding of the input, if an option names it */
  constructor(path: string, encoding?: string) {
    this.#path = path;
    this.#mark = encoding === undefined ? '' : '\ufeff';
  }

  /** Replaces the file. @throws Error if it cannot be written */
  open(layout: Layout): void {
    if (this.#opened) return;
    this.#opened = { file: openSync(this.#path, 'w'), layout };
    appendFileSync(this.#opened.file, this.#mark + headerText(layout));
  }

  write(refusals: readonly RefusedLine[]): void {
    if (!this.#opened || refusals.length === 0) return;
    const { file, layout } = this.#opened;
    const texts = refusals.map(({ line, reasons, text }) =>
      lineText(layout, { line, text, message: reasons.join('; ') }),
    );
    appendFileSync(file, texts.join(''));
  }

  close(): void {
    if (this.#opened) closeSync(this.#opened.file);
    this.#opened = undefined;
  }
}
