/**
 * Connects the operator's commands to the queue, or fails quickly with a sentence that says why.
 * The worker and the producer have their own connections.
 */
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { accountKeys, DEFAULT_ACCOUNT, type Keys, queueName } from '../shared/contract/keys.js';
import type { Config } from '../shared/runtime/config.js';
import { openRedis, redisReason, tryOnce } from '../shared/runtime/redis.js';
import { redisRemedy } from '../shared/runtime/redis-remedy.js';
import { redisPlace } from '../shared/runtime/redis-url.js';

/** A server that accepts a connection and does not reply for this long is not Redis, or it is stuck. */
const GREETING_TIMEOUT_MS = 5_000;

export type QueueAccess = {
  readonly account: string;
  readonly redis: Redis;
  readonly queue: Queue;
  readonly keys: Keys;
};

/**
 * Runs `use` with a connection that is closed afterwards.
 * @throws Error with Redis' address (without its password) if Redis cannot be reached
 */
export async function withQueue<T>(config: Config, use: (access: QueueAccess) => Promise<T>): Promise<T> {
  let lastError: unknown;
  const redis = openRedis(config.redis, 'hasty', error => {
    lastError = error;
  });
  const { socketTimeout } = redis.options;
  try {
    // (After a disconnect() of a connection that was never established, ioredis stays alive for 2 s.)
    const retryAgain = tryOnce(redis);
    redis.options.socketTimeout = GREETING_TIMEOUT_MS;
    await redis.connect();
    retryAgain();
    Object.assign(redis.options, { socketTimeout });
  } catch (error) {
    // ioredis rejects with "Connection is closed."; an earlier event had the reason
    throw unreachable(config, lastError ?? error);
  }
  const account = DEFAULT_ACCOUNT;
  const queue = new Queue(queueName(account), {
    connection: redis,
    prefix: config.queuePrefix,
    skipMetasUpdate: true, // reading a queue must not create it
    skipVersionCheck: true, // it would ask INFO, which an ACL may forbid
  });
  queue.on('error', () => {}); // the caller gets the error as a rejection
  try {
    return await use({ account, redis, queue, keys: accountKeys(config.queuePrefix, account) });
  } catch (error) {
    throw redis.status === 'ready' && !isDenied(error) ? error : unreachable(config, error);
  } finally {
    await queue.close().catch(() => {});
    redis.disconnect();
  }
}

/** @returns true if the login has too few rights, which a remedy is known for */
const isDenied = (error: unknown): boolean => /\bNOPERM\b/.test(redisReason(error));

export function unreachable(config: Config, cause: unknown): Error {
  const reason = redisReason(cause) || 'the connection is gone';
  const remedy = redisRemedy(reason, config.redis) || 'REDIS_URL says where it is';
  return new Error(`Redis at ${redisPlace(config.redis)} cannot be used: ${reason} (${remedy})`, {
    cause,
  });
}
