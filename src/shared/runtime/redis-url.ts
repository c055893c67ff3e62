/** REDIS_URL: whether it is one, and what of it may be shown. Pure. */

/** The URL without user, password and options, fit for logs and errors. */
export function redisPlace(url: string): string {
  if (redisUrlFault(url) !== undefined) return 'REDIS_URL';
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}

/**
 * What is wrong with the URL; undefined: nothing. Strict, because what is read as a host or a path is shown in logs, and a
 * password with a `/`, `#` or `@` in it would be. Never repeats anything of the URL.
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
  'is not a URL of the form redis://user:password@host:port/database: characters such as / # @ % and spaces in user or password are to be percent-encoded';
