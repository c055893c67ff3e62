/** How long to wait before the next attempt. Pure. */

export const MAX_BACKOFF_MS = 600_000;

/**
 * Exponential backoff with full jitter: anything between 0 and base × 2^(attempt − 1), at most 10 minutes.
 * Full jitter spreads retries best: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 * @param attempt the attempt that has just failed, from 1
 * @param random in [0, 1)
 */
export function backoffMs(attempt: number, baseMs: number, random = Math.random()): number {
  return Math.round(random * pauseMs(attempt, baseMs));
}

/** The upper bound of {@link backoffMs}: growing pauses without jitter, for holds that all replicas share. */
export function pauseMs(strike: number, baseMs: number): number {
  return Math.min(MAX_BACKOFF_MS, baseMs * 2 ** Math.min(strike - 1, 40));
}
