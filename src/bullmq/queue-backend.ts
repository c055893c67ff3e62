/**
 * Queue backend: BullMQ's own, with differences.
 *  1. The second connection, which waits for jobs, is made here. BullMQ would copy the first one, whose watch takes a
 *     waiting connection for a dead one; and BullMQ awaits its first attempt to connect, which may fail.
 *  2. BullMQ's worker is not told for how long fetching is held: it would not ask before, although a hold may end early.
 *  3. In the bulk way, the check for stalled jobs also runs on a full Redis (docs/decisions/0022).
 */
import { type BackendFactory, QueueKeys, RedisConnection, RedisQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import { messageOf } from '../shared/contract/errors.js';
import type { BullmqScript } from './fingerprint.js';

/** BullMQ blocks its connection for 10 s at most; a connection that is silent for longer has another reason. */
const BLOCKED_SILENCE_MS = 12_000;

/** Redis has no memory left for what was asked. */
export const isRefusedByFullRedis = (error: unknown): boolean =>
  messageOf(error).includes('OOM command not allowed');

class Backend extends RedisQueueBackend {
  /** BullMQ's script of that name, to be run on a full Redis; undefined: it is not */
  stalledCheck: BullmqScript | undefined;

  override async moveToActive(token: string, name?: string) {
    const [data, id, _heldMs, delayUntil] = await super.moveToActive(token, name);
    return [data, id, 0, delayUntil];
  }

  override async moveStalledJobsToWait(): Promise<string[]> {
    try {
      return await super.moveStalledJobsToWait();
    } catch (error) {
      if (!this.stalledCheck || !isRefusedByFullRedis(error)) throw error;
      // a Redis before version 7 refuses this, too
      const { content, keys } = this.stalledCheck;
      const client = (await this.queue.client) as unknown as Redis; // the first connection, as it was given to BullMQ
      const args = this.moveStalledJobsToWaitArgs();
      return (await client.eval(`#!lua flags=allow-oom\n${content}`, keys, ...args)) as string[];
    }
  }
}

export const queueBackend =
  (redis: Redis, prefix: string, stalledCheck: BullmqScript | undefined): BackendFactory<RedisQueueBackend> =>
  (name, options) => {
    const names = new QueueKeys(prefix);
    const blocking = redis.duplicate({ socketTimeout: BLOCKED_SILENCE_MS });
    if (blocking.status === 'wait') blocking.connect().catch(() => {}); // an event reports the failure; ioredis tries again
    const backend = new Backend(
      new RedisConnection(redis, {
        ...{ shared: true, blocking: false, skipVersionCheck: true, skipWaitingForReady: true },
      }),
      name,
      names.getKeys(name),
      type => names.toKey(name, type),
      options,
      new RedisConnection(blocking, { shared: false, blocking: true }),
    );
    backend.stalledCheck = stalledCheck;
    return backend;
  };
