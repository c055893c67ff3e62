/** The one place that sleeps. Everything else decides when, and asks here. */
import { setTimeout as delay } from 'node:timers/promises';

/** Node's longest timer; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * Resolves after `ms`, or as soon as `signal` is aborted (it does not reject: whoever sleeps looks at the signal next).
 * @param ms milliseconds; zero or less resolves on the next turn of the event loop
 */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  try {
    await delay(Math.min(Math.max(ms, 0), LONGEST_TIMER_MS), undefined, signal && { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

/** @returns whether the promise settled within `ms`; no timer outlives the answer. */
export async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const settled = new AbortController();
  const done = promise.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([done, sleep(ms, settled.signal).then(() => false)]);
  } finally {
    settled.abort();
  }
}
