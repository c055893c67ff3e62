/**
 * REDIS_URL: validates it, reads it, and decides which parts of an address may be shown. Pure.
 *   redis://…            one Redis; rediss:// with TLS
 *   unix:///path         one Redis on this machine, by its socket
 *   redis+sentinel://…   the primary that Sentinels name; rediss+sentinel:// with TLS, also to the Sentinels
 *   redis+cluster://…    the node of a Redis Cluster that has our keys; rediss+cluster:// with TLS
 */
import type { RedisOptions } from 'ioredis';

/** Host and port of a server. */
export type Node = { readonly host: string; readonly port: number };

/** What a REDIS_URL says, as options of ioredis; `nodes`: some nodes of a Redis Cluster, instead of host and port. */
export type ReadUrl = { readonly options: RedisOptions; readonly nodes?: readonly Node[] };

/** @returns the address without user, password and options, safe for logs and errors */
export function redisPlace(address: string | RedisOptions | { readonly url: string | RedisOptions }): string {
  if (typeof address !== 'string') return 'url' in address ? redisPlace(address.url) : placeOf(address);
  if (redisUrlFault(address) !== undefined) return 'REDIS_URL';
  const { options, nodes } = readRedisUrl(address);
  if (nodes) return `${options.tls ? 'rediss' : 'redis'}+cluster://${placesOf(nodes)}`;
  if (options.sentinels || options.path) return placeOf(options);
  const { protocol, host, pathname } = new URL(address); // as it is written, also without the usual port
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}

/** @param url a valid REDIS_URL */
export function readRedisUrl(url: string): ReadUrl {
  if (url.startsWith('unix:')) return { options: { path: decodeURIComponent(url.slice('unix://'.length)) } };
  const parts = severalHosts(url);
  return parts ? readSeveralHosts(parts) : { options: readOneHost(url) };
}

function readOneHost(url: string): RedisOptions {
  const { protocol, hostname, port, pathname, searchParams } = new URL(url);
  const family = searchParams.get('family');
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 6379),
    ...(pathname.length > 1 && { db: Number(pathname.slice(1)) }),
    ...((family === '4' || family === '6') && { family: Number(family) }),
    ...(protocol === 'rediss:' && { tls: {} }),
    ...loginOf(userInfoOf(url) ?? ''),
  };
}

/** @returns the password of a valid URL as it is written there; undefined if it has none */
export function passwordOfUrl(url: string): string | undefined {
  const userInfo = userInfoOf(url);
  return userInfo?.includes(':') ? userInfo.slice(userInfo.indexOf(':') + 1) : undefined;
}

const userInfoOf = (url: string): string | undefined =>
  severalHosts(url)?.userInfo ?? /^rediss?:\/\/([^@/]*)@/.exec(url)?.[1];

function loginOf(userInfo: string): Pick<RedisOptions, 'username' | 'password'> {
  const [username = '', ...rest] = userInfo.split(':');
  const password = rest.join(':');
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  };
}

type SeveralHosts = {
  readonly isTls: boolean;
  readonly userInfo: string | undefined;
  readonly hosts: readonly string[];
  /** of the primary; undefined: the hosts are nodes of a Redis Cluster */
  readonly name: string | undefined;
  readonly database: string | undefined;
};
const SENTINEL_URL =
  /^redis(?<tls>s?)\+sentinel:\/\/(?:(?<userInfo>[^@/?#\s]*)@)?(?<hosts>[^@/?#\s]+)\/(?<name>[^/?#\s]+)(?:\/(?<database>\d+))?$/;
const CLUSTER_URL = /^redis(?<tls>s?)\+cluster:\/\/(?:(?<userInfo>[^@/?#\s]*)@)?(?<hosts>[^@/?#\s]+)\/?$/;
/** host, host:port, [IPv6]:port */
const HOST = /^(?<host>\[[\da-f:.]+\]|[\w.-]+)(?::(?<port>\d{1,5}))?$/i;

function severalHosts(url: string): SeveralHosts | undefined {
  const groups = (SENTINEL_URL.exec(url) ?? CLUSTER_URL.exec(url))?.groups;
  if (groups === undefined) return undefined;
  const { tls, userInfo, hosts = '', name, database } = groups;
  return { isTls: tls === 's', userInfo, hosts: hosts.split(','), name, database };
}

function readSeveralHosts({ isTls, userInfo = '', hosts, name, database }: SeveralHosts): ReadUrl {
  const nodes = hosts.map(text => {
    const { host = text, port = name === undefined ? '6379' : '26379' } = HOST.exec(text)?.groups ?? {};
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  });
  const options = { ...loginOf(userInfo), ...(isTls && { tls: {} }) };
  if (name === undefined) return { options, nodes };
  return {
    options: {
      ...options,
      sentinels: nodes,
      name: decodeURIComponent(name),
      ...(database && { db: Number(database) }),
      ...(isTls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
    },
  };
}

function severalHostsFault(url: string, fault: string): string | undefined {
  const parts = severalHosts(url);
  if (parts?.hosts.every(host => HOST.test(host)) !== true) return fault;
  try {
    readSeveralHosts(parts);
  } catch {
    return fault;
  }
  return undefined;
}

function placeOf({ path, sentinels, name, host = 'localhost', port = 6379, db, tls }: RedisOptions): string {
  if (path !== undefined && path !== null) return `unix:${path}`;
  const database = db ? `/${db}` : '';
  const protocol = tls ? 'rediss' : 'redis';
  if (!sentinels) return `${protocol}://${host}:${port}${database}`;
  return `${protocol}+sentinel://${placesOf(sentinels)}/${name ?? ''}${database}`;
}

const placesOf = (nodes: readonly { host?: string | undefined; port?: number | undefined }[]): string =>
  nodes.map(({ host = 'localhost', port = 26379 }) => `${host}:${port}`).join(',');

/**
 * @returns the fault of the URL; undefined if it is valid. The check is strict: logs show host and path, and a password
 * with a `/`, `#` or `@` would be read as a part of them. The fault never quotes the URL.
 */
export function redisUrlFault(url: unknown): string | undefined {
  const text = typeof url === 'string' ? url : '';
  if (/^rediss?\+sentinel:\/\//.test(text)) return severalHostsFault(text, MISWRITTEN_SENTINELS);
  if (/^rediss?\+cluster:\/\//.test(text)) return severalHostsFault(text, MISWRITTEN_CLUSTER);
  if (text.startsWith('unix:'))
    return /^unix:\/\/\/[^?#@\s]+$/.test(text) ? decodingFault(text) : MISWRITTEN_SOCKET;
  if (/^[/.].*\.sock/.test(text)) return MISWRITTEN_SOCKET;
  if (!/^rediss?:\/\//.test(text)) return `is not a URL that starts with ${SCHEMES}`;
  const rest = text.slice(text.indexOf('//') + 2);
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? '';
  const behind = rest.slice(authority.length);
  if (authority === '' && behind.length > 1) return MISWRITTEN_SOCKET;
  if (/^([^@]*@)?[^@]*,/.test(authority) && !/[@#\s]/.test(behind)) return SEVERAL_HOSTS;
  if (/[@#\s]/.test(behind) || /@.*@|\s/.test(authority) || !/^(\/\d*)?(\?.*)?$/.test(behind))
    return MISWRITTEN;
  if (!URL.canParse(text) || new URL(text).hostname === '') return MISWRITTEN;
  return decodingFault(authority);
}

function decodingFault(text: string): string | undefined {
  try {
    decodeURIComponent(text);
  } catch {
    return MISWRITTEN;
  }
  return undefined;
}

const SCHEMES = 'redis://, rediss://, redis+sentinel://, redis+cluster:// (rediss+… with TLS) or unix:///';
const SENTINELS = 'redis+sentinel://user:password@host:26379,host:26379/name-of-the-primary';
const CLUSTER = 'redis+cluster://user:password@host:6379,host:6379';
const MISWRITTEN =
  'is not a URL of the form redis://user:password@host:port/database: percent-encode characters such as / # @ % and spaces in user and password';
const MISWRITTEN_SENTINELS = `is not a URL of the form ${SENTINELS}/database: percent-encode characters such as / # @ % and spaces in user, password and name`;
const MISWRITTEN_CLUSTER = `is not a URL of the form ${CLUSTER}, without a database: percent-encode characters such as / # @ % and spaces in user and password`;
const MISWRITTEN_SOCKET =
  'is the path of a socket, which is written as unix:///run/redis/redis.sock; REDIS_USERNAME and REDIS_PASSWORD are its login';
const SEVERAL_HOSTS = `has several hosts: Sentinels are written as ${SENTINELS}, and the nodes of a Redis Cluster as ${CLUSTER}`;
