/** Connections to Redis, each with the manners of its role, and the words for what goes wrong with them. */
import { Redis, type RedisOptions } from 'ioredis';
import { messageOf } from '../contract/errors.js';

/** Milliseconds in which Redis answers nothing at all although it was asked: then the connection is made anew. */
const SILENCE_MS = { patient: 6_000, hasty: 10_000 };
/** How long {@link RedisOptions.connectTimeout} and a goodbye may take. ioredis's 2 s would keep a process alive that long. */
const CONNECT_MS = 5_000;
const GOODBYE_MS = 250;
/** A Redis that takes no writes is not asked for a new connection more often than that. */
const READ_ONLY_PAUSE_MS = 1_000;

const ROLES = {
  /** Waits out an outage: commands queue up until Redis is back. A worker has nothing better to do. */
  patient: { maxRetriesPerRequest: null, enableOfflineQueue: true, maxLoadingRetryTime: 1_000 },
  /** Says at once that Redis is away or still loading, so that the caller can say what was not enqueued. */
  hasty: { maxRetriesPerRequest: 0, enableOfflineQueue: false, enableReadyCheck: false },
} satisfies Record<string, RedisOptions>;

export type RedisRole = keyof typeof ROLES;

/**
 * Opens a connection (`rediss://` for TLS). Errors of the connection itself go to `onError`: without a listener
 * ioredis prints them with a stack trace.
 * @param silenceMs a connection on which no byte has come for so long, though a command waits for its answer, is dead:
 *   a firewall or a cable between may swallow everything and tell neither side. What was not answered is sent again where
 *   the role is patient.
 */
export function openRedis(
  url: string,
  role: RedisRole,
  onError: (error: Error) => void = () => {},
  silenceMs = SILENCE_MS[role],
): Redis {
  let refusedAt = Number.NEGATIVE_INFINITY;
  const redis = new Redis(url, {
    ...ROLES[role],
    lazyConnect: true,
    connectionName: 'association-queue',
    socketTimeout: silenceMs,
    connectTimeout: CONNECT_MS,
    disconnectTimeout: GOODBYE_MS,
    // ioredis would do it with a promise that nobody catches: a connection lost in that moment ended the process
    autoResubscribe: false,
    // after a failover the old primary says READONLY: look for the new one, and send the command again
    // (older ones say it inside of "ERR Error running script …")
    reconnectOnError(error) {
      if (!error.message.includes('READONLY')) return false;
      refusedAt = performance.now();
      onError(error);
      return role === 'patient' ? 2 : 1;
    },
    retryStrategy: times =>
      performance.now() - refusedAt < READ_ONLY_PAUSE_MS
        ? READ_ONLY_PAUSE_MS
        : Math.min(50 * 2 ** Math.min(times, 5), 1_000),
  });
  redis.on('error', onError);
  return redis;
}

/** ioredis says in terms of its options that there is no connection; the reason came before, as an event. */
export const isConnectionLoss = (error: unknown): boolean =>
  /max retries per request|isn't writeable|connection is closed|aborted/i.test(messageOf(error));

/** Redis is there and does not do what is asked, whatever that is: it is full, read-only, loading, or does not know us. */
export const isRefusal = (error: unknown): boolean =>
  /\b(OOM|READONLY|MISCONF|NOREPLICAS|LOADING|MASTERDOWN|NOAUTH|WRONGPASS|NOPERM|CLUSTERDOWN|BUSY)\b/.test(
    messageOf(error),
  );

/** What Redis adds for programmers: the arguments that it did not understand, the place in a script. */
const DETAILS = /(, with args beginning with| script: [0-9a-f]{40}).*$/s;

/** Why, in Redis' own words where it has said any; '' when only the loss is known. Never holds an argument or a password. */
export function redisReason(error: unknown): string {
  // Node reports a host with several addresses as an AggregateError with an empty message
  if (error instanceof AggregateError && error.message === '')
    return [...new Set(error.errors.map(messageOf))].join(', ');
  if (error === undefined || isConnectionLoss(error)) return '';
  const message = messageOf(error);
  const silence = /^Socket timeout.*?(\d+)ms/.exec(message)?.[1];
  if (silence !== undefined) return `no answer within ${silence} ms`;
  if (message.startsWith('NOAUTH')) return 'NOAUTH it asks for a password';
  return message.replace(DETAILS, '');
}
