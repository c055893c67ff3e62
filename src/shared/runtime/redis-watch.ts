/**
 * Watches the Redis connections of a process.
 * Responsible for:
 *   1. finding out within seconds: a probe every two seconds on the first connection, a PING on the others, so that one
 *      that swallows everything is noticed (openRedis makes it anew) though nobody has anything to say;
 *   2. telling the log once for all of them: one line when something is wrong, one a minute while it is, one at its end;
 *   3. telling /readyz why not, and /healthz that nothing at all was heard for a minute.
 * Not responsible for connecting again: ioredis does that.
 */
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { withoutAddresses } from '../contract/errors.js';
import type { Keys } from '../contract/keys.js';
import { duration } from './duration.js';
import type { Service } from './lifecycle.js';
import type { Logger } from './logger.js';
import { isConnectionLoss, isRefusal, openRedis, type RedisRole, redisReason } from './redis.js';
import { redisPlace } from './redis-url.js';
import { sleep } from './wait.js';
import { writeRefusal } from './write-probe.js';

export type RedisWatchOptions = {
  readonly url: string;
  readonly keys: Keys;
  /** the process can do its work when Redis takes no writes: that is not looked at */
  readonly readsOnly?: true;
  /** what follows for the process while something is wrong, for the log */
  readonly consequence: string;
  readonly logger: Logger;
  /** milliseconds */
  readonly now?: () => number;
  /** see openRedis */
  readonly silenceMs?: number;
};

const PROBE_MS = 2_000;
/** The probe has had no answer for so long: it is said. */
const SLOW_MS = 5_000;
/** A trouble that lasts is said so often. */
const SAY_AGAIN_MS = 60_000;
/** Nothing at all was heard for so long, not even a refusal: a new process may do better. */
const DEAD_MS = 60_000;

/** What is wrong with Redis itself, whichever connection says it. */
const WRITES = 'writes';
const LOST = 'the connection was lost';

export class RedisWatch implements Service {
  readonly #options: RedisWatchOptions;
  readonly #now: () => number;
  readonly #connections = new Map<string, Redis>();
  /** connection, or {@link WRITES} → why */
  readonly #troubles = new Map<string, string>();
  readonly #stop = new AbortController();
  /** the first trouble of those that are; undefined: all is well */
  #since: number | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;
  #isSaid = false;
  #askedAt: number | undefined;
  #heardAt: number;
  #policy = 'noeviction';

  constructor(options: RedisWatchOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#heardAt = this.#now();
  }

  /** Opens a connection and watches it. The first one is the one that is probed. */
  open(name: string, role: RedisRole): Redis {
    const { url, silenceMs } = this.#options;
    const redis = openRedis(url, role, error => this.failed(error, name), silenceMs);
    redis.on('ready', () => this.#connected(name, redis));
    redis.on('close', () => this.#closed(name));
    this.#connections.set(name, redis);
    return redis;
  }

  /** Connects, and goes on trying. Resolves at once. */
  async start(): Promise<void> {
    for (const redis of this.#connections.values()) redis.connect().catch(() => {}); // an event says it
    void this.#watch();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const redis of this.#connections.values()) redis.disconnect();
  }

  /** Why the process cannot do its work. Names no address. */
  get reasons(): string[] {
    if (this.#troubles.size > 0)
      return [...new Set([...this.#troubles.values()].map(reason => `Redis: ${withoutAddresses(reason)}`))];
    const lost = [...this.#connections.values()].find(({ status }) => status !== 'ready');
    return lost ? [`Redis: ${lost.status}`] : [];
  }

  /** Why the process had better be started again; empty in an outage that says so itself: a restart mends none. */
  get deadly(): string[] {
    const ms = this.#now() - this.#heardAt;
    return ms > DEAD_MS ? [`Redis: nothing heard for ${Math.round(ms / 1_000)} s`] : [];
  }

  /**
   * A logger for whoever uses the connections: a warning whose `error` is Redis' or the connection's is one for the watch,
   * and there may be thousands of them a second; on level debug each is told.
   */
  quiet(logger: Logger): Logger {
    const quiet = Object.create(logger) as Logger;
    for (const level of ['warn', 'error'] as const)
      quiet[level] = (fields: object | string, ...rest: unknown[]) => {
        const isOurs = typeof fields === 'object' && 'error' in fields && this.#tells(fields.error);
        logger[isOurs ? 'debug' : level](fields as object, ...(rest as []));
      };
    return quiet;
  }

  #tells(error: unknown): boolean {
    if (!isRefusal(error) && !isConnectionLoss(error) && !isDefinite(error)) return false;
    this.failed(error);
    return true;
  }

  failed(error: unknown, name = 'commands'): void {
    const reason = redisReason(error);
    const refused = isRefusal(error);
    if (refused || isDefinite(error)) this.#heardAt = this.#now();
    if (!reason && this.#troubles.size > 0) return; // the reason is known already
    this.#trouble(refused ? WRITES : name, reason || LOST);
  }

  #trouble(name: string, reason: string): void {
    this.#troubles.set(name, reason);
    this.#since ??= this.#now();
    this.#say();
  }

  #over(name: string): void {
    if (!this.#troubles.delete(name) || this.#troubles.size > 0) return;
    const ms = this.#now() - (this.#since ?? this.#now());
    this.#since = undefined;
    if (this.#isSaid)
      this.#options.logger.info({ event: 'redis', ms: Math.round(ms) }, `Redis: back after ${duration(ms)}`);
    this.#isSaid = false;
  }

  #say(): void {
    const now = this.#now();
    if (now - this.#saidAt < SAY_AGAIN_MS) return;
    this.#saidAt = now;
    this.#isSaid = true;
    const { url, consequence, logger } = this.#options;
    const ms = now - (this.#since ?? now);
    const since = ms < SAY_AGAIN_MS ? '' : ` for ${duration(ms)} now`;
    const error = [...new Set(this.#troubles.values())].join('; ');
    logger.warn(
      { event: 'redis', error },
      `Redis at ${redisPlace(url)} cannot be used${since}; ${consequence}`,
    );
  }

  #connected(name: string, redis: Redis): void {
    this.#heardAt = this.#now();
    this.#over(name);
    void this.#lookAtPolicy(redis);
  }

  /** By the other side, unless it was for its silence. */
  #closed(name: string): void {
    if (!/^no answer|ETIMEDOUT/.test(this.#troubles.get(name) ?? '')) this.#heardAt = this.#now();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const [first, ...others] = this.#connections.values();
      if (first && this.#askedAt === undefined) void this.#probe(first);
      for (const redis of others) if (redis.status === 'ready') redis.ping().catch(() => {}); // an event says it
      await sleep(PROBE_MS, signal);
      this.#look(first);
    }
  }

  async #probe(redis: Redis): Promise<void> {
    this.#askedAt = this.#now();
    const [name = ''] = this.#connections.keys();
    try {
      // a hasty connection refuses what is said to it earlier, and that would be reported as a loss
      if (redis.status !== 'ready') await once(redis, 'ready', { signal: this.#stop.signal });
      const { readsOnly, keys } = this.#options;
      const refusal = readsOnly ? void (await redis.ping()) : await writeRefusal(redis, keys);
      this.#heardAt = this.#now();
      this.#over(name);
      if (refusal) this.#trouble(WRITES, refusal);
      else this.#over(WRITES);
    } catch (error) {
      if (!this.#stop.signal.aborted) this.failed(error, name);
    }
    this.#askedAt = undefined;
  }

  /** A probe that waits fails nowhere. */
  #look(first: Redis | undefined): void {
    if (this.#stop.signal.aborted) return;
    const ms = this.#askedAt === undefined ? 0 : this.#now() - this.#askedAt;
    const [name = ''] = this.#connections.keys();
    // it has shaken hands and says that it is loading
    if (first?.status === 'connect') this.#heardAt = this.#now();
    const reason =
      first?.status === 'connect' ? 'LOADING it is loading its data' : `no answer for ${duration(ms)}`;
    if (ms > SLOW_MS && !(this.#troubles.has(name) && first?.status !== 'connect'))
      this.#trouble(name, reason);
    else if (this.#troubles.size > 0) this.#say();
  }

  async #lookAtPolicy(redis: Redis): Promise<void> {
    const info = await redis.info('memory').catch(() => ''); // we may not ask, or the connection is gone again
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? this.#policy;
    if (policy !== this.#policy && policy !== 'noeviction')
      this.#options.logger.warn(
        { event: 'redis', policy },
        `Redis evicts keys when its memory is full (maxmemory-policy ${policy}), queued jobs among them: set it to noeviction`,
      );
    this.#policy = policy;
  }
}

/** Somebody has answered, though not as we like it. */
const isDefinite = (error: unknown): boolean =>
  /\b(ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EACCES)\b/.test(
    redisReason(error),
  );
