/**
 * REDIS_URL: validates it, reads it, and decides which parts of an address may be shown. Pure.
 *   redis://…            one Redis; rediss:// with TLS
 *   redis+sentinel://…   the primary that Sentinels name; rediss+sentinel:// with TLS, also to the Sentinels
 */
import type { RedisOptions } from 'ioredis';

/** @returns the address without user, password and options, safe for logs and errors */
export function redisPlace(address: string | RedisOptions): string {
  if (typeof address !== 'string') return placeOf(address);
  if (redisUrlFault(address) !== undefined) return 'REDIS_URL';
  const sentinel = sentinelParts(address);
  if (sentinel) return placeOf(sentinelOptions(sentinel));
  const { protocol, host, pathname } = new URL(address);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}

/** @param url a valid REDIS_URL @returns options of ioredis; undefined: ioredis reads the URL itself */
export function optionsOfUrl(url: string): RedisOptions | undefined {
  const parts = sentinelParts(url);
  return parts && sentinelOptions(parts);
}

/** @returns the password of a valid URL as it is written there; undefined if it has none */
export function passwordOfUrl(url: string): string | undefined {
  const userInfo = sentinelParts(url)?.userInfo ?? /^rediss?:\/\/([^@/]*)@/.exec(url)?.[1];
  return userInfo?.includes(':') ? userInfo.slice(userInfo.indexOf(':') + 1) : undefined;
}

type SentinelParts = {
  readonly isTls: boolean;
  readonly userInfo: string | undefined;
  readonly hosts: string;
  readonly name: string;
  readonly database: string | undefined;
};
const SENTINEL_URL =
  /^redis(?<tls>s?)\+sentinel:\/\/(?:(?<userInfo>[^@/?#\s]*)@)?(?<hosts>[^@/?#\s]+)\/(?<name>[^/?#\s]+)(?:\/(?<database>\d+))?$/;
/** host, host:port, [IPv6]:port */
const HOST = /^(?<host>\[[\da-f:.]+\]|[\w.-]+)(?::(?<port>\d{1,5}))?$/i;

function sentinelParts(url: string): SentinelParts | undefined {
  const { tls, userInfo, hosts = '', name = '', database } = SENTINEL_URL.exec(url)?.groups ?? {};
  return hosts === '' ? undefined : { isTls: tls === 's', userInfo, hosts, name, database };
}

function sentinelOptions({ isTls, userInfo = '', hosts, name, database }: SentinelParts): RedisOptions {
  const [username = '', ...rest] = userInfo.split(':');
  const password = rest.join(':');
  return {
    sentinels: hosts.split(',').map(text => {
      const { host = text, port = '26379' } = HOST.exec(text)?.groups ?? {};
      return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
    }),
    name: decodeURIComponent(name),
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(database && { db: Number(database) }),
    ...(isTls && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
  };
}

function sentinelFault(url: string): string | undefined {
  const parts = sentinelParts(url);
  if (parts?.hosts.split(',').every(host => HOST.test(host)) !== true) return MISWRITTEN_SENTINELS;
  try {
    sentinelOptions(parts);
  } catch {
    return MISWRITTEN_SENTINELS;
  }
  return undefined;
}

function placeOf({ path, sentinels, name, host = 'localhost', port = 6379, db, tls }: RedisOptions): string {
  if (path !== undefined && path !== null) return `unix:${path}`;
  const database = db ? `/${db}` : '';
  const protocol = tls ? 'rediss' : 'redis';
  if (!sentinels) return `${protocol}://${host}:${port}${database}`;
  const places = sentinels.map(sentinel => `${sentinel.host ?? 'localhost'}:${sentinel.port ?? 26379}`);
  return `${protocol}+sentinel://${places.join(',')}/${name ?? ''}${database}`;
}

/**
 * @returns the fault of the URL; undefined if it is valid. The check is strict: logs show host and path, and a password
 * with a `/`, `#` or `@` would be read as a part of them. The fault never quotes the URL.
 */
export function redisUrlFault(url: unknown): string | undefined {
  const text = typeof url === 'string' ? url : '';
  if (/^rediss?\+sentinel:\/\//.test(text)) return sentinelFault(text);
  if (/^rediss?\+cluster:\/\//.test(text)) return 'names a Redis Cluster, which is not supported';
  if (!/^rediss?:\/\//.test(text))
    return 'is not a URL that starts with redis://, rediss://, redis+sentinel:// or rediss+sentinel://';
  const rest = text.slice(text.indexOf('//') + 2);
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? '';
  const behind = rest.slice(authority.length);
  if (/^([^@]*@)?[^@]*,/.test(authority) && !/[@#\s]/.test(behind))
    return 'has several hosts: Sentinels are written as redis+sentinel://user:password@host:26379,host:26379/name-of-the-primary';
  if (/[@#\s]/.test(behind) || /@.*@|\s/.test(authority) || !/^(\/\d*)?(\?.*)?$/.test(behind))
    return MISWRITTEN;
  if (!URL.canParse(text) || new URL(text).hostname === '') return MISWRITTEN;
  try {
    decodeURIComponent(authority);
  } catch {
    return MISWRITTEN;
  }
  return undefined;
}
const MISWRITTEN =
  'is not a URL of the form redis://user:password@host:port/database: percent-encode characters such as / # @ % and spaces in user and password';
const MISWRITTEN_SENTINELS =
  'is not a URL of the form redis+sentinel://user:password@host:26379,host:26379/name-of-the-primary/database: percent-encode characters such as / # @ % and spaces in user, password and name';
