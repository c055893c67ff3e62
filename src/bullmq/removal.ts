/**
 * Removal: whether our scripts may take jobs out of BullMQ's structures (remove.lua), which they may for a known release only.
 * With an unknown release BullMQ's own command removes jobs, one by one.
 */
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Keys } from '../shared/contract/keys.js';
import { installedRelease, isKnown, type Release } from './fingerprint.js';

export class Removal {
  /** remove.lua may be used */
  readonly isKnown: boolean;
  #queue: Queue | undefined;

  /** @param release for tests: another one than the installed */
  constructor(
    private readonly redis: Redis,
    private readonly keys: Pick<Keys, 'queue'>,
    release: Release = installedRelease(),
  ) {
    this.isKnown = isKnown(release);
  }

  /** Removes jobs by BullMQ's own command. A job that a worker has stays. @returns how many are gone */
  async remove(ids: readonly string[]): Promise<number> {
    this.#queue ??= this.#open();
    let gone = 0;
    for (const id of ids) gone += await this.#queue.remove(id);
    return gone;
  }

  async close(): Promise<void> {
    await this.#queue?.close();
  }

  #open(): Queue {
    const at = this.keys.queue.lastIndexOf(':');
    const [prefix, name] = [this.keys.queue.slice(0, at), this.keys.queue.slice(at + 1)];
    const queue = new Queue(name, {
      ...{ connection: this.redis, prefix, skipMetasUpdate: true, skipVersionCheck: true },
    });
    queue.on('error', () => {}); // the caller gets the error as a rejection
    return queue;
  }
}
