/**
 * Waits for a request to be complete: the worker's settlement publishes it on a channel named like the request's hash.
 * No polling. What is published while the connection is away is not heard: after a reconnect all waiters look once.
 */
import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/contract/keys.js';
import { settlesWithin } from '../../shared/runtime/wait.js';

export type Watch = {
  /** Resolves when the request may be complete, when the time is up, or when `signal` is aborted. */
  until(ms: number, signal: AbortSignal): Promise<void>;
  /** Always to be called. */
  end(): void;
};

export class Outcomes {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** @param redis a connection of its own: a subscribed one does nothing else */
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

  /** To be called before the jobs are enqueued, so that nothing is missed. @throws when Redis is away */
  async watch(id: string): Promise<Watch> {
    const channel = this.keys.requests + id;
    let heard = () => {};
    const complete = new Promise<void>(resolve => {
      heard = resolve;
    });
    const waiters = this.#waiting.get(channel) ?? new Set();
    this.#waiting.set(channel, waiters.add(heard));
    const end = () => {
      waiters.delete(heard);
      if (waiters.size > 0 || this.#waiting.get(channel) !== waiters) return;
      this.#waiting.delete(channel);
      this.redis.unsubscribe(channel).catch(() => {}); // a lost connection has forgotten it
    };
    try {
      await this.redis.subscribe(channel);
    } catch (error) {
      end();
      throw error;
    }
    return {
      async until(ms, signal) {
        const aborted = new Promise<void>(resolve => {
          if (signal.aborted) resolve();
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        await settlesWithin(Promise.race([complete, aborted]), ms);
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
    await this.redis.subscribe(...channels).catch(() => {}); // lost again: the next connection comes here, too
    for (const channel of channels) this.#wake(channel);
  }

  #wake(channel: string): void {
    for (const heard of this.#waiting.get(channel) ?? []) heard();
  }
}
