/**
 * How late this process's event loop was: a call arrives here when the loop gets to it, so a refusal right after a delay
 * may be this process's fault.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { sleep } from '../shared/runtime/wait.js';

/** The monitor looks so often, and counts that into the delay. */
const RESOLUTION_MS = 10;
const STRETCH_MS = 250;
/** Of the past, that much is known. */
const KEPT_MS = 60_000;

export class LoopDelay {
  /** Two overlap: a monitor that is emptied or started during a delay does not see it. Oldest first. */
  #monitors = [monitor(), monitor()];
  readonly #stop = new AbortController();
  /** the longest delay of each stretch, oldest first */
  readonly #stretches: { readonly until: number; readonly ms: number }[] = [];

  constructor() {
    void this.#watch(this.#stop.signal);
  }

  /** The longest delay of the last so many ms, what ends at this moment included; ms. */
  async within(ms: number): Promise<number> {
    const since = performance.now() - ms;
    await sleep(2 * RESOLUTION_MS); // the monitors note a delay after it
    const past = this.#stretches.filter(({ until }) => until >= since);
    return Math.max(...this.#monitors.map(longest), ...past.map(stretch => stretch.ms));
  }

  stop(): void {
    this.#stop.abort();
    for (const one of this.#monitors) one.disable();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    for (await sleep(STRETCH_MS, signal); !signal.aborted; await sleep(STRETCH_MS, signal)) {
      const oldest = this.#monitors.shift();
      if (oldest) this.#stretches.push({ until: performance.now(), ms: longest(oldest) });
      oldest?.disable();
      this.#monitors.push(monitor());
      if (this.#stretches.length > KEPT_MS / STRETCH_MS) this.#stretches.shift();
    }
  }
}

function monitor(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return histogram;
}

const longest = ({ max }: IntervalHistogram): number => Math.max(0, max / 1e6 - RESOLUTION_MS);
