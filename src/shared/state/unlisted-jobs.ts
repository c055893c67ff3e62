/**
 * What was taken back of a request and waits in Redis for a command that lists it (`requests cancel --list`). cancel-jobs.lua
 * puts it there, in the step that takes it out of the queue, whichever process cancels. It is kept as long as the record of
 * the request. A reader reads the first jobs, stores them safely, and drops them; if it dies in between, the next reader gets
 * the same jobs again.
 */
import type { Redis } from 'ioredis';
import type { JobData, Pair } from '../contract/association.js';
import { JobReader } from '../contract/job-text.js';
import type { Keys } from '../contract/keys.js';
import { loadScript } from '../runtime/script.js';

/** The associations of one job that were taken back. */
export type CancelledJob = Pick<JobData, 'fromObjectType' | 'toObjectType' | 'types'> & {
  readonly pairs: readonly Pair[];
};
export type Unlisted = {
  readonly jobs: readonly CancelledJob[];
  /** as the record counts them */
  readonly associations: number;
  /** associations that had been listed before these */
  readonly before: number;
  /** jobs, the unreadable ones, too */
  readonly entries: number;
};

/**
 * Always as many, so that a reader which goes on after a dead one gets at least the jobs that the other had read. With full
 * jobs it takes Redis some milliseconds.
 */
const READ_AT_ONCE = 500;

const dropScript = loadScript(new URL('./drop-listed.lua', import.meta.url));

export class UnlistedJobs {
  readonly #reader = new JobReader();
  readonly #record: string;
  readonly #list: string;

  constructor(
    private readonly redis: Redis,
    keys: Pick<Keys, 'requests'>,
    request: string,
  ) {
    this.#record = keys.requests + request;
    this.#list = `${this.#record}:unlisted`;
  }

  async isEmpty(): Promise<boolean> {
    return (await this.redis.llen(this.#list)) === 0;
  }

  /** @returns the first jobs; `entries` is 0 if there are none */
  async read(): Promise<Unlisted> {
    const replies = await this.redis
      .multi()
      .hget(this.#record, 'listed')
      .lrange(this.#list, 0, READ_AT_ONCE - 1)
      .exec();
    for (const [error] of replies ?? []) if (error) throw error;
    const [listed, entries] = (replies ?? []).map(([, reply]) => reply) as [string | null, string[]];
    const found = entries.map(entry => this.#parse(entry));
    const associations = found.reduce((sum, { counted }) => sum + counted, 0);
    return {
      ...{ associations, before: Number(listed) || 0, entries: entries.length },
      jobs: found.flatMap(({ job }) => job ?? []),
    };
  }

  /** Call it when they are stored. @returns false if another reader has stored them, too, and they were dropped before */
  async drop({ before, entries, associations }: Unlisted): Promise<boolean> {
    const args = [before, entries, associations];
    return (await dropScript(this.redis, [this.#record, this.#list], args)) === 1;
  }

  /** The text was a job when cancel-jobs.lua kept it. */
  #parse(entry: string): { counted: number; job: CancelledJob | undefined } {
    const [prefix, part] = /^(\d+) /.exec(entry) ?? ['', undefined];
    const read = this.#reader.read(entry.slice(prefix.length));
    if ('faults' in read) return { counted: Number(part ?? 0), job: undefined };
    const { fromObjectType, toObjectType, types } = read.head;
    const job = { fromObjectType, toObjectType, types, pairs: read.pairs.toTexts() };
    return { counted: Number(part ?? job.pairs.length), job };
  }
}
