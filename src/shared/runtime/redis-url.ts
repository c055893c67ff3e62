/** Validates REDIS_URL and decides which parts of it may be shown. Pure. */

/** @returns the URL without user, password and options, safe for logs and errors */
export function redisPlace(url: string): string {
  if (redisUrlFault(url) !== undefined) return 'REDIS_URL';
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
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
