/**
 * `--refused FILE`: all refused lines, in the format of their file. It is written line by line, so that memory stays
 * constant.
 */
import { accessSync, appendFileSync, closeSync, constants, fstatSync, openSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../shared/contract/errors.js';
import type { FileLayout, RefusedLine } from './line.js';
import { headerText, lineText } from './own-format.js';

export class RefusedFile {
  readonly #path: string;
  readonly #goesOn: boolean;
  #layout: FileLayout | undefined;
  #file: number | undefined;

  /** @param goesOn true: the import goes on with an earlier one, whose lines are kept; false: the file is replaced */
  constructor(place: string, { goesOn }: { goesOn: boolean }) {
    this.#path = place;
    this.#goesOn = goesOn;
  }

  /** The file is opened for the first refused line: an import that is refused as a whole leaves an older file alone. */
  use(layout: FileLayout): void {
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

  #open(layout: FileLayout): number {
    const file = openSync(this.#path, this.#goesOn ? 'a' : 'w');
    if (fstatSync(file).size === 0) appendFileSync(file, headerText(layout));
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
