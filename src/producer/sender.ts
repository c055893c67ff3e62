/**
 * Sends jobs to Redis and waits until Redis has acknowledged them.
 * Responsible for:
 *   1. one connection that reports within seconds that Redis is unreachable, and that reconnects by itself;
 *   2. bulks that Redis acknowledges one by one, a few in flight at a time, and its replicas too if somebody waits for them;
 *   3. counted bulks: after an unclear answer (lost connection) it reconnects, asks whether the bulk is in the queue, and
 *      sends it again if it is not;
 *   4. error messages that contain neither a password nor the data.
 * Not responsible for the content of the jobs, nor for retries of jobs without a request: after a failure some of them may
 * be in the queue, and the caller decides whether to repeat them.
 */
import type { Redis } from 'ioredis';
import pLimit from 'p-limit';
import {
  type Added,
  JobAdder,
  LostScripts,
  type NewJob,
  NoRepeat,
  type ScriptCall,
} from '../bullmq/job-adder.js';
import type { JobData } from '../shared/contract/association.js';
import { RedisUnavailableError } from '../shared/contract/errors.js';
import { accountKeys, type Priority, queueName } from '../shared/contract/keys.js';
import {
  hasMoved,
  isConnectionLoss,
  openRedis,
  type RedisAddress,
  redisReason,
} from '../shared/runtime/redis.js';
import { redisRemedy } from '../shared/runtime/redis-remedy.js';
import { redisPlace } from '../shared/runtime/redis-url.js';
import { ReplicaWait, Unconfirmed } from '../shared/runtime/replicas.js';
import { heardWithin, sleep, sleepListening } from '../shared/runtime/wait.js';
import { SendTracing } from './send-tracing.js';

/** Longest time to connect or to reconnect. */
const CONNECT_MS = 2_000;
/** Longest silence of an open connection after a few megabytes: longer than a pause of a healthy Redis. */
const SILENCE_MS = 5_000;
/** Longest wait for replicas. A command may come behind one such wait, and a wait behind another. */
const REPLICAS_MS = 1_500;
/** Jobs of one addBulk: 10,000 pairs if they are full, a quarter of a megabyte. */
export const JOBS_PER_BULK = 20;
/** Enough to keep Redis busy while we serialize; more would only fill the socket's buffer. */
export const BULKS_ON_THE_WIRE = 4;
/** Until ioredis has noticed a lost connection, it takes commands and fails them at once. */
const NOTICE_MS = 20;
/**
 * Time in which a counted bulk is sent again if its answer is unclear, and anything if the keys have moved. Each answer
 * may take {@link SILENCE_MS} more.
 */
const UNCLEAR_MS = 5_000;

/** Stands for the script's reply if the answer was lost and the whole bulk is counted. */
export const COUNTED_BEFORE: unique symbol = Symbol('counted before');

/** Jobs that a script counts in the same step. */
export type CountedBulk = {
  readonly jobs: readonly NewJob[];
  readonly call: ScriptCall;
  /** asked on a new connection after an unclear answer; true: the whole bulk is in the queue and counted */
  isCounted(): Promise<boolean>;
};

export class Sender {
  readonly #address: RedisAddress;
  readonly #redis: Redis;
  readonly #adder: JobAdder;
  /** for what is written without {@link write} */
  readonly replicas: ReplicaWait;
  readonly #wire = pLimit(BULKS_ON_THE_WIRE);
  readonly tracing = new SendTracing();
  #connecting: Promise<void> | undefined;
  #lastError: unknown;

  /** @param waitReplicas replicas that must have what is acknowledged */
  constructor(address: RedisAddress, prefix: string, account: string, waitReplicas: number) {
    this.#address = address;
    this.#redis = openRedis(address, 'hasty', error => {
      this.#lastError = error;
    });
    this.#adder = new JobAdder(this.#redis, prefix, queueName(account));
    this.replicas = new ReplicaWait(this.#redis, accountKeys(prefix, account), {
      replicas: waitReplicas,
      timeoutMs: REPLICAS_MS,
    });
  }

  get isReady(): boolean {
    return this.#redis.status === 'ready';
  }

  /** The connection for other commands; await {@link connected} first. */
  get redis(): Redis {
    return this.#redis;
  }

  /**
   * Resolves when Redis has acknowledged every job.
   * @throws RedisUnavailableError; some of the jobs may be in the queue nevertheless
   */
  async send(jobs: readonly JobData[], priority: Priority = 'normal'): Promise<void> {
    await this.#ready();
    const bulks: Promise<void>[] = [];
    for (let at = 0; at < jobs.length; at += JOBS_PER_BULK)
      bulks.push(this.#wire(() => this.#add(jobs.slice(at, at + JOBS_PER_BULK), priority)));
    const failed = (await Promise.allSettled(bulks)).find(bulk => bulk.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /**
   * Sends a bulk of a request; each job is in the queue and counted, or neither. At most {@link BULKS_ON_THE_WIRE} at a time.
   * @returns the script's reply, and why Redis did not take some of the jobs; or {@link COUNTED_BEFORE}
   * @throws RedisUnavailableError, or another Error if it is not Redis' fault
   */
  async sendCounted(bulk: () => CountedBulk, priority: Priority): Promise<Added | typeof COUNTED_BEFORE> {
    await this.#ready();
    return this.#wire(() => this.#addSurely(bulk(), priority));
  }

  /** Runs a command that only reads, or that acknowledges nothing. @throws RedisUnavailableError; the command may have run */
  async run<T>(command: () => Promise<T>): Promise<T> {
    await this.connected();
    try {
      return await this.#following(command);
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** Runs a command, and waits for the replicas. @throws RedisUnavailableError; the command may have run */
  write<T>(command: () => Promise<T>): Promise<T> {
    return this.run(() => this.replicas.kept(command));
  }

  /** @throws RedisUnavailableError if Redis does not answer within 2 s */
  connected(): Promise<void> {
    if (this.#redis.status === 'ready') return Promise.resolve();
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  /** Does not wait for sends: the caller has awaited them. */
  async close(): Promise<void> {
    await this.#adder.close();
    this.#redis.disconnect();
  }

  async #connect(): Promise<void> {
    const redis = this.#redis;
    if (redis.status === 'end') throw this.failure(new Error('the connection is closed'));
    const answered = new AbortController();
    const ready = () => answered.abort();
    redis.once('ready', ready);
    if (redis.status === 'wait') redis.connect().catch(() => {}); // the listener of openRedis stores the reason
    await sleepListening(CONNECT_MS, answered.signal);
    redis.off('ready', ready);
    if (!answered.signal.aborted)
      throw this.failure(this.#lastError ?? new Error(`no answer within ${CONNECT_MS} ms`));
    this.#lastError = undefined;
  }

  async #ready(): Promise<void> {
    // Wait for the connection before the p-limit queue: in an outage all sends fail together, not one by one.
    const [tracing] = await Promise.all([this.tracing.ready(), this.connected()]);
    if (tracing) this.#adder.telemetry = tracing.telemetry;
  }

  #heard<T>(work: Promise<T>): Promise<T> {
    return heardWithin(work, SILENCE_MS, () => this.#redis.disconnect(true));
  }

  /** Runs it again when a node of a cluster replies that another one has the keys: then it did nothing. */
  async #following<T>(work: () => Promise<T>): Promise<T> {
    const until = performance.now() + UNCLEAR_MS;
    for (;;) {
      try {
        return await this.#heard(work());
      } catch (error) {
        if (!hasMoved(error, this.#redis) || performance.now() > until) throw error;
        await sleep(NOTICE_MS);
        await this.connected();
      }
    }
  }

  async #add(jobs: readonly JobData[], priority: Priority): Promise<void> {
    let writes = this.replicas.begin();
    try {
      const add = () => {
        writes = this.replicas.begin(); // a command that runs again may do so on another connection
        return this.#adder.add(jobs, priority);
      };
      // of several jobs the first may be in the queue
      await (jobs.length === 1 ? this.#following(add) : this.#heard(add()));
      await this.#heard(writes.confirmed());
    } catch (error) {
      throw this.failure(error);
    }
  }

  async #addSurely(
    { jobs, call, isCounted }: CountedBulk,
    priority: Priority,
  ): Promise<Added | typeof COUNTED_BEFORE> {
    const until = performance.now() + UNCLEAR_MS;
    for (let isUnclear = false; ; isUnclear = true) {
      let writes = this.replicas.begin();
      try {
        const isThere = isUnclear && (await this.#heard(isCounted()));
        const add = () => {
          writes = this.replicas.begin(); // a command that runs again may do so on another connection
          return this.#adder.addWith(jobs, priority, call);
        };
        const added = isThere ? undefined : await this.#following(add);
        // after a failover, only the new primary can say whether the bulk is there
        await this.#heard(writes.confirmed());
        if (!added) return COUNTED_BEFORE;
        return { ...added, refusal: added.refusal && this.failure(added.refusal) };
      } catch (error) {
        if (error instanceof NoRepeat) throw error;
        const failure = this.failure(error);
        // if Redis answered, it has added nothing, or too few replicas have it
        if (isReply(error) || error instanceof Unconfirmed || performance.now() > until) throw failure;
        if (error instanceof LostScripts) this.#redis.disconnect(true);
        await sleep(NOTICE_MS);
        await this.connected();
      }
    }
  }

  /** Makes a new error, because ioredis attaches the command with its arguments, which may be the password or the data. */
  failure(error: unknown): RedisUnavailableError {
    if (error instanceof RedisUnavailableError) return error;
    if (error instanceof Unconfirmed)
      return new RedisUnavailableError(`Redis at ${redisPlace(this.#address)} ${error.reason}`);
    const cause = isConnectionLoss(error) ? this.#lastError : error;
    const reason = redisReason(cause) || 'the connection was lost';
    const verb = isReply(cause) ? 'refused' : 'is away';
    const remedy = redisRemedy(reason, this.#address);
    return new RedisUnavailableError(
      `Redis at ${redisPlace(this.#address)} ${verb}: ${reason}${remedy && ` (${remedy})`}`,
    );
  }
}

const isReply = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError';
