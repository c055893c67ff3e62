/**
 * Follows requests for the library and the command line: reads one, and waits for its end, which Redis publishes. It changes
 * nothing. The first wait opens a second connection.
 */
import type { Redis } from 'ioredis';
import type { Keys } from '../shared/contract/keys.js';
import { sleep } from '../shared/runtime/wait.js';
import { Outcomes, type Watch } from '../shared/state/outcomes.js';
import { RequestReader, type RequestView } from '../shared/state/requests.js';

/** Looks this often in addition, because nobody publishes that a process is gone or that Redis lost a record. */
const LOOK_MS = 5_000;

export type FollowerParts = {
  readonly redis: Redis;
  readonly keys: Keys;
  /** resolves when `redis` is connected */
  readonly connected: () => Promise<void>;
  /** opens another connection, which is not connected yet */
  readonly connect: () => Redis;
};

export class Follower {
  readonly #reader: RequestReader;
  #outcomes: Outcomes | undefined;
  #connecting: Promise<unknown> | undefined;

  constructor(private readonly parts: FollowerParts) {
    this.#reader = new RequestReader(parts.redis, parts.keys);
  }

  /** @throws Error if Redis is unreachable */
  async read(id: string): Promise<RequestView | undefined> {
    await this.parts.connected();
    return this.#reader.read(id);
  }

  /**
   * Waits out a Redis that is away, once it has answered.
   * @param onLook called with every reading
   * @throws the signal's reason; Error if there is no such request
   */
  async waitFor(
    id: string,
    signal?: AbortSignal,
    onLook: (view: RequestView) => void = () => {},
    lookMs = LOOK_MS,
  ): Promise<RequestView> {
    let before: RequestView | undefined;
    for (;;) {
      const watch = await this.#watch(id);
      try {
        signal?.throwIfAborted();
        const known = before;
        const view = await (known ? this.read(id).catch(() => known) : this.read(id));
        if (!view) throw new Error(`there is no request ${id}, or it is no longer kept`);
        onLook(view);
        if (isOver(view)) return view;
        before = view;
        await watch.until(lookMs, signal ?? new AbortController().signal);
      } finally {
        watch.end();
      }
    }
  }

  close(): void {
    this.#outcomes?.close();
  }

  /** Without a connection to listen on, time alone wakes the waiter. */
  async #watch(id: string): Promise<Watch> {
    try {
      if (!this.#outcomes) {
        const redis = this.parts.connect();
        this.#outcomes = new Outcomes(redis, this.parts.keys);
        this.#connecting = redis.connect();
      }
      await this.#connecting;
      return await this.#outcomes.watch(id);
    } catch {
      return { until: (ms, signal) => sleep(ms, signal), end: () => {} };
    }
  }
}

/** Pure. @returns true if nothing happens to the request any more by itself */
export const isOver = ({ state, doneAt }: Pick<RequestView, 'state' | 'doneAt'>): boolean =>
  state === 'done' || state === 'interrupted' || (state === 'cancelled' && doneAt !== undefined);
