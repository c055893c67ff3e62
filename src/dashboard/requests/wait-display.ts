/**
 * Shows how far a request is while somebody waits: one line that is drawn again on a terminal, otherwise a line every ten
 * seconds. Both go to stderr, so that stdout has the outcome alone. It neither reads nor waits.
 */
import { clearLine, cursorTo } from 'node:readline';
import { harmless } from '../../shared/runtime/text.js';
import type { RequestSummary } from '../../shared/state/requests.js';
import { Rate } from '../overview/rate.js';
import { clip, painter } from '../terminal/glyphs.js';
import { clockAt } from '../text/figures.js';
import { progressLine, waitLine } from '../text/requests-text.js';

const LINE_EVERY_MS = 10_000;

export class WaitDisplay {
  readonly #rate = new Rate();
  readonly #isTerminal: boolean;
  #printedAt = Number.NEGATIVE_INFINITY;
  #trouble = '';
  #isDrawn = false;
  #isEnded = false;

  constructor(private readonly stream: NodeJS.WriteStream) {
    this.#isTerminal = stream.isTTY === true && process.env.TERM !== 'dumb';
  }

  /** How often it shows something new, ms. */
  get everyMs(): number {
    return this.#isTerminal ? 1_000 : 2_000;
  }

  /** @param sentence why it does not go on; '' while it does */
  show(request: RequestSummary, sentence: string): void {
    if (this.#isEnded) return;
    const now = Date.now();
    const perSecond = this.#rate.perSecond(now, request.created + request.rejected + request.cancelled);
    const clock = clockAt(now);
    if (this.#isTerminal) {
      const columns = (this.stream.columns || 80) - 1;
      const text = progressLine(
        request,
        { perSecond, now, sentence },
        { columns, clock, paint: painter(this.stream) },
      );
      this.#draw(clip(text, columns));
    } else if (now - this.#printedAt >= LINE_EVERY_MS || sentence !== this.#trouble) {
      this.#printedAt = now;
      this.stream.write(
        `${harmless([waitLine(request, now, perSecond, clock), sentence].filter(Boolean).join('  '))}\n`,
      );
    }
    this.#trouble = sentence;
  }

  /** Says that Redis cannot be read, once until it can be read again. */
  trouble(text: string): void {
    if (this.#isTerminal) this.#draw(clip(harmless(text), (this.stream.columns || 80) - 1));
    else if (text !== this.#trouble) this.stream.write(`${harmless(text)}\n`);
    this.#trouble = text;
  }

  /** Leaves the last line standing, and shows nothing any more. */
  end(): void {
    if (this.#isDrawn) this.stream.write('\n');
    this.#isDrawn = false;
    this.#isEnded = true;
  }

  #draw(text: string): void {
    cursorTo(this.stream, 0);
    this.stream.write(text);
    clearLine(this.stream, 1);
    this.#isDrawn = true;
  }
}
