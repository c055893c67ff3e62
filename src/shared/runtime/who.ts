/** Who runs this process, for records that name a person: `user@host`. */
import { hostname, userInfo } from 'node:os';

export function userAtHost(): string {
  return `${userName()}@${hostname()}`;
}

/** A container may run under a number that no user has. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.getuid?.().toString() ?? 'unknown';
  }
}
