/**
 * A terminal's other screen. Whatever ends the process, a signal, an error, a crash, the terminal is left as it was found;
 * suspended (Ctrl-Z) and resumed it gives the screen back and takes it again. A frame is one write: no flicker.
 */
import { writeSync } from 'node:fs';

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[2J';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const ERASE_LINE = '\x1b[K';
const ERASE_BELOW = '\x1b[J';
/** Terminals that know it show a frame when it is complete; the others ignore it. */
const [BEGIN, END] = ['\x1b[?2026h', '\x1b[?2026l'];

export class Screen {
  #isOpen = false;
  readonly #restore = () => this.#leave();
  readonly #suspend = () => {
    this.#leave();
    process.kill(process.pid, 'SIGSTOP');
  };
  readonly #resume = () => {
    this.#enter();
    this.onChange();
  };
  readonly #resized = () => this.onChange();

  /** @param onChange called when the size has changed, or the screen is ours again: a frame is due */
  constructor(
    private readonly terminal: NodeJS.WriteStream,
    private readonly onChange: () => void,
  ) {}

  get size(): { columns: number; rows: number } {
    return { columns: this.terminal.columns || 80, rows: this.terminal.rows || 24 };
  }

  open(): void {
    process.on('exit', this.#restore);
    // before the listener that says what went wrong, so that it is said where it stays
    process.prependListener('uncaughtException', this.#restore);
    process.on('SIGTSTP', this.#suspend);
    process.on('SIGCONT', this.#resume);
    this.terminal.on('resize', this.#resized);
    this.#enter();
  }

  close(): void {
    process.off('exit', this.#restore);
    process.off('uncaughtException', this.#restore);
    process.off('SIGTSTP', this.#suspend);
    process.off('SIGCONT', this.#resume);
    this.terminal.off('resize', this.#resized);
    this.#leave();
  }

  show(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const text = lines.map(line => line + ERASE_LINE).join('\r\n');
    this.terminal.write(`${BEGIN}${HOME}${text}${ERASE_BELOW}${END}`);
  }

  #enter(): void {
    if (!this.#isOpen) this.#now(ENTER);
    this.#isOpen = true;
  }

  #leave(): void {
    if (this.#isOpen) this.#now(LEAVE);
    this.#isOpen = false;
  }

  /** At once: after an `exit` nothing is written any more. A terminal that is gone needs nothing. */
  #now(text: string): void {
    try {
      writeSync((this.terminal as unknown as { fd: number }).fd, text);
    } catch {
      // EAGAIN of a slow terminal is the only one that could be helped, and not worth a wait
      this.terminal.write(text);
    }
  }
}
