/**
 * Reads Redis once a second for all viewers, and not at all without viewers. Viewers get the parts that changed, and
 * something each second, so that silence means trouble.
 */
import { messageOf } from '../../shared/contract/errors.js';
import { sleep } from '../../shared/runtime/wait.js';
import type { Overview, PageReading } from '../overview/overview.js';
import type { View } from '../view.js';

const EVERY_MS = 1_000;
/** A request within this time after a reading gets that reading. */
const FRESH_MS = 900;

export type Parts = Omit<View, 'setup'>;
export type Viewer = (part: keyof Parts, json: string) => void;

export class Poller {
  readonly #viewers = new Set<Viewer>();
  /** the parts as last sent */
  readonly #sent = new Map<keyof Parts, string>();
  #reading: Promise<PageReading> | undefined;
  #last: { at: number; reading: PageReading } | undefined;
  #trouble: View['trouble'] = null;
  #running = false;
  #stopped = new AbortController();

  constructor(private readonly overview: Overview) {}

  get viewers(): number {
    return this.#viewers.size;
  }

  /** @returns true while somebody views the page, and shortly afterwards */
  get isReading(): boolean {
    return this.#running;
  }

  get last(): PageReading | undefined {
    return this.#last?.reading;
  }

  /** @returns the current reading, at most a second old. @throws Error if Redis cannot be read */
  async current(): Promise<PageReading> {
    if (this.#last && performance.now() - this.#last.at < FRESH_MS) return this.#last.reading;
    this.#reading ??= this.#read();
    return this.#reading;
  }

  /** Calls `viewer` with every part at once, and later with each changed part. @returns a function that ends it */
  watch(viewer: Viewer): () => void {
    for (const [part, json] of this.#sent) viewer(part, json);
    this.#viewers.add(viewer);
    if (!this.#running) void this.#run();
    return () => this.#viewers.delete(viewer);
  }

  stop(): void {
    this.#stopped.abort();
    this.#viewers.clear();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#viewers.size > 0 && !this.#stopped.signal.aborted) {
      const begun = performance.now();
      try {
        this.#send({ ...(await this.current()), trouble: null });
        this.#trouble = null;
      } catch (error) {
        this.#trouble ??= { since: Date.now(), message: messageOf(error) };
        this.#sent.delete('trouble'); // sent each time, because no figures are sent meanwhile
        this.#send({ trouble: this.#trouble });
      }
      await sleep(EVERY_MS - (performance.now() - begun), this.#stopped.signal);
    }
    this.#running = false;
    this.#sent.clear(); // a later viewer must not see old parts
  }

  #send(parts: Partial<Parts>): void {
    for (const [part, value] of Object.entries(parts) as [keyof Parts, unknown][]) {
      const json = JSON.stringify(value);
      if (this.#sent.get(part) === json) continue;
      this.#sent.set(part, json);
      for (const viewer of this.#viewers) viewer(part, json);
    }
  }

  async #read(): Promise<PageReading> {
    try {
      const reading = await this.overview.readPage();
      this.#last = { at: performance.now(), reading };
      return reading;
    } finally {
      this.#reading = undefined;
    }
  }
}
