/** A separate queue for one test, without a worker: the queue's keys, and BullMQ's client. */
import { afterEach, beforeEach } from '@jest/globals';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { accountKeys, type Keys, queueName } from '../../src/shared/contract/keys.js';
import { useRedis } from './redis.js';

export type TestQueue = {
  readonly url: string;
  /** a patient connection for assertions */
  readonly redis: Redis;
  /** of this test: each has its own */
  readonly prefix: string;
  readonly keys: Keys;
  readonly queue: Queue;
};

/** Call once at the top of a test file. */
export function useQueue(fileUrl: string): TestQueue {
  const file = useRedis(fileUrl);
  let queue: Queue;
  beforeEach(() => {
    queue = new Queue(queueName(), { connection: { url: file.url }, prefix: file.newPrefix() });
  });
  afterEach(() => queue.close());
  return {
    url: file.url,
    redis: file.redis,
    get prefix() {
      return file.prefix;
    },
    get keys() {
      return accountKeys(file.prefix);
    },
    get queue() {
      return queue;
    },
  };
}
