/**
 * Commands of the gateway to Redis: each has a deadline, so that the caller has an answer within 2 s. A connection that does
 * not answer is replaced.
 */
import type { Redis } from 'ioredis';
import { redisReason } from '../../shared/runtime/redis.js';
import { heardWithin } from '../../shared/runtime/wait.js';
import { Refusal, unavailable } from '../refusal.js';

export const DEADLINE_MS = 1_200;

export class InTime {
  #lastError: unknown;

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

  /** @throws Refusal 503 if Redis is unreachable, refuses, or does not answer in time */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.redis.status !== 'ready') throw unavailable(`Redis is away: ${this.#reason(undefined)}`);
    try {
      return await heardWithin(work(), this.deadlineMs, () => this.redis.disconnect(true));
    } catch (error) {
      throw this.refusalOf(error);
    }
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
