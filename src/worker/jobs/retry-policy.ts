/**
 * Retry policy: how long a pair is retried, and when. Pure; it uses the times of the pair's failures.
 *   attempts   spent by HubSpot's errors about inputs: JOB_ATTEMPTS
 *   patience   spent in bad weather (5xx, timeout, reset, an answer that is not HubSpot's): UNAVAILABLE_PATIENCE_HOURS
 */
import type { PairProgress } from '../../shared/contract/association.js';
import { MAX_BACKOFF_MS, pauseMs } from '../../shared/runtime/backoff.js';
import type { Failure } from '../batches/outcome.js';
import type { Retry } from './progress.js';

export type RetryPolicy = {
  readonly maxAttempts: number;
  /** 0 = for ever */
  readonly patienceHours: number;
  readonly backoffMs: number;
};

const HOUR_MS = 3_600_000;

/** @returns for how long HubSpot has been unavailable for the pair, milliseconds */
const unavailableMs = ({ unavailableSince }: PairProgress, { at }: Failure): number =>
  unavailableSince === undefined ? 0 : Date.parse(at) - Date.parse(unavailableSince);

/** @returns true if HubSpot has been unavailable for the pair for longer than its patience */
export const isOutOfPatience = (
  progress: PairProgress,
  failure: Failure,
  { patienceHours }: RetryPolicy,
): boolean => patienceHours > 0 && unavailableMs(progress, failure) >= patienceHours * HOUR_MS;

/** @returns the failure of such a pair */
export const unavailable = (last: Failure, { patienceHours }: RetryPolicy): Failure => ({
  ...last,
  message: `HubSpot was unavailable for ${patienceHours} h: ${last.message}`,
});

/**
 * @returns the milliseconds within which the pair is retried at a random moment (full jitter). The bound doubles with every
 * attempt. In bad weather it is the time since the first failure, so that it doubles as well. If the pair only moves to a
 * smaller batch, it is retried at once.
 */
export function retryWithinMs(
  progress: PairProgress,
  { failure, spends, suspicion = 0 }: Retry,
  { backoffMs }: RetryPolicy,
): number {
  if (spends === 'attempt') return pauseMs(progress.attempts ?? 1, backoffMs);
  if (suspicion > 0) return backoffMs;
  const since = unavailableMs(progress, failure);
  return Math.min(MAX_BACKOFF_MS, Math.max(backoffMs, Number.isNaN(since) ? 0 : since));
}
