/**
 * Measures the capacity of this replica (the duration of a call, and how long it keeps the main thread busy) and writes it to
 * Redis with the limits in force. All processes compute association_useful_replicas from it. The latest values count,
 * because all replicas do the same work.
 */
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/contract/keys.js';
import type { Service } from '../../shared/runtime/lifecycle.js';
import { sleep } from '../../shared/runtime/wait.js';
import { type Limits, writeCapacity } from '../../shared/state/capacity.js';

const EVERY_MS = 10_000;
/** Weight of a new measurement, so that one slow answer does not start a replica. */
const WEIGHT = 0.3;
/** With fewer calls the measurement continues. */
const LEAST_CALLS = 5;

export class CapacityMeter implements Service {
  #calls = 0;
  #callMs = 0;
  #mean: { callMs: number; busyMs: number } | undefined;
  /** the mean was measured since it was last written; a replica that makes no calls must not repeat an old one */
  #isNews = false;
  #since: EventLoopUtilization = performance.eventLoopUtilization();
  #stop = new AbortController();

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    /** the limits in force */
    private readonly limits: () => Limits,
    private readonly everyMs = EVERY_MS,
  ) {}

  /** Notes a call. @param ms its duration */
  call(ms: number): void {
    this.#calls += 1;
    this.#callMs += ms;
  }

  async start(): Promise<void> {
    this.#stop = new AbortController();
    void this.#run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // not awaited: other code reports an unreachable Redis
      if (this.redis.status === 'ready') this.#say().catch(() => {});
      await sleep(this.everyMs, signal);
      this.#measure();
    }
  }

  async #say(): Promise<void> {
    const mean = this.#isNews ? this.#mean : undefined;
    this.#isNews = false;
    await this.redis.hset(
      this.keys.capacity,
      writeCapacity({ limits: this.limits(), callMs: mean?.callMs, busyMs: mean?.busyMs }),
    );
  }

  #measure(): void {
    if (this.#calls === 0) this.#since = performance.eventLoopUtilization(); // work before the first call does not count
    if (this.#calls < LEAST_CALLS) return;
    const until = performance.eventLoopUtilization();
    const { active } = performance.eventLoopUtilization(until, this.#since);
    this.#mean = blend(this.#mean, {
      callMs: this.#callMs / this.#calls,
      busyMs: active / this.#calls,
    });
    this.#isNews = true;
    this.#since = until;
    this.#calls = 0;
    this.#callMs = 0;
  }
}

type Means = { callMs: number; busyMs: number };
const blend = (before: Means | undefined, now: Means): Means =>
  before === undefined
    ? now
    : {
        callMs: before.callMs + WEIGHT * (now.callMs - before.callMs),
        busyMs: before.busyMs + WEIGHT * (now.busyMs - before.busyMs),
      };
