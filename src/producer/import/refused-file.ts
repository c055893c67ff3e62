/**
 * `--refused FILE`: all refused lines, in the format of their file. It is written line by line, so that memory stays
 * constant. UTF-8; with a byte order mark unless the input was plain UTF-8, so that it is read again under the same options.
 */
import { accessSync, appendFileSync, closeSync, constants, fstatSync, openSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../shared/contract/errors.js';
import type { Layout, RefusedLine } from './line.js';
import { headerText, lineText } from './own-format.js';

export type RefusedFileOptions = {
  /** of the input, if an option names it */
  readonly encoding?: string | undefined;
  /** true: the import goes on with an earlier one, and its lines are kept; false: the file is replaced */
  readonly goesOn: boolean;
};

export class RefusedFile {
  readonly #path: string;
  readonly #options: RefusedFileOptions;
  #layout: Layout | undefined;
  #file: number | undefined;

  constructor(place: string, options: RefusedFileOptions) {
    this.#path = place;
    this.#options = options;
  }

  /** The file is opened for the first refused line: an import that is refused as a whole leaves an older file alone. */
  use(layout: Layout): void {
    this.#layout = layout;
  }

  /** @throws Error if the file cannot be written */
  write(refusals: readonly RefusedLine[]): void {
    const layout = this.#layout;
    if (!layout || refusals.length === 0) return;
    this.#file ??= this.#open(layout);
    const texts = refusals.map(({ line, reasons, text }) =>
      lineText(layout, { line, text, message: reasons.join('; ') }),
    );
    appendFileSync(this.#file, texts.join(''));
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(layout: Layout): number {
    const { encoding, goesOn } = this.#options;
    const file = openSync(this.#path, goesOn ? 'a' : 'w');
    const mark = encoding === undefined ? '' : '\ufeff';
    if (fstatSync(file).size === 0) appendFileSync(file, mark + headerText(layout));
    return file;
  }
}

/** @returns why the file could not be written, before anything is read */
export function refusedFileProblem(place: string): string | undefined {
  try {
    accessSync(path.dirname(path.resolve(place)), constants.W_OK);
    return undefined;
  } catch (error) {
    return `--refused ${place} cannot be written: ${messageOf(error)}`;
  }
}
