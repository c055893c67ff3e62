/**
 * Connects the operator's commands to the queue, or fails quickly with a sentence that says why.
 * The worker and the producer have their own connections.
 */
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { accountKeys, DEFAULT_ACCOUNT, type Keys, queueName } from '../shared/contract/keys.js';
import type { Config } from '../shared/runtime/config.js';
import { isRefusal, openRedis, redisReason, tryOnce } from '../shared/runtime/redis.js';
import { redisRemedy } from '../shared/runtime/redis-remedy.js';
import { redisPlace } from '../shared/runtime/redis-url.js';
import { ReplicaWait } from '../shared/runtime/replicas.js';

/** A server that accepts a connection and does not reply for this long is not Redis, or it is stuck. */
const GREETING_TIMEOUT_MS = 5_000;
/** Longest wait for replicas. */
const REPLICAS_MS = 1_500;

export type QueueAccess = {
  readonly account: string;
  readonly redis: Redis;
  readonly queue: Queue;
  readonly keys: Keys;
  /** of `redis`: an action of an operator is acknowledged when they have it */
  readonly replicas: ReplicaWait;
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
    const keys = accountKeys(config.queuePrefix, account);
    return await use({ account, redis, queue, keys, replicas: replicasOf(config, redis, keys) });
  } catch (error) {
    const isRefused = error instanceof Error && error.name === 'ReplyError' && isRefusal(error);
    throw redis.status === 'ready' && !isRefused ? error : unreachable(config, error);
  } finally {
    await queue.close().catch(() => {});
    redis.disconnect();
  }
}

export const replicasOf = (config: Config, redis: Redis, keys: Keys): ReplicaWait =>
  new ReplicaWait(redis, keys, { replicas: config.redisWaitReplicas, timeoutMs: REPLICAS_MS });

export function unreachable(config: Config, cause: unknown): Error {
  const reason = redisReason(cause) || 'the connection is gone';
  const remedy = redisRemedy(reason, config.redis) || (isRefusal(cause) ? '' : 'REDIS_URL says where it is');
  const place = redisPlace(config.redis);
  return new Error(`Redis at ${place} cannot be used: ${reason}${remedy && ` (${remedy})`}`, { cause });
}
