/**
 * Follows requests for the library and the command line: reads one, and waits for its end, which Redis publishes. It changes
 * nothing. The first wait opens a second connection.
 */
import type { Redis } from 'ioredis';
import { UnknownRequestError } from '../contract/errors.js';
import type { Keys } from '../contract/keys.js';
import { sleep } from '../runtime/wait.js';
import { Outcomes, type Watch } from './outcomes.js';
import { RequestReader, type RequestView } from './requests.js';

/** Looks this often in addition, because nobody publishes that a process is gone or that Redis lost a record. */
const LOOK_MS = 5_000;

export type FollowerParts = {
  readonly redis: Redis;
  readonly keys: Keys;
  /** runs commands of `redis`, and turns its errors into those that the caller expects */
  readonly run: <T>(commands: () => Promise<T>) => Promise<T>;
  /** opens another connection, which is not connected yet */
  readonly connect: () => Redis;
};

export type FollowOptions = {
  readonly signal?: AbortSignal | undefined;
  /** called with every reading */
  readonly onLook?: (request: RequestView) => void;
  /** called when Redis cannot be read; the next look tries again */
  readonly onTrouble?: (error: unknown) => void;
  /** time between two looks, ms */
  readonly lookMs?: number;
};

export class Follower {
  readonly #reader: RequestReader;
  #outcomes: Outcomes | undefined;
  #connecting: Promise<unknown> | undefined;

  constructor(private readonly parts: FollowerParts) {
    this.#reader = new RequestReader(parts.redis, parts.keys);
  }

  /** @throws as `run` of the parts */
  read(id: string): Promise<RequestView | undefined> {
    return this.parts.run(() => this.#reader.read(id));
  }

  /** @returns the latest request that enqueued a file with this hash @throws as `run` of the parts */
  ofFile(hash: string): Promise<RequestView | undefined> {
    return this.parts.run(() => this.#reader.ofFile(hash));
  }

  /**
   * Waits out a Redis that is away, once it has answered.
   * @throws the signal's reason; UnknownRequestError
   */
  async waitFor(id: string, options: FollowOptions = {}): Promise<RequestView> {
    const { signal, onLook = () => {}, onTrouble = () => {}, lookMs = LOOK_MS } = options;
    let isKnown = false;
    for (;;) {
      const watch = await this.#watch(id);
      try {
        signal?.throwIfAborted();
        // the first reading says whether the request can be followed at all
        const view = await this.#look(id, isKnown ? onTrouble : undefined);
        if (view) {
          isKnown = true;
          onLook(view);
          if (isOver(view)) return view;
        }
        await watch.until(lookMs, signal ?? new AbortController().signal);
      } finally {
        watch.end();
      }
    }
  }

  close(): void {
    this.#outcomes?.close();
  }

  /** @returns undefined if Redis cannot be read at the moment, provided that somebody hears of it */
  async #look(id: string, onTrouble?: (error: unknown) => void): Promise<RequestView | undefined> {
    let view: RequestView | undefined;
    try {
      view = await this.read(id);
    } catch (error) {
      if (!onTrouble) throw error;
      onTrouble(error);
      return undefined;
    }
    if (!view) throw new UnknownRequestError(id);
    return view;
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
export const isOver = ({
  state,
  doneAt,
  queued,
}: Pick<RequestView, 'state' | 'doneAt' | 'queued'>): boolean =>
  state === 'done' ||
  state === 'interrupted' ||
  (state === 'cancelled' && (doneAt !== undefined || queued <= 0));
