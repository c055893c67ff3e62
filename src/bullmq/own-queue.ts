/**
 * A BullMQ queue that sends its commands through a backend of ours, over the caller's connection; and a transaction of BullMQ's
 * commands with a script of ours. It decides nothing about jobs.
 */
import {
  type BackendFactory,
  type IRedisTransaction,
  Queue,
  QueueKeys,
  RedisConnection,
  type RedisQueueBackend,
} from 'bullmq';
import type { ChainableCommander, Redis } from 'ioredis';

type BackendClass<Backend> = new (...args: ConstructorParameters<typeof RedisQueueBackend>) => Backend;

/** @returns the queue, and its backend: undefined if this BullMQ has not asked for it */
export function ownQueue<Backend extends RedisQueueBackend>(
  redis: Redis,
  prefix: string,
  name: string,
  BackendOf: BackendClass<Backend>,
): { readonly queue: Queue; readonly backend: Backend | undefined } {
  let backend: Backend | undefined;
  const factory: BackendFactory<RedisQueueBackend> = (queueName, options) => {
    const names = new QueueKeys(prefix);
    const connection = new RedisConnection(redis, {
      ...{ shared: true, blocking: false, skipVersionCheck: true, skipWaitingForReady: true },
    });
    const toKey = (type: string) => names.toKey(queueName, type);
    backend = new BackendOf(connection, queueName, names.getKeys(queueName), toKey, options);
    return backend;
  };
  // Without the two skip options BullMQ waits for a connection once, at the start, and keeps a failure for ever.
  const options = { prefix, skipVersionCheck: true, skipWaitingForReady: true, skipMetasUpdate: true };
  const queue = new Queue(name, { ...options, connection: redis }, factory);
  queue.on('error', () => {}); // each call reports its own failure
  return { queue, backend };
}

/** Executes a transaction of BullMQ's commands with a script of ours as the last command. @returns a reply for each */
export async function execWith(
  multi: IRedisTransaction,
  addScript: (transaction: ChainableCommander) => unknown,
): Promise<[Error | null, unknown][]> {
  addScript(multi as unknown as ChainableCommander);
  return (await multi.exec().catch(firstRefusal)) ?? [];
}

/** Redis names the reason when it refuses to queue a command of a transaction, and then discards all of it without one. */
function firstRefusal(error: Error & { readonly previousErrors?: readonly Error[] }): never {
  throw error.previousErrors?.[0] ?? error;
}
