/** Validates REDIS_URL and decides which parts of an address may be shown. Pure. */
import type { RedisOptions } from 'ioredis';

/** @returns the address without user, password and options, safe for logs and errors */
export function redisPlace(address: string | RedisOptions): string {
  if (typeof address !== 'string') return placeOf(address);
  if (redisUrlFault(address) !== undefined) return 'REDIS_URL';
  const { protocol, host, pathname } = new URL(address);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
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
  if (!/^rediss?:\/\//.test(text)) return 'is not a URL that starts with redis:// or rediss://';
  const rest = text.slice(text.indexOf('//') + 2);
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? '';
  const behind = rest.slice(authority.length);
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
