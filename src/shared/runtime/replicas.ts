/**
 * Waits until replicas have what this process wrote (REDIS_WAIT_REPLICAS, docs/decisions/0060).
 * Responsible for:
 *   1. the connection: Redis' WAIT speaks of the connection that sends it. If the connection was replaced since the first
 *      write, the server behind it may be another one, which has nothing of ours and all of its own;
 *   2. groups: WAIT blocks its connection on the server. One is on its way at a time, for all who were there when it was
 *      sent; those who come meanwhile share the next;
 *   3. errors: too few replicas is something else than a lost connection.
 * Not responsible for what follows from them: the caller does not acknowledge what was not confirmed.
 */
import type { Redis } from 'ioredis';
import { messageOf } from '../contract/errors.js';
import type { Keys } from '../contract/keys.js';
import { isConnectionLoss, redisReason } from './redis.js';
import { loadScript } from './script.js';

/** The key that is written before each WAIT expires after this time. */
const MARK_MS = 60_000;

const markWrite = loadScript(new URL('./mark-write.lua', import.meta.url));

/** It is in Redis, and not on enough replicas: a failover may lose it. `message` is a sentence about Redis. */
export class Unconfirmed extends Error {
  /** @param reason what follows the name of Redis in a sentence */
  constructor(readonly reason: string) {
    super(`Redis ${reason}`);
    this.name = 'Unconfirmed';
  }
}

/** What is written between `begin` and `confirmed`. */
export type Writes = {
  /**
   * Resolves when enough replicas have everything that Redis has by now.
   * @throws Unconfirmed; or Error if the connection was lost since `begin`: the writes may be gone
   */
  confirmed(): Promise<void>;
};

export type ReplicaWaitOptions = {
  /** REDIS_WAIT_REPLICAS; 0: nobody waits */
  readonly replicas: number;
  /** longest WAIT; other commands of the connection wait behind it */
  readonly timeoutMs: number;
};

/** Those whose WAIT is not sent yet. */
type Group = { readonly connection: unknown; readonly confirmed: Promise<void> };

export const NOBODY_WAITS: Writes = { confirmed: () => Promise.resolve() };

export class ReplicaWait {
  #current: Promise<unknown> = Promise.resolve();
  #next: Group | undefined;

  /** @param redis the connection that writes; it must not send a command again on a new connection (role `hasty`) */
  constructor(
    private readonly redis: Redis,
    private readonly keys: Pick<Keys, 'replicated'>,
    private readonly options: ReplicaWaitOptions,
  ) {}

  /** Call it before the first write. */
  begin(): Writes {
    if (this.options.replicas === 0) return NOBODY_WAITS;
    const connection = this.redis.stream;
    return { confirmed: () => this.#confirmed(connection) };
  }

  /** Does the work, and resolves with its result when replicas have what it wrote. @throws as the work, and as `confirmed` */
  async kept<T>(work: () => Promise<T>): Promise<T> {
    const writes = this.begin();
    const result = await work();
    await writes.confirmed();
    return result;
  }

  #confirmed(connection: unknown): Promise<void> {
    const next = this.#next;
    if (next && next.connection === connection) return next.confirmed;
    const confirmed = this.#current.then(() => {
      this.#next = undefined; // who comes from here on may have written after the mark
      return this.#wait(connection);
    });
    this.#current = confirmed.catch(() => {});
    this.#next = { connection, confirmed };
    return confirmed;
  }

  async #wait(connection: unknown): Promise<void> {
    const { replicas, timeoutMs } = this.options;
    const mustBeTheSame = () => {
      if (this.redis.stream !== connection) throw lost();
    };
    mustBeTheSame();
    let confirmed: number;
    try {
      await markWrite(this.redis, [this.keys.replicated], [MARK_MS]);
      mustBeTheSame();
      confirmed = await this.redis.wait(replicas, timeoutMs);
    } catch (error) {
      throw failure(error);
    }
    mustBeTheSame();
    if (confirmed < replicas)
      throw new Unconfirmed(
        `has written it, but ${confirmed} of ${replicas} replicas (REDIS_WAIT_REPLICAS) confirmed it within ${timeoutMs} ms, so that a failover may lose it`,
      );
  }
}

/** In ioredis' words, so that everybody takes it for what it is. */
const lost = (): Error => new Error('Connection is closed.');

function failure(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'ReplyError' || isConnectionLoss(error)) return error;
  // this server is a replica by now, and throws away what only it has
  if (/\b(UNBLOCKED|READONLY)\b/.test(messageOf(error))) return lost();
  return new Unconfirmed(
    `has written it, but does not say whether its replicas have it, so that a failover may lose it: ${redisReason(error)}`,
  );
}
