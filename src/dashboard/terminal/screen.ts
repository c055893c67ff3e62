/**
 * The alternate screen of a terminal. It restores the terminal however the process ends: by a signal, an error or a crash.
 * Ctrl-Z restores it as well, and a resume draws it again. A frame is one write, so it does not flicker.
 */
import { writeSync } from 'node:fs';

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[2J';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const ERASE_LINE = '\x1b[K';
const ERASE_BELOW = '\x1b[J';
/** Synchronized output: terminals that support it show a frame only when it is complete; others ignore it. */
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

  /** @param onChange called when a frame is due: the size has changed, or the process was resumed */
  constructor(
    private readonly terminal: NodeJS.WriteStream,
    private readonly onChange: () => void,
  ) {}

  get size(): { columns: number; rows: number } {
    return { columns: this.terminal.columns || 80, rows: this.terminal.rows || 24 };
  }

  open(): void {
    process.on('exit', this.#restore);
    // before the listener that prints the error, so that the error stays visible
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

  /** Writes synchronously, because nothing is written after `exit`. Ignores a terminal that is gone. */
  #now(text: string): void {
    try {
      writeSync((this.terminal as unknown as { fd: number }).fd, text);
    } catch {
      // only EAGAIN of a slow terminal could be retried, and that is not worth waiting
      this.terminal.write(text);
    }
  }
}
