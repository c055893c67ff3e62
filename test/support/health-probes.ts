/** Asks processes for /readyz and /healthz again and again, as Kubernetes does, and remembers the answers. */
import { setTimeout as delay } from 'node:timers/promises';

const INTERVAL_MS = 500;
const ANSWER_MS = 4_000;

/** `ready`, `alive`: status of the answer; 0 = none */
export type Probe = {
  readonly name: string;
  readonly at: number;
  readonly ready: number;
  readonly alive: number;
  readonly reasons: string;
};

export class HealthProbes {
  readonly all: Probe[] = [];
  #isOver = false;
  readonly #asking: Promise<void>[] = [];

  /** @param url of the process, without a path */
  watch(name: string, url: string): void {
    this.#asking.push(this.#goOn(name, url));
  }

  /** Resolves when the last answers have come. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#asking);
  }

  /** @returns the latest answer of each process */
  get latest(): Probe[] {
    return [...new Map(this.all.map(probe => [probe.name, probe])).values()];
  }

  async #goOn(name: string, url: string): Promise<void> {
    while (!this.#isOver) {
      const at = performance.now();
      const [ready, alive] = await Promise.all([ask(`${url}/readyz`), ask(`${url}/healthz`)]);
      this.all.push({ name, at, ready: ready.status, alive: alive.status, reasons: ready.text });
      await delay(INTERVAL_MS);
    }
  }
}

async function ask(url: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    return { status: 0, text: String(error) };
  }
}
