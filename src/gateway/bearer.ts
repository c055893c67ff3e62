/** Who may call: a bearer key out of a list, compared in constant time. Pure. */
import { createHash, timingSafeEqual } from 'node:crypto';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** @param keys empty: everybody may (only on a loopback address, which the configuration sees to) */
export function createGuard(keys: readonly string[]): (authorization: string | undefined) => boolean {
  const digests = keys.map(digest);
  if (digests.length === 0) return () => true;
  return authorization => {
    const given = digest(/^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '');
    let known = false;
    // every key is looked at, whichever is the right one
    for (const key of digests) known = timingSafeEqual(key, given) || known;
    return known;
  };
}
