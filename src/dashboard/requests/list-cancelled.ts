/**
 * Moves what was taken back of a request from Redis into the file of --list, whichever process took it back. Lines are on the
 * disk before Redis forgets their jobs. A lease lets one process at a time list, so that two commands with the same file do
 * not mix their lines. If the file cannot be written any more, it stops, and the rest stays in Redis; the cancel goes on.
 */
import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/contract/keys.js';
import { sleep } from '../../shared/runtime/wait.js';
import { Lease } from '../../shared/state/lease.js';
import { UnlistedJobs } from '../../shared/state/unlisted-jobs.js';
import type { CancelList } from './cancel-list.js';

/** While the cancel goes on: each time costs a round trip and a write to the disk. */
const LIST_EVERY_MS = 500;
/** Pause while another process lists. */
const ASK_AGAIN_MS = 200;

export type ListerParts = { readonly redis: Redis; readonly keys: Keys; readonly signal: AbortSignal };

export class CancelLister {
  /** associations that this process has listed */
  associations = 0;
  /** why the file cannot be written any more */
  problem: unknown;
  readonly #jobs: UnlistedJobs;
  #lease: Lease | undefined;
  #listedAt = performance.now();

  constructor(
    private readonly parts: ListerParts,
    private readonly id: string,
    private readonly list: CancelList,
  ) {
    this.#jobs = new UnlistedJobs(parts.redis, parts.keys, id);
  }

  /** For the steps of a cancel: lists now and then. @throws Error of Redis */
  readonly now = async (): Promise<void> => {
    if (performance.now() - this.#listedAt < LIST_EVERY_MS) return;
    await this.#listAll();
    this.#listedAt = performance.now();
  };

  /** Resolves when nothing waits to be listed, or when this process cannot go on. @throws Error of Redis */
  async finish(): Promise<void> {
    const { signal } = this.parts;
    try {
      while (!(await this.#listAll()) && this.problem === undefined && !signal.aborted)
        await sleep(ASK_AGAIN_MS, signal);
    } finally {
      await this.#lease?.leave();
    }
  }

  /** @returns true if nothing waits to be listed */
  async #listAll(): Promise<boolean> {
    const { redis, keys, signal } = this.parts;
    this.#lease ??= await Lease.take(redis, keys.requestListLease + this.id);
    if (!this.#lease) return this.#jobs.isEmpty();
    while (this.problem === undefined && !signal.aborted) {
      await this.#lease.renew();
      const unlisted = await this.#jobs.read();
      if (unlisted.entries === 0) return true;
      try {
        await this.list.add(unlisted.jobs);
      } catch (error) {
        this.problem = error;
        return false;
      }
      if (await this.#jobs.drop(unlisted)) this.associations += unlisted.associations;
    }
    return false;
  }
}
