/** How long to wait before the next attempt. Pure. */

export const MAX_BACKOFF_MS = 600_000;

/** A pause that doubles from `baseMs` on, at most 10 minutes. @param strike which failure in a row it follows, from 1 */
export function pauseMs(strike: number, baseMs: number): number {
  return Math.min(MAX_BACKOFF_MS, baseMs * 2 ** Math.min(strike - 1, 40));
}

/**
 * Full jitter: anything between 0 and the pause. It spreads retries best:
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 * @param random in [0, 1)
 */
export const withJitter = (ms: number, random = Math.random()): number => Math.round(random * ms);
