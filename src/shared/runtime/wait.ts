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

/** Between two tries of {@link untilDone}. */
const TRY_AGAIN_MS = 1_000;

/**
 * Tries until it is done, or the signal is aborted.
 * @param onFailure told of every try that failed
 */
export async function untilDone(
  work: () => Promise<void>,
  signal: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) return;
      onFailure(error);
      await sleep(TRY_AGAIN_MS, signal);
    }
  }
}

/** A timer that is late says that our own thread was busy: it counts no more than this share of the whole. */
const SLICES = 20;

/**
 * Like {@link sleep}, but only time in which this thread could have heard an answer counts: while it is busy, the answer
 * may lie in the socket, and a plain timer would fire before anybody looked there.
 */
export async function sleepListening(ms: number, signal: AbortSignal): Promise<void> {
  for (let slice = 0; slice < SLICES && !signal.aborted; slice++) await sleep(ms / SLICES, signal);
}

/**
 * What `work` brings, or an error when nothing was heard of it for `ms` of listening.
 * @param onSilence called before the error: whoever comes next shall not queue up behind a connection that may be dead
 */
export async function heardWithin<T>(work: Promise<T>, ms: number, onSilence: () => void): Promise<T> {
  const heard = new AbortController();
  const silence = sleepListening(ms, heard.signal).then((): T | Promise<T> => {
    if (heard.signal.aborted) return work;
    onSilence();
    throw new Error(`no answer within ${ms} ms`);
  });
  try {
    return await Promise.race([work, silence]);
  } finally {
    heard.abort();
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
