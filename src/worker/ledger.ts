/**
 * Ledger: writes what became of jobs and calls into Redis.
 * Jobs that are settled in the same turn of the event loop (all jobs of a batch) share one script call, so that counting
 * exactly costs next to nothing.
 */
import type { Redis } from 'ioredis';
import type { JobData } from '../shared/association.js';
import { messageOf } from '../shared/errors.js';
import type { Logger } from '../shared/logger.js';
import type { Keys } from '../shared/queue.js';
import { loadScript } from '../shared/script.js';

export type JobEntry = {
  readonly jobId: string;
  /** the lock's token: a job that somebody else has by now is left to them */
  readonly token: string;
  /** undefined: all pairs were created, the data stays as it is */
  readonly data: JobData | undefined;
  /** to be added to the totals; negative where a rejection is taken back */
  readonly created: number;
  readonly rejected: number;
  readonly retried: number;
  /** whose counts change along, where the gateway keeps such a request */
  readonly requestId?: string | undefined;
};
type Waiting = { readonly entry: JobEntry; resolve(ours: boolean): void; reject(error: unknown): void };

/** More jobs in one script call would keep Redis from others for milliseconds. */
const JOBS_PER_CALL = 500;

export class Ledger {
  readonly #settleScript = loadScript(new URL('./settle.lua', import.meta.url));
  #waiting: Waiting[] = [];

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly logger: Logger,
  ) {}

  /** Data and totals change together or not at all. @returns false when the job's lock is not ours any more */
  settle(entry: JobEntry): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => void this.#flush());
    });
  }

  /** Counts a call; never fails the work for it. @param status HTTP status, or what happened instead */
  countCall(status: string): void {
    const fields: Record<string, number> = { calls: 1 };
    if (status === '429') fields.callsRateLimited = 1;
    else if (!/^2\d\d$/.test(status)) fields.callsFailed = 1;
    this.#count(fields);
  }

  /** Counts a sealed batch. */
  countBatch(inputs: number): void {
    this.#count({ batches: 1, inputs });
  }

  #count(fields: Readonly<Record<string, number>>): void {
    const commands = this.redis.pipeline();
    for (const [name, by] of Object.entries(fields)) commands.hincrby(this.keys.counters, name, by);
    commands
      .exec()
      .catch(error => this.logger.warn({ event: 'not counted', error: messageOf(error), ...fields }));
  }

  async #flush(): Promise<void> {
    const all = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < all.length; at += JOBS_PER_CALL) {
      const some = all.slice(at, at + JOBS_PER_CALL);
      try {
        const settled = await this.#run(some.map(({ entry }) => entry));
        for (const [index, { resolve }] of some.entries()) resolve(settled[index] === 1);
      } catch (error) {
        for (const { reject } of some) reject(error);
      }
    }
  }

  async #run(entries: readonly JobEntry[]): Promise<number[]> {
    const keys = [this.keys.counters, ...entries.map(entry => this.keys.jobs + entry.jobId)];
    const args = entries.flatMap(({ token, data, created, rejected, retried, requestId }) => [
      token,
      data ? JSON.stringify(data) : '',
      created,
      rejected,
      retried,
      requestId ? this.keys.requests + requestId : '',
    ]);
    return (await this.#settleScript(this.redis, keys, args)) as number[];
  }
}
