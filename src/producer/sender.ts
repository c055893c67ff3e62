/**
 * Sends jobs to Redis and waits until Redis has acknowledged them.
 * Responsible for:
 *   1. one connection that reports within seconds that Redis is unreachable, and that reconnects by itself;
 *   2. Queue.addBulk in portions that Redis acknowledges one by one, a few in flight at a time;
 *   3. error messages that contain neither a password nor the data.
 * Not responsible for the content of the jobs, nor for retries: addBulk is a pipeline without a transaction, so after a
 * failure some of the jobs may be in the queue, and the caller decides whether to repeat them.
 */
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import pLimit from 'p-limit';
import { producerJobOptions } from '../bullmq/layout.js';
import type { JobData } from '../shared/contract/association.js';
import { JOB_NAME, type Priority, queueName } from '../shared/contract/keys.js';
import { isConnectionLoss, openRedis, redisReason } from '../shared/runtime/redis.js';
import { redisPlace } from '../shared/runtime/redis-url.js';
import { heardWithin, sleepListening } from '../shared/runtime/wait.js';
import { SendTracing } from './send-tracing.js';

/** Longest time to connect or to reconnect. */
const CONNECT_MS = 2_000;
/** Longest silence of an open connection after a few megabytes: longer than a pause of a healthy Redis. */
const SILENCE_MS = 5_000;
/** Jobs of one addBulk: 10,000 pairs if they are full, a quarter of a megabyte. */
export const JOBS_PER_BULK = 20;
/** Enough to keep Redis busy while we serialize; more would only fill the socket's buffer. */
const BULKS_ON_THE_WIRE = 4;

export class Sender {
  readonly #place: string;
  readonly #redis: Redis;
  readonly #queue: Queue;
  readonly #wire = pLimit(BULKS_ON_THE_WIRE);
  readonly tracing = new SendTracing();
  #connecting: Promise<void> | undefined;
  #lastError: unknown;

  constructor(redisUrl: string, prefix: string, account: string) {
    this.#place = redisPlace(redisUrl);
    this.#redis = openRedis(redisUrl, 'hasty', error => {
      this.#lastError = error;
    });
    // Without the two skip options BullMQ waits for a connection once, at the start, and keeps a failure for ever.
    this.#queue = new Queue(queueName(account), {
      connection: this.#redis,
      prefix,
      skipVersionCheck: true,
      skipWaitingForReady: true,
      skipMetasUpdate: true,
    });
    this.#queue.on('error', () => {}); // each send reports its own failure
  }

  /** The connection for other commands; await {@link connected} first. */
  get redis(): Redis {
    return this.#redis;
  }

  /**
   * Resolves when Redis has acknowledged every job.
   * @throws Error with Redis' address and the reason; some of the jobs may be in the queue nevertheless
   */
  async send(jobs: readonly JobData[], priority: Priority = 'normal'): Promise<void> {
    const [tracing] = await Promise.all([this.tracing.ready(), this.connected()]);
    if (tracing) this.#queue.opts.telemetry = tracing.telemetry;
    // Wait for the connection before the p-limit queue: in an outage all sends fail together, not one by one.
    const bulks: Promise<void>[] = [];
    for (let at = 0; at < jobs.length; at += JOBS_PER_BULK)
      bulks.push(this.#wire(() => this.#add(jobs.slice(at, at + JOBS_PER_BULK), priority)));
    const failed = (await Promise.allSettled(bulks)).find(bulk => bulk.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** @throws Error if Redis does not answer within 2 s */
  connected(): Promise<void> {
    if (this.#redis.status === 'ready') return Promise.resolve();
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  /** Does not wait for sends: the caller has awaited them. */
  async close(): Promise<void> {
    await this.#queue.close();
    this.#redis.disconnect();
  }

  async #connect(): Promise<void> {
    const redis = this.#redis;
    if (redis.status === 'end') throw this.#failure(new Error('the connection is closed'));
    const answered = new AbortController();
    const ready = () => answered.abort();
    redis.once('ready', ready);
    if (redis.status === 'wait') redis.connect().catch(() => {}); // the listener of openRedis stores the reason
    await sleepListening(CONNECT_MS, answered.signal);
    redis.off('ready', ready);
    if (!answered.signal.aborted)
      throw this.#failure(this.#lastError ?? new Error(`no answer within ${CONNECT_MS} ms`));
    this.#lastError = undefined;
  }

  async #add(jobs: readonly JobData[], priority: Priority): Promise<void> {
    const opts = producerJobOptions(priority);
    const added = this.#queue.addBulk(jobs.map(data => ({ name: JOB_NAME, data, opts })));
    try {
      await heardWithin(added, SILENCE_MS, () => this.#redis.disconnect(true));
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Makes a new error, because ioredis attaches the command with its arguments, which may be the password or the data. */
  #failure(error: unknown): Error {
    const cause = isConnectionLoss(error) ? this.#lastError : error;
    const reason = redisReason(cause) || 'the connection was lost';
    const verb = cause instanceof Error && cause.name === 'ReplyError' ? 'refused' : 'is away';
    return new Error(`Redis at ${this.#place} ${verb}: ${reason}`);
  }
}
