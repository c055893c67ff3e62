/**
 * How the operator's commands reach the queue: quickly, or with a sentence that says why not.
 * Not for the worker or the producer, which have connections of their own.
 */
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { accountKeys, DEFAULT_ACCOUNT, type Keys, queueName } from '../shared/contract/keys.js';
import type { Config } from '../shared/runtime/config.js';
import { openRedis, redisReason } from '../shared/runtime/redis.js';
import { redisPlace } from '../shared/runtime/redis-url.js';

/** What accepts a connection and then says nothing is no Redis, or one that is stuck. */
const GREETING_TIMEOUT_MS = 5_000;

export type QueueAccess = {
  readonly account: string;
  readonly redis: Redis;
  readonly queue: Queue;
  readonly keys: Keys;
};

/**
 * Runs `use` with a connection that is closed afterwards.
 * @throws Error that names the place (without its password) when Redis cannot be reached
 */
export async function withQueue<T>(config: Config, use: (access: QueueAccess) => Promise<T>): Promise<T> {
  let lastError: unknown;
  const redis = openRedis(config.redisUrl, 'hasty', error => {
    lastError = error;
  });
  const { retryStrategy, socketTimeout } = redis.options;
  try {
    // The first attempt is the only one. (After a disconnect() of a connection that never was, ioredis lingers for 2 s.)
    Object.assign(redis.options, { retryStrategy: () => null, socketTimeout: GREETING_TIMEOUT_MS });
    await redis.connect();
    Object.assign(redis.options, { retryStrategy, socketTimeout });
  } catch (error) {
    // ioredis rejects with "Connection is closed."; the reason came as an event before
    throw unreachable(config, lastError ?? error);
  }
  const account = DEFAULT_ACCOUNT;
  const queue = new Queue(queueName(account), {
    connection: redis,
    prefix: config.queuePrefix,
    skipMetasUpdate: true, // looking at a queue must not create one
  });
  queue.on('error', () => {}); // whoever called gets it as a rejection
  try {
    return await use({ account, redis, queue, keys: accountKeys(config.queuePrefix, account) });
  } catch (error) {
    throw redis.status === 'ready' ? error : unreachable(config, error);
  } finally {
    await queue.close().catch(() => {});
    redis.disconnect();
  }
}

export function unreachable(config: Config, cause: unknown): Error {
  return new Error(
    `Redis at ${redisPlace(config.redisUrl)} cannot be used: ${redisReason(cause) || 'the connection is gone'} (REDIS_URL says where it is)`,
    { cause },
  );
}
