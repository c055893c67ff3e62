/** Opens connections to Redis with the options of their role, and turns their errors into words. */
import { Redis, type RedisOptions } from 'ioredis';
import { messageOf } from '../contract/errors.js';
import { clusterConnector, leadsToCluster } from './cluster-connector.js';
import { withoutInfoWarning } from './ready-check.js';
import { applyLogin, type RedisLogin } from './redis-login.js';
import { readRedisUrl } from './redis-url.js';
import { MendedSentinels } from './sentinel-connector.js';

/** After this time (ms) without any reply to a command the connection is replaced. */
const SILENCE_MS = { patient: 6_000, hasty: 10_000 };
/** Longest time to connect ({@link RedisOptions.connectTimeout}). */
const CONNECT_MS = 5_000;
const GOODBYE_MS = 250;
/** A connection to a Redis that is not the right one, such as a read-only one, is replaced at most this often. */
const WRONG_SERVER_PAUSE_MS = 1_000;

const ROLES = {
  /** Waits out an outage: commands are queued until Redis is back. Workers use it. */
  patient: { maxRetriesPerRequest: null, enableOfflineQueue: true, maxLoadingRetryTime: 1_000 },
  /** Fails at once while Redis is unreachable or loading, so that the caller learns what was not enqueued. */
  hasty: { maxRetriesPerRequest: 0, enableOfflineQueue: false, enableReadyCheck: false },
} satisfies Record<string, RedisOptions>;

export type RedisRole = keyof typeof ROLES;

/** Where Redis is, and how to log in. */
export type RedisTarget = {
  readonly url: string;
  /** QUEUE_PREFIX: in a Redis Cluster its hash tag says which node has the keys */
  readonly prefix: string;
  readonly login: RedisLogin;
};
/** A target; or a URL or options of ioredis that need nothing else, so they are for no Redis Cluster. */
export type RedisAddress = RedisTarget | string | RedisOptions;

/** With Sentinels: they are asked again for ever, and tell the connection when they have chosen another primary. */
const FAILOVER = {
  failoverDetector: true,
  Connector: MendedSentinels,
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
  const { login, ...given } = readAddress(address);
  const options = {
    ...given,
    ...(given.sentinels && FAILOVER),
    ...ROLES[role],
    ...PLAIN_REPLIES,
    lazyConnect: true,
    connectionName: 'association-queue',
    disableClientInfo: true, // a right less (docs/operations/redis.md), which Redis 7.0 does not know
    socketTimeout: silenceMs,
    connectTimeout: CONNECT_MS,
    disconnectTimeout: GOODBYE_MS,
    // ioredis leaves the promise of a resubscription uncaught: a connection lost at that moment would end the process
    autoResubscribe: false,
  } satisfies RedisOptions;
  const departure = () => departureOf(role, leadsToCluster(given), onError);
  const redis = new Connection(options, login, departure);
  redis.on('error', onError);
  return redis;
}

type Departure = Required<Pick<RedisOptions, 'reconnectOnError' | 'retryStrategy'>>;

/**
 * When a connection leaves a server that is not the right one, and how soon it connects again. After a failover the old
 * primary replies READONLY, and an old node of a cluster MOVED: the command is sent again on the next connection if it may
 * wait. (Older versions reply READONLY inside "ERR Error running script …".)
 */
function departureOf(role: RedisRole, isCluster: boolean, onError: (error: Error) => void): Departure {
  let leftAt = Number.NEGATIVE_INFINITY;
  let isLeaving = false;
  let isHurried = false;
  return {
    reconnectOnError(error) {
      const isReadOnly = error.message.includes('READONLY');
      if (!isReadOnly && !(isCluster && isElsewhere(error))) return false;
      // every command on the way gets such a reply, and the first one decides
      if (!isLeaving) {
        const now = performance.now();
        // the node that says MOVED knows the new one; if that one says it too, they do not agree yet
        isHurried = !isReadOnly && now - leftAt > WRONG_SERVER_PAUSE_MS;
        leftAt = now;
        isLeaving = true;
        if (!isHurried) onError(error);
      }
      return role === 'patient' ? 2 : 1;
    },
    retryStrategy(times) {
      isLeaving = false;
      if (!isHurried && performance.now() - leftAt < WRONG_SERVER_PAUSE_MS) return WRONG_SERVER_PAUSE_MS;
      return Math.min(50 * 2 ** Math.min(times, 5), 1_000);
    },
  };
}

/**
 * Makes the next connection in one attempt, for those who do not wait for a Redis that is away.
 * @returns turns the retries on again
 */
export function tryOnce({ options }: Redis): () => void {
  const { retryStrategy, sentinelRetryStrategy } = options;
  Object.assign(options, { retryStrategy: () => null, sentinelRetryStrategy: () => null });
  return () => {
    Object.assign(options, { retryStrategy, sentinelRetryStrategy });
  };
}

/**
 * A client that logs in with what the files of the login say at that moment. Copies of it do the same, and leave a wrong
 * server each for itself.
 */
class Connection extends Redis {
  readonly #login: RedisLogin;
  readonly #departure: () => Departure;
  /** the socket that closes for another one */
  #leaving: unknown;

  constructor(
    options: RedisOptions & { replyMapping?: 'legacy' },
    login: RedisLogin,
    departure: () => Departure,
  ) {
    super({ ...options, ...departure() });
    this.#login = login;
    this.#departure = departure;
    withoutInfoWarning(this);
  }

  override connect(callback?: (error?: Error | null) => void): Promise<void> {
    for (const error of applyLogin(this.options, this.#login))
      if (this.listenerCount('error') > 0) this.emit('error', error);
    return super.connect(callback);
  }

  /** ioredis calls this for each reply that asks for another connection, and each call adds a listener to the socket. */
  override disconnect(reconnect = false): void {
    if (reconnect && this.stream && this.stream === this.#leaving) return;
    if (reconnect) this.#leaving = this.stream;
    super.disconnect(reconnect);
  }

  /** `never`, because the type of the base depends on options that no caller of ours overrides */
  override duplicate(override?: Partial<RedisOptions>): never {
    const options = { ...this.options, ...override, ...PLAIN_REPLIES, lazyConnect: true };
    return new Connection(options, this.#login, this.#departure) as never;
  }
}

/** @returns options of ioredis, and the login that is still to be applied to them */
function readAddress(address: RedisAddress): RedisOptions & { readonly login: RedisLogin } {
  if (typeof address === 'string') return readAddress({ url: address, prefix: '', login: {} });
  if (!isTarget(address)) return { ...address, login: {} };
  const { url, prefix, login } = address;
  const { options, nodes } = readRedisUrl(url);
  const { username, password, passwordFile, ...rest } = login;
  return {
    ...options,
    ...(nodes && { Connector: clusterConnector(nodes, `${prefix}:`) }),
    // a user or a password in the URL wins
    login: {
      ...rest,
      ...(options.username === undefined && { username }),
      ...(options.password === undefined && { password, passwordFile }),
    },
  };
}

const isTarget = (address: RedisTarget | RedisOptions): address is RedisTarget => 'url' in address;

/** @returns true if a node of a cluster replies that it does not have the keys, or no longer */
const isElsewhere = (error: unknown): boolean => /\b(MOVED|UNBLOCKED)\b/.test(messageOf(error));

/** @returns true if a node of a cluster did nothing because another one has the keys; the connection goes there by itself */
export const hasMoved = (error: unknown, redis: Redis): boolean =>
  leadsToCluster(redis.options) && isElsewhere(error);

/** @returns true if ioredis reports a missing connection in terms of its options; an earlier event had the reason */
export const isConnectionLoss = (error: unknown): boolean =>
  /max retries per request|isn't writeable|connection is closed|aborted/i.test(messageOf(error));

/** @returns true if Redis replies but refuses every such command: it is full, read-only, loading, a cluster, or refuses our login */
export const isRefusal = (error: unknown): boolean =>
  /\b(OOM|READONLY|MISCONF|NOREPLICAS|LOADING|MASTERDOWN|NOAUTH|WRONGPASS|NOPERM|CLUSTERDOWN|BUSY|MOVED|ASK|TRYAGAIN|CROSSSLOT)\b/.test(
    messageOf(error),
  );

/** Details that Redis adds for programmers: the arguments, the line of a script. */
const DETAILS = /(, with args beginning with| script: [0-9a-f]{40}).*$/s;
/** What ioredis says when it has asked each Sentinel, with the last error. */
const SENTINELS = /^All sentinels are unreachable.*?(?: Last error: (.*))?$/s;
/** What OpenSSL says, with numbers and the places in its source: `…:error:0A00045C:SSL routines:ssl3_read_bytes:words:…` */
const OPENSSL = /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/;

/** @returns the reason, in Redis' words if it replied; '' if only the loss is known. Never has an argument or a password. */
export function redisReason(error: unknown): string {
  // Node reports a host with several addresses as an AggregateError with an empty message
  if (error instanceof AggregateError && error.message === '')
    return [...new Set(error.errors.map(messageOf))].join(', ');
  if (error === undefined) return '';
  const message = messageOf(error);
  const sentinels = SENTINELS.exec(message);
  if (sentinels) {
    const [, last] = sentinels;
    const why = last === undefined ? '' : redisReason(new Error(last));
    return `no Sentinel leads to the primary${why && `: ${why}`}`;
  }
  if (isConnectionLoss(error)) return '';
  const silence = /^Socket timeout.*?(\d+)ms/.exec(message)?.[1];
  if (silence !== undefined) return `no answer within ${silence} ms`;
  if (message.startsWith('NOAUTH')) return 'NOAUTH it asks for a password';
  const ofTls = OPENSSL.exec(message)?.[1];
  if (ofTls !== undefined) return `TLS: ${ofTls}`;
  return message.replace(DETAILS, '');
}
