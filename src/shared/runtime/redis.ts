/** Opens connections to Redis with the options of their role, and turns their errors into words. */
import { Redis, type RedisOptions } from 'ioredis';
import { messageOf } from '../contract/errors.js';
import { optionsOfUrl } from './redis-url.js';

/** After this time (ms) without any reply to a command the connection is replaced. */
const SILENCE_MS = { patient: 6_000, hasty: 10_000 };
/** Longest time to connect ({@link RedisOptions.connectTimeout}). */
const CONNECT_MS = 5_000;
const GOODBYE_MS = 250;
/** A connection to a read-only Redis is replaced at most this often. */
const READ_ONLY_PAUSE_MS = 1_000;

const ROLES = {
  /** Waits out an outage: commands are queued until Redis is back. Workers use it. */
  patient: { maxRetriesPerRequest: null, enableOfflineQueue: true, maxLoadingRetryTime: 1_000 },
  /** Fails at once while Redis is unreachable or loading, so that the caller learns what was not enqueued. */
  hasty: { maxRetriesPerRequest: 0, enableOfflineQueue: false, enableReadyCheck: false },
} satisfies Record<string, RedisOptions>;

export type RedisRole = keyof typeof ROLES;
/** Where Redis is, and how to log in: a URL, or options of ioredis. */
export type RedisAddress = string | RedisOptions;

/** With Sentinels: they are asked again for ever, and tell the connection when they have chosen another primary. */
const FAILOVER = {
  failoverDetector: true,
  sentinelRetryStrategy: times => Math.min(50 * 2 ** Math.min(times, 5), 1_000),
  sentinelReconnectStrategy: times => Math.min(50 * 2 ** Math.min(times, 5), 1_000),
} satisfies RedisOptions;

/** Replies look as we read them, whatever the options of an address say. */
const PLAIN_REPLIES = {
  stringNumbers: false,
  replyMapping: 'legacy',
  enableAutoPipelining: false,
  monitor: false,
} satisfies RedisOptions;

/**
 * Opens a connection (`rediss://` for TLS). Options of an address say where Redis is; how the connection behaves, the role
 * says. `onError` gets the errors of the connection itself; without a listener
 * ioredis prints them with a stack trace.
 * @param silenceMs a connection that has received no byte for this long while a command waits counts as dead: a firewall
 *   or a broken cable drops packets without telling either side. A patient connection sends unanswered commands again.
 */
export function openRedis(
  address: RedisAddress,
  role: RedisRole,
  onError: (error: Error) => void = () => {},
  silenceMs = SILENCE_MS[role],
): Redis {
  let refusedAt = Number.NEGATIVE_INFINITY;
  const options = {
    ...ROLES[role],
    ...PLAIN_REPLIES,
    lazyConnect: true,
    connectionName: 'association-queue',
    socketTimeout: silenceMs,
    connectTimeout: CONNECT_MS,
    disconnectTimeout: GOODBYE_MS,
    // ioredis leaves the promise of a resubscription uncaught: a connection lost at that moment would end the process
    autoResubscribe: false,
    // After a failover the old primary replies READONLY: connect to the new one and send the command again.
    // (Older versions reply it inside "ERR Error running script …".)
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
  } satisfies RedisOptions;
  const given = typeof address === 'string' ? optionsOfUrl(address) : address;
  const redis = given
    ? new Redis({ ...given, ...(given.sentinels && FAILOVER), ...options })
    : new Redis(String(address), options);
  redis.on('error', onError);
  return redis;
}

/** @returns true if ioredis reports a missing connection in terms of its options; an earlier event had the reason */
export const isConnectionLoss = (error: unknown): boolean =>
  /max retries per request|isn't writeable|connection is closed|aborted/i.test(messageOf(error));

/** @returns true if Redis replies but refuses every such command: it is full, read-only, loading, a cluster, or refuses our login */
export const isRefusal = (error: unknown): boolean =>
  /\b(OOM|READONLY|MISCONF|NOREPLICAS|LOADING|MASTERDOWN|NOAUTH|WRONGPASS|NOPERM|CLUSTERDOWN|BUSY|MOVED|CROSSSLOT)\b/.test(
    messageOf(error),
  );

/** @returns what the operator can do about a reason of {@link redisReason}; '' if the reason says it, or only time helps */
export function redisRemedy(reason: string): string {
  if (/\b(NOAUTH|WRONGPASS)\b|\binvalid password\b/.test(reason))
    return 'REDIS_URL must have the user and the password of this Redis: redis://user:password@host:port';
  if (/\bNOPERM\b/.test(reason)) return 'the user in REDIS_URL needs more rights in this Redis';
  if (/\b(MOVED|CROSSSLOT)\b/.test(reason))
    return 'REDIS_URL leads to one node of a Redis Cluster: use a Redis that is no cluster';
  return '';
}

/** Details that Redis adds for programmers: the arguments, the line of a script. */
const DETAILS = /(, with args beginning with| script: [0-9a-f]{40}).*$/s;

/** @returns the reason, in Redis' words if it replied; '' if only the loss is known. Never has an argument or a password. */
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
