/**
 * Shows how far a cancel is: one line that is drawn again on a terminal, otherwise a line every ten seconds, so that a short
 * cancel prints its result alone. It goes to stderr, and neither reads nor waits.
 */
import { harmless } from '../../shared/runtime/text.js';
import type { CancelProgress } from '../../shared/state/cancel-request.js';
import { clip } from '../terminal/glyphs.js';
import { cancelProgressText } from '../text/cancel-text.js';

const [DRAW_EVERY_MS, LINE_EVERY_MS] = [1_000, 10_000];

export class CancelDisplay {
  readonly #isTerminal: boolean;
  #nextAt: number;
  #isEnded = false;

  constructor(private readonly stream: NodeJS.WriteStream) {
    this.#isTerminal = stream.isTTY === true;
    this.#nextAt = performance.now() + (this.#isTerminal ? 0 : LINE_EVERY_MS);
  }

  /** `show` would show something. */
  get isDue(): boolean {
    return !this.#isEnded && performance.now() >= this.#nextAt;
  }

  /** @param sentence why work stands still, '' if it flows */
  show(progress: CancelProgress, sentence: string): void {
    if (!this.isDue) return;
    this.#nextAt = performance.now() + (this.#isTerminal ? DRAW_EVERY_MS : LINE_EVERY_MS);
    const text = harmless(cancelProgressText(progress, sentence));
    if (!this.#isTerminal) this.stream.write(`${new Date().toISOString()}  ${text}\n`);
    else this.stream.write(`\r\x1b[K${clip(text, (this.stream.columns || 80) - 1)}`);
  }

  /** Removes the line from the terminal, and shows nothing any more. */
  end(): void {
    if (this.#isTerminal && !this.#isEnded) this.stream.write('\r\x1b[K');
    this.#isEnded = true;
  }
}
