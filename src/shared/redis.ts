/** Connections to Redis, each with the manners of its role. */
import { Redis, type RedisOptions } from 'ioredis';
import { messageOf } from './errors.js';

const ROLES = {
  /** Waits out an outage: commands queue up until Redis is back. A worker has nothing better to do. */
  patient: { maxRetriesPerRequest: null, enableOfflineQueue: true },
  /** Says at once that Redis is away, so that the caller can say what was not enqueued. */
  hasty: {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    connectTimeout: 5_000,
    commandTimeout: 15_000,
    // ioredis's 2 s would keep a process alive that long after its Redis has gone
    disconnectTimeout: 250,
  },
} satisfies Record<string, RedisOptions>;

/**
 * Opens a connection (`rediss://` for TLS). Errors of the connection itself go to `onError`: without a listener
 * ioredis prints them with a stack trace.
 */
export function openRedis(
  url: string,
  role: keyof typeof ROLES,
  onError: (error: Error) => void = () => {},
): Redis {
  const redis = new Redis(url, {
    ...ROLES[role],
    lazyConnect: true,
    connectionName: 'association-queue',
    // after a failover the old primary says READONLY: look for the new one, and send the command again
    // (older ones say it inside of "ERR Error running script …")
    reconnectOnError: error => (error.message.includes('READONLY') ? 2 : false),
    retryStrategy: times => Math.min(50 * 2 ** Math.min(times, 5), 1_000),
  });
  redis.on('error', onError);
  return redis;
}

/** ioredis says in terms of its options that there is no connection; the reason came before, as an event. */
export const isConnectionLoss = (error: unknown): boolean =>
  /max retries per request|isn't writeable|connection is closed|aborted/i.test(messageOf(error));

/** The URL without its password, fit for logs and errors. */
export function redisPlace(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
  } catch {
    return 'REDIS_URL';
  }
}
