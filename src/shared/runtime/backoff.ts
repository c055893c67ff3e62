/** Computes how long to wait before the next attempt. Pure. */

export const MAX_BACKOFF_MS = 600_000;

/** @returns a pause that starts at `baseMs` and doubles, at most 10 minutes. @param strike consecutive failures, from 1 */
export function pauseMs(strike: number, baseMs: number): number {
  return Math.min(MAX_BACKOFF_MS, baseMs * 2 ** Math.min(strike - 1, 40));
}

/**
 * Full jitter: a random time between 0 and the pause, which spreads retries best:
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 * @param random in [0, 1)
 */
export const withJitter = (ms: number, random = Math.random()): number => Math.round(random * ms);
