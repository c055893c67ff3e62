/**
 * Commands of the gateway to Redis: each has a deadline, so that the caller has an answer within 2 s. A connection that does
 * not answer is replaced.
 */
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { hasMoved, redisReason } from '../../shared/runtime/redis.js';
import { heardWithin, settlesWithin } from '../../shared/runtime/wait.js';
import { Refusal, unavailable } from '../refusal.js';

export const DEADLINE_MS = 1_200;

export class InTime {
  #lastError: unknown;
  #next: Promise<void> | undefined;

  /** @param deadlineMs longest wait for an answer of Redis, ms */
  constructor(
    private readonly redis: Redis,
    private readonly deadlineMs = DEADLINE_MS,
  ) {
    redis.on('error', error => {
      this.#lastError = error;
    });
    redis.on('ready', () => {
      this.#lastError = undefined;
    });
  }

  /**
   * @param work is run again when the keys have moved to another node of a cluster, so it must be repeatable
   * @throws Refusal 503 if Redis is unreachable, refuses, or does not answer in time
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.redis.status !== 'ready') throw unavailable(`Redis is away: ${this.#reason(undefined)}`);
    try {
      return await heardWithin(this.#following(work), this.deadlineMs, () => this.redis.disconnect(true));
    } catch (error) {
      throw this.refusalOf(error);
    }
  }

  /** After a planned failover of a cluster the next connection, some milliseconds later, is the right one. */
  async #following<T>(work: () => Promise<T>): Promise<T> {
    const { stream } = this.redis;
    const repeatableMs = this.deadlineMs / 2; // nothing may be repeated once the caller has an answer
    const since = performance.now();
    try {
      return await work();
    } catch (error) {
      if (!hasMoved(error, this.redis)) throw error;
      const isThere = this.redis.status === 'ready' && this.redis.stream !== stream;
      if (!isThere) await settlesWithin(this.#nextConnection(), repeatableMs);
      if (performance.now() - since > repeatableMs) throw error;
      return await work();
    }
  }

  /** Shared by all who wait, so that one listener serves them. Never rejects. */
  #nextConnection(): Promise<void> {
    this.#next ??= once(this.redis, 'ready').then(
      () => this.#forgetNext(),
      () => this.#forgetNext(), // an error of the connection
    );
    return this.#next;
  }

  #forgetNext(): void {
    this.#next = undefined;
  }

  /** @returns a Refusal 503 for an error of Redis; a refusal stays what it is */
  refusalOf(error: unknown): Refusal {
    return error instanceof Refusal ? error : unavailable(`Redis cannot take it: ${this.#reason(error)}`);
  }

  /** @returns words of our own, because ioredis' error contains the command with the data */
  #reason(error: unknown): string {
    return redisReason(error) || redisReason(this.#lastError) || 'the connection was lost';
  }
}
