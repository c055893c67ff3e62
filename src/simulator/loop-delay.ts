/**
 * Measures how late this process's event loop was. The loop sees a call late after a delay, so that this process may have
 * caused a refusal right after the delay.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { sleep } from '../shared/runtime/wait.js';

/** The monitor samples this often and includes the interval in the delay. */
const RESOLUTION_MS = 10;
const STRETCH_MS = 250;
/** Delays are remembered this long. */
const KEPT_MS = 60_000;

export class LoopDelay {
  /** Two overlapping monitors, because a monitor that is reset or started during a delay misses it. Oldest first. */
  #monitors = [monitor(), monitor()];
  readonly #stop = new AbortController();
  /** longest delay of each period, oldest first */
  readonly #stretches: { readonly until: number; readonly ms: number }[] = [];

  constructor() {
    void this.#watch(this.#stop.signal);
  }

  /** @returns the longest delay within the last `ms` milliseconds, including a delay that ends now */
  async within(ms: number): Promise<number> {
    const since = performance.now() - ms;
    await sleep(2 * RESOLUTION_MS); // the monitors record a delay after it ends
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
