/** Identifies the caller by a bearer key from a list, compared in constant time. Pure. */
import { createHash, timingSafeEqual } from 'node:crypto';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * The caller as Redis knows it: a hash of its key, however the header spells it, and never the key itself. '' if the gateway
 * has no keys.
 */
export type Caller = string;
export const NOBODY: Caller = '';
const CALLER_LENGTH = 22;

const callerOf = (key: string): Caller =>
  createHash('sha256').update(`caller of the gateway\n${key}`).digest('base64url').slice(0, CALLER_LENGTH);

/**
 * @param keys empty: everybody may call (the configuration allows that only on a loopback address)
 * @returns a function that returns the caller; undefined for an unknown key
 */
export function createGuard(
  keys: readonly string[],
): (authorization: string | undefined) => Caller | undefined {
  const known = keys.map(key => ({ digest: digest(key), caller: callerOf(key) }));
  if (known.length === 0) return () => NOBODY;
  return authorization => {
    const given = digest(/^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '');
    let found: Caller | undefined;
    // compares all keys, whichever is the right one
    for (const { digest, caller } of known) found = timingSafeEqual(digest, given) ? caller : found;
    return found;
  };
}

/** @returns true if the caller may read the request. Everybody may read requests that a gateway without keys accepted. */
export const mayRead = (caller: Caller, owner: Caller): boolean => owner === NOBODY || owner === caller;
/** @returns true if the caller may take the request back: it is its own. Without keys that is every request without a caller. */
export const mayCancel = (caller: Caller, owner: Caller): boolean => owner === caller;
