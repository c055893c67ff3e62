/**
 * Isolation of tests that use the real Redis of scripts/with-redis.mjs: each test file has its own key
 * prefixes, and its keys are removed after its tests.
 */
import { createHash } from 'node:crypto';
import { afterAll } from '@jest/globals';
import { Redis } from 'ioredis';

export type TestRedis = {
  readonly url: string;
  /** QUEUE_PREFIX of this test; a new one for every call of `newPrefix` */
  readonly prefix: string;
  newPrefix(): string;
  /** a patient connection for assertions, closed after the file's tests */
  readonly redis: Redis;
};

/** Commands that other test files would feel, which run on the same Redis at the same time. */
const FELT_BY_ALL =
  /^(config set|client (kill|pause)|script flush|function flush|flush(all|db)|debug|shutdown|replicaof)\b/i;

/** A patient connection to the Redis that all test files share. Commands that all of them would feel need a RedisServer. */
export class SharedRedis extends Redis {
  constructor(url: string) {
    super(url, { maxRetriesPerRequest: null, lazyConnect: true });
  }

  override sendCommand(...[command, ...rest]: Parameters<Redis['sendCommand']>): unknown {
    const words = [command.name, ...command.args.slice(0, 1).map(String)].join(' ');
    if (FELT_BY_ALL.test(words)) throw new Error(`${words} on the shared Redis: start a RedisServer`);
    return super.sendCommand(command, ...rest);
  }
}

/** Call once at the top of a test file. */
export function useRedis(fileUrl: string): TestRedis {
  const url = process.env.REDIS_URL;
  if (!url) throw new Error('REDIS_URL is not set: run the tests with "npm test" or "npm run test:run"');
  const file = createHash('sha256').update(`${fileUrl}:${process.pid}`).digest('hex').slice(0, 10);
  const redis = new SharedRedis(url);
  let count = 0;
  let prefix = `test-${file}-0`;
  afterAll(async () => {
    const keys = await redis.keys(`test-${file}-*`);
    for (let at = 0; at < keys.length; at += 1000) await redis.unlink(...keys.slice(at, at + 1000));
    await redis.quit();
  });
  return {
    url,
    redis,
    get prefix() {
      return prefix;
    },
    newPrefix() {
      count += 1;
      prefix = `test-${file}-${count}`;
      return prefix;
    },
  };
}
