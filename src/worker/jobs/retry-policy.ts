/**
 * Retry policy: how long a pair is tried, and when it is tried again. Pure; the time is that of its failures.
 *   attempts   spent by what HubSpot says about inputs: JOB_ATTEMPTS
 *   patience   spent by the weather (5xx, timeout, reset, an answer that is not HubSpot's): UNAVAILABLE_PATIENCE_HOURS
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

/** For how long HubSpot has been unavailable for the pair, milliseconds. */
const unavailableMs = ({ unavailableSince }: PairProgress, { at }: Failure): number =>
  unavailableSince === undefined ? 0 : Date.parse(at) - Date.parse(unavailableSince);

/** HubSpot has been unavailable for the pair for longer than it is waited for. */
export const isOutOfPatience = (
  progress: PairProgress,
  failure: Failure,
  { patienceHours }: RetryPolicy,
): boolean => patienceHours > 0 && unavailableMs(progress, failure) >= patienceHours * HOUR_MS;

/** What is said of such a pair. */
export const unavailable = (last: Failure, { patienceHours }: RetryPolicy): Failure => ({
  ...last,
  message: `HubSpot was unavailable for ${patienceHours} h: ${last.message}`,
});

/**
 * The pair is tried again at any moment within so many milliseconds (full jitter). The bound doubles with every attempt;
 * with every failure by the weather, too: it is the time since the first of them. Where only the company of the pair is in
 * question, it goes on at once in a smaller one.
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
