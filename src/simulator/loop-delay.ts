/**
 * How late this process's event loop was: a call arrives here when the loop gets to it, so a refusal right after a delay
 * may be this process's fault.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { sleep } from '../shared/wait.js';

/** The monitor looks so often, and counts that into the delay. */
const RESOLUTION_MS = 10;
const STRETCH_MS = 250;
/** Of the past, that much is known. */
const KEPT_MS = 60_000;

export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #stop = new AbortController();
  /** the longest delay of each stretch, oldest first */
  readonly #stretches: { readonly until: number; readonly ms: number }[] = [];

  constructor() {
    this.#histogram.enable();
    void this.#watch(this.#stop.signal);
  }

  /** The longest delay that began no longer than so many ms ago, ms; what ends at this moment included. */
  async within(ms: number): Promise<number> {
    const since = performance.now() - ms;
    await sleep(2 * RESOLUTION_MS); // the monitor notes a delay after it
    const past = this.#stretches.filter(({ until }) => until >= since);
    return Math.max(this.#now(), ...past.map(stretch => stretch.ms));
  }

  stop(): void {
    this.#stop.abort();
    this.#histogram.disable();
  }

  #now(): number {
    return Math.max(0, this.#histogram.max / 1e6 - RESOLUTION_MS);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    for (await sleep(STRETCH_MS, signal); !signal.aborted; await sleep(STRETCH_MS, signal)) {
      this.#stretches.push({ until: performance.now(), ms: this.#now() });
      this.#histogram.reset();
      if (this.#stretches.length > KEPT_MS / STRETCH_MS) this.#stretches.shift();
    }
  }
}
