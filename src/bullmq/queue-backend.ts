/**
 * Queue backend: BullMQ's own with four differences.
 *  1. It opens the second connection, which waits for jobs. BullMQ would copy the first one, whose watch mistakes a waiting
 *     connection for a dead one; and BullMQ awaits its first attempt to connect, which may fail.
 *  2. It hides from BullMQ's worker for how long fetching is held: the worker would not ask before, but a hold may end early.
 *  3. It does not ask INFO for the version, which an ACL may forbid: the watch says what is wrong with a version, and with
 *     a policy of eviction (docs/decisions/0059).
 *  4. In the bulk way the check for stalled jobs also runs on a full Redis (docs/decisions/0022).
 */
import { type BackendFactory, QueueKeys, RedisConnection, RedisQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import { messageOf } from '../shared/contract/errors.js';
import type { BullmqScript } from './fingerprint.js';

/** BullMQ blocks its connection for at most 10 s; a longer silence has another reason. */
const BLOCKED_SILENCE_MS = 12_000;
/**
 * What BullMQ would conclude from the version. Any Redis that we support waits for fractions of a second; with whole seconds
 * a delayed job would come up to a second late. Before 7.0.8 a wait of a millisecond is none, so the shortest is two.
 */
const CAPABILITIES = { canDoubleTimeout: true, canBlockFor1Ms: false };

/** @returns true if Redis refused a command because it is full */
export const isRefusedByFullRedis = (error: unknown): boolean =>
  messageOf(error).includes('OOM command not allowed');

class Backend extends RedisQueueBackend {
  /** BullMQ's script for the check, to run on a full Redis; undefined: it does not run there */
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
      // a Redis before version 7 refuses this as well
      const { content, keys } = this.stalledCheck;
      const client = (await this.queue.client) as unknown as Redis; // the first connection, which was passed to BullMQ
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
    const waiting = new RedisConnection(blocking, { shared: false, blocking: true, skipVersionCheck: true });
    waiting.client.then(
      () => {
        waiting.capabilities = CAPABILITIES;
      },
      () => {}, // an event reports the failure
    );
    const backend = new Backend(
      new RedisConnection(redis, {
        ...{ shared: true, blocking: false, skipVersionCheck: true, skipWaitingForReady: true },
      }),
      name,
      names.getKeys(name),
      type => names.toKey(name, type),
      options,
      waiting,
    );
    backend.stalledCheck = stalledCheck;
    return backend;
  };
