/**
 * Watches the Redis connections of a process.
 * Responsible for:
 *   1. detecting trouble within seconds: it probes the first connection every two seconds and sends PING on the others, so
 *      that openRedis notices a half-open connection even if no command is sent;
 *   2. logging once for all connections: a line when trouble begins, one a minute while it lasts, and one when it ends;
 *   3. reporting the reason to /readyz;
 *   4. knowing what kind of Redis it is, and logging a line for each thing about it that endangers the queue.
 * Not responsible for reconnecting: ioredis does that.
 */
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { ConfigError, withoutAddresses } from '../contract/errors.js';
import type { Keys } from '../contract/keys.js';
import { duration } from './duration.js';
import type { Service } from './lifecycle.js';
import type { Logger } from './logger.js';
import {
  isConnectionLoss,
  isRefusal,
  openRedis,
  type RedisAddress,
  type RedisRole,
  redisReason,
} from './redis.js';
import { RedisAsker } from './redis-asker.js';
import { faultText, type ServerFacts } from './redis-facts.js';
import { redisRemedy } from './redis-remedy.js';
import { redisPlace } from './redis-url.js';
import { sleep } from './wait.js';
import { writeRefusal } from './write-probe.js';

export type RedisWatchOptions = {
  readonly address: RedisAddress;
  readonly keys: Keys;
  /** the process only reads, so it probes whether Redis lets it read our keys, and not whether Redis accepts writes */
  readonly readsOnly?: true;
  /** for the log: what the trouble means for the process */
  readonly consequence: string;
  readonly logger: Logger;
  /** milliseconds */
  readonly now?: () => number;
  /** see openRedis */
  readonly silenceMs?: number;
};

const PROBE_MS = 2_000;
/** A probe without an answer for this long is logged. */
const SLOW_MS = 5_000;
/** Lasting trouble is logged this often. */
const SAY_AGAIN_MS = 60_000;
/** Redis may be configured anew while it runs. */
const LOOK_AGAIN_MS = 60_000;

/** Key of trouble that concerns Redis itself and not one connection. */
const WRITES = 'writes';
const LOST = 'the connection was lost';

export class RedisWatch implements Service {
  /** rejects if the first connection leads to a Redis that the address cannot mean: one node of a cluster */
  readonly fatal: Promise<never>;
  #end: (error: Error) => void = () => {};
  readonly #options: RedisWatchOptions;
  readonly #now: () => number;
  readonly #connections = new Map<string, Redis>();
  /** name of the connection, or {@link WRITES} → reason */
  readonly #troubles = new Map<string, string>();
  readonly #stop = new AbortController();
  /** start of the oldest current trouble; undefined: no trouble */
  #since: number | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;
  #isSaid = false;
  #askedAt: number | undefined;
  /** asks over the first connection */
  #asker: RedisAsker | undefined;
  #facts: ServerFacts | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: RedisWatchOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.fatal = new Promise((_, reject) => {
      this.#end = reject;
    });
    this.fatal.catch(() => {}); // whoever waits for it is told as well
  }

  /** Opens a connection and watches it. The first connection is probed. */
  open(name: string, role: RedisRole): Redis {
    const { address, silenceMs } = this.#options;
    const redis = openRedis(address, role, error => this.failed(error, name), silenceMs);
    const isFirst = this.#connections.size === 0;
    if (isFirst) this.#asker = new RedisAsker(redis);
    redis.on('ready', () => {
      this.#over(name);
      if (isFirst) void this.#lookAtKind();
    });
    this.#connections.set(name, redis);
    return redis;
  }

  /** Starts connecting, which retries for ever. Resolves at once. */
  async start(): Promise<void> {
    for (const redis of this.#connections.values()) redis.connect().catch(() => {}); // an event reports a failure
    void this.#watch();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const redis of this.#connections.values()) redis.disconnect();
  }

  /** Reasons why the process cannot work. They contain no address. */
  get reasons(): string[] {
    if (this.#troubles.size > 0)
      return [...new Set([...this.#troubles.values()].map(reason => `Redis: ${withoutAddresses(reason)}`))];
    const lost = [...this.#connections.values()].find(({ status }) => status !== 'ready');
    return lost ? [`Redis: ${lost.status}`] : [];
  }

  /** What kind of Redis it is; undefined: it does not tell, or has not been asked yet. */
  get facts(): ServerFacts | undefined {
    return this.#facts;
  }

  /**
   * @returns a logger for code that uses the connections. The watch reports errors of Redis and of the connection, of which
   * there may be thousands a second, so this logger writes such warnings on level debug only.
   */
  quiet(logger: Logger): Logger {
    const quiet = Object.create(logger) as Logger;
    for (const level of ['warn', 'error'] as const)
      quiet[level] = (fields: object | string, ...rest: unknown[]) => {
        const isOurs =
          typeof fields === 'object' &&
          'error' in fields &&
          this.#tells(fields.error, 'event' in fields && fields.event === 'redis');
        logger[isOurs ? 'debug' : level](fields as object, ...(rest as []));
      };
    return quiet;
  }

  #tells(error: unknown, isOfRedis: boolean): boolean {
    const isKnown = isRefusal(error) || isConnectionLoss(error) || isDefinite(error);
    if (!isKnown && !(isOfRedis && isOfTls(error))) return false;
    this.failed(error);
    return true;
  }

  failed(error: unknown, name = 'commands'): void {
    const reason = redisReason(error);
    const refused = isRefusal(error);
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
    const { address, consequence, logger } = this.#options;
    const ms = now - (this.#since ?? now);
    const since = ms < SAY_AGAIN_MS ? '' : ` for ${duration(ms)} now`;
    const error = [...new Set(this.#troubles.values())].join('; ');
    const remedy = redisRemedy(error, address);
    logger.warn(
      { event: 'redis', error },
      `Redis at ${redisPlace(address)} cannot be used${since}; ${consequence}${remedy && `. ${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}`}`,
    );
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const [first, ...others] = this.#connections.values();
      if (first && this.#askedAt === undefined) void this.#probe(first);
      for (const redis of others) if (redis.status === 'ready') redis.ping().catch(() => {}); // an event reports a failure
      await sleep(PROBE_MS, signal);
      this.#look(first);
      if (first?.status === 'ready' && this.#now() - this.#lookedAt > LOOK_AGAIN_MS) void this.#lookAtKind();
    }
  }

  async #probe(redis: Redis): Promise<void> {
    this.#askedAt = this.#now();
    const [name = ''] = this.#connections.keys();
    try {
      // a hasty connection refuses commands before it is ready, and the watch would report that as a loss
      if (redis.status !== 'ready') await once(redis, 'ready', { signal: this.#stop.signal });
      const { readsOnly, keys } = this.#options;
      const refusal = readsOnly
        ? void (await redis.exists(keys.writeProbe))
        : await writeRefusal(redis, keys);
      this.#over(name);
      if (refusal) this.#trouble(WRITES, refusal);
      else this.#over(WRITES);
    } catch (error) {
      if (!this.#stop.signal.aborted) this.failed(error, name);
    }
    this.#askedAt = undefined;
  }

  /** Reports a probe that waits too long: a waiting command never fails. */
  #look(first: Redis | undefined): void {
    if (this.#stop.signal.aborted) return;
    const ms = this.#askedAt === undefined ? 0 : this.#now() - this.#askedAt;
    const [name = ''] = this.#connections.keys();
    // connect: the connection is open, and Redis replies that it is loading
    const reason =
      first?.status === 'connect' ? 'LOADING it is loading its data' : `no answer for ${duration(ms)}`;
    if (ms > SLOW_MS && !(this.#troubles.has(name) && first?.status !== 'connect'))
      this.#trouble(name, reason);
    else if (this.#troubles.size > 0) this.#say();
  }

  async #lookAtKind(): Promise<void> {
    this.#lookedAt = this.#now();
    let facts: ServerFacts | undefined;
    try {
      facts = await this.#asker?.facts();
    } catch {
      return; // the connection is lost again, which the watch reports
    }
    const isFirst = this.#facts === undefined;
    const known = new Set(this.#facts?.faults.map(({ text }) => text));
    this.#facts = facts;
    const wrong = isFirst ? facts?.faults.find(({ about }) => about === 'cluster') : undefined;
    if (wrong) return this.#end(new ConfigError([`REDIS_URL: ${faultText(wrong)}`]));
    for (const fault of facts?.faults ?? [])
      if (!known.has(fault.text))
        this.#options.logger.warn({ event: 'redis', about: fault.about }, faultText(fault));
  }
}

/** @returns true if the error is a reply of a server */
const isDefinite = (error: unknown): boolean =>
  /\b(ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EACCES)\b/.test(
    redisReason(error),
  );

/** @returns true if TLS cannot be agreed on. HubSpot may cause the same error, so the line must be about Redis. */
const isOfTls = (error: unknown): boolean => /\bTLS\b|certificate|ETIMEDOUT/.test(redisReason(error));
