/**
 * Limits lookups of labels to a tenth of HubSpot's window for all processes together (share.lua). Callers choose the
 * object types, and every invented one costs a call.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { loadScript } from '../shared/runtime/script.js';
import { sleep } from '../shared/runtime/wait.js';

const SHARE = 0.1;

export type Place = {
  /** for a place without a call: another lookup may take it */
  giveBack(): Promise<void>;
};

export class LabelShare {
  readonly #script = loadScript(new URL('./share.lua', import.meta.url));
  readonly #questions: number;

  /** @param key `keys.labelCalls` @param calls calls that HubSpot allows in a window */
  constructor(
    private readonly redis: Redis,
    private readonly key: string,
    calls: number,
    private readonly windowMs: number,
  ) {
    this.#questions = Math.max(1, Math.floor(calls * SHARE));
  }

  get words(): string {
    return `questions for labels may take a tenth of HubSpot's calls (${this.#questions} in ${this.windowMs / 1_000} s), and those are taken`;
  }

  /**
   * Waits for a place, unless the place comes too late.
   * @param patienceMs how long the caller can wait
   * @returns the place, or the milliseconds after which to try again
   */
  async enter(patienceMs: number): Promise<Place | number> {
    const question = randomUUID();
    const until = performance.now() + patienceMs;
    for (;;) {
      const waitMs = Number(
        await this.#script(this.redis, [this.key], [question, this.#questions, this.windowMs]),
      );
      if (waitMs === 0) return { giveBack: () => this.#remove(question) };
      if (performance.now() + waitMs > until) return waitMs;
      await sleep(waitMs);
    }
  }

  async #remove(question: string): Promise<void> {
    // without Redis the place ends with the window
    await this.redis.zrem(this.key, question).catch(() => {});
  }
}
