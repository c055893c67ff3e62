/**
 * Waits until a request has ended: count-request.lua publishes that on a channel with the name of the request's
 * record. No polling. Messages during a lost connection are missed, so all waiters look once after a reconnect.
 */
import type { Redis } from 'ioredis';
import type { Keys } from '../contract/keys.js';
import { settlesWithin } from '../runtime/wait.js';

export type Watch = {
  /**
   * Resolves when the request may be complete, when the time is over, or when `signal` is aborted. It may be called again: what
   * is published meanwhile is not missed.
   */
  until(ms: number, signal: AbortSignal): Promise<void>;
  /** The caller must always call it. */
  end(): void;
};

export class Outcomes {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** @param redis a separate connection, because a subscribed one can do nothing else */
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
  ) {
    redis.on('message', (channel: string) => this.#wake(channel));
    redis.on('ready', () => void this.#subscribeAgain());
  }

  get isReady(): boolean {
    return this.redis.status === 'ready';
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Must be called before the jobs are enqueued, so that no message is missed. @throws Error if Redis is unreachable */
  async watch(id: string): Promise<Watch> {
    const channel = this.keys.requests + id;
    let resolveNow = () => {};
    const next = () =>
      new Promise<void>(resolve => {
        resolveNow = resolve;
      });
    let complete = next();
    const heard = () => resolveNow();
    const waiters = this.#waiting.get(channel) ?? new Set();
    this.#waiting.set(channel, waiters.add(heard));
    const end = () => {
      waiters.delete(heard);
      if (waiters.size > 0 || this.#waiting.get(channel) !== waiters) return;
      this.#waiting.delete(channel);
      this.redis.unsubscribe(channel).catch(() => {}); // a lost connection has no subscriptions
    };
    try {
      await this.redis.subscribe(channel);
    } catch (error) {
      end();
      throw error;
    }
    return {
      async until(ms, signal) {
        if (await settlesWithin(complete, ms, signal)) complete = next();
      },
      end,
    };
  }

  close(): void {
    this.redis.disconnect();
  }

  async #subscribeAgain(): Promise<void> {
    const channels = [...this.#waiting.keys()];
    if (channels.length === 0) return;
    await this.redis.subscribe(...channels).catch(() => {}); // if it is lost again, the next connection runs this as well
    for (const channel of channels) this.#wake(channel);
  }

  #wake(channel: string): void {
    for (const heard of this.#waiting.get(channel) ?? []) heard();
  }
}
