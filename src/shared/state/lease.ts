/**
 * A lease in Redis: it says that a process does something, and which process renewed it last. If the process dies, the lease
 * ends, and another process goes on. A process that loses its lease does not notice it: whatever it does must be safe beside
 * another one that does the same.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { loadScript } from '../runtime/script.js';

/** A process that has not renewed its lease for this long is dead. */
export const LEASE_MS = 5_000;
const RENEW_MS = 1_000;

const leaseScript = loadScript(new URL('./lease.lua', import.meta.url));

export class Lease {
  #renewedAt = performance.now();

  /** The lease has just been taken. */
  constructor(
    private readonly redis: Redis,
    private readonly key: string,
    private readonly token: string,
  ) {}

  /** @returns undefined if another process has it */
  static async take(redis: Redis, key: string): Promise<Lease | undefined> {
    const token = randomUUID();
    const taken = await leaseScript(redis, [key], [token, LEASE_MS, 'take']);
    return taken === 1 ? new Lease(redis, key, token) : undefined;
  }

  /** At most once a second. */
  async renew(): Promise<void> {
    if (performance.now() - this.#renewedAt < RENEW_MS) return;
    this.#renewedAt = performance.now();
    await leaseScript(this.redis, [this.key], [this.token, LEASE_MS, 'renew']);
  }

  /** Leaves the lease of another process alone. Never rejects. */
  async leave(): Promise<void> {
    // it ends by itself; an error here would hide the reason why the work ended
    await leaseScript(this.redis, [this.key], [this.token, LEASE_MS, 'leave']).catch(() => {});
  }
}
