/**
 * The part of HubSpot's window that questions for labels may take: a tenth, of all processes together (share.lua). Object
 * types come from callers, and each invented one is a question.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { loadScript } from '../shared/runtime/script.js';
import { sleep } from '../shared/runtime/wait.js';

const SHARE = 0.1;

export class LabelShare {
  readonly #script = loadScript(new URL('./share.lua', import.meta.url));
  readonly #questions: number;

  /** @param key keys.labelCalls @param calls that HubSpot allows in a window */
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
   * Waits for a place, but not for one that comes too late.
   * @param patienceMs how long whoever asks can wait
   * @returns undefined, or after how many milliseconds to try again
   */
  async enter(patienceMs: number): Promise<number | undefined> {
    const question = randomUUID();
    const until = performance.now() + patienceMs;
    for (;;) {
      const waitMs = Number(
        await this.#script(this.redis, [this.key], [question, this.#questions, this.windowMs]),
      );
      if (waitMs === 0) return undefined;
      if (performance.now() + waitMs > until) return waitMs;
      await sleep(waitMs);
    }
  }
}
