/**
 * Queue backend: BullMQ's own, with two differences.
 *  1. The second connection, which waits for jobs, is made here. BullMQ would copy the first one, whose watch takes a
 *     waiting connection for a dead one; and BullMQ awaits its first attempt to connect, which may fail.
 *  2. The search for the jobs of dead workers also runs on a full Redis (docs/decisions/0022).
 */
import { type BackendFactory, QueueKeys, RedisConnection, RedisQueueBackend } from 'bullmq';
import { moveStalledJobsToWait } from 'bullmq/dist/esm/scripts/moveStalledJobsToWait-9.js';
import type { Redis } from 'ioredis';
import { messageOf } from '../shared/contract/errors.js';

/** BullMQ blocks its connection for 10 s at most; a connection that is silent for longer has another reason. */
const BLOCKED_SILENCE_MS = 12_000;

/** Redis has no memory left for what was asked. */
export const isRefusedByFullRedis = (error: unknown): boolean =>
  messageOf(error).includes('OOM command not allowed');

class Backend extends RedisQueueBackend {
  override async moveStalledJobsToWait(): Promise<string[]> {
    try {
      return await super.moveStalledJobsToWait();
    } catch (error) {
      if (!isRefusedByFullRedis(error)) throw error;
      // a Redis before version 7 refuses this, too
      const { content, keys } = moveStalledJobsToWait;
      const client = (await this.queue.client) as unknown as Redis; // the first connection, as it was given to BullMQ
      const args = this.moveStalledJobsToWaitArgs();
      return (await client.eval(`#!lua flags=allow-oom\n${content}`, keys, ...args)) as string[];
    }
  }
}

export const queueBackend =
  (redis: Redis, prefix: string): BackendFactory<RedisQueueBackend> =>
  (name, options) => {
    const names = new QueueKeys(prefix);
    const blocking = redis.duplicate({ socketTimeout: BLOCKED_SILENCE_MS });
    if (blocking.status === 'wait') blocking.connect().catch(() => {}); // an event reports the failure; ioredis tries again
    return new Backend(
      new RedisConnection(redis, {
        ...{ shared: true, blocking: false, skipVersionCheck: true, skipWaitingForReady: true },
      }),
      name,
      names.getKeys(name),
      type => names.toKey(name, type),
      options,
      new RedisConnection(blocking, { shared: false, blocking: true }),
    );
  };
