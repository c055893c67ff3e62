/** The only file that sleeps. Other code decides how long and calls it. */
import { setTimeout as delay } from 'node:timers/promises';

/** Node's longest timer; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * Resolves after `ms`, or as soon as `signal` is aborted. It does not reject: the caller checks the signal afterwards.
 * @param ms milliseconds; zero or less resolves in the next turn of the event loop
 */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  try {
    await delay(Math.min(Math.max(ms, 0), LONGEST_TIMER_MS), undefined, signal && { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

/**
 * Wakes code that waits for a change, which then looks again. A notification is not stored for later waiters, so there must
 * be no `await` between looking and waiting.
 */
export class Notifier {
  #waiting: AbortController | undefined;

  notify(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.abort();
  }

  /** Resolves at the next notification, or after `ms`. */
  async wait(ms = Number.POSITIVE_INFINITY): Promise<void> {
    this.#waiting ??= new AbortController();
    await sleep(ms, this.#waiting.signal);
  }
}

/** Pause between two tries of {@link untilDone}. */
const TRY_AGAIN_MS = 1_000;

/**
 * Tries until it succeeds or the signal is aborted.
 * @param onFailure called after every failed try
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

/** Slices of a wait. If our thread was busy and a timer is late, only one slice counts. */
const SLICES = 20;

/**
 * Like {@link sleep}, but counts only time in which this thread could receive an answer. While the thread is busy, the
 * answer may wait in the socket, and a plain timer would fire before the thread reads it.
 */
export async function sleepListening(ms: number, signal: AbortSignal): Promise<void> {
  for (let slice = 0; slice < SLICES && !signal.aborted; slice++) await sleep(ms / SLICES, signal);
}

/**
 * @returns the result of `work`. @throws Error if it does not settle within `ms` of listening.
 * @param onSilence called before the error, so that the next caller does not wait for a connection that may be dead
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

/**
 * @returns true if the promise settled within `ms`, and before `signal` was aborted. No timer and no listener remains
 * afterwards, so that one signal serves any number of waits.
 */
export async function settlesWithin(
  promise: Promise<unknown>,
  ms: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const over = new AbortController();
  const end = () => over.abort();
  const done = promise.then(
    () => true,
    () => true,
  );
  signal?.addEventListener('abort', end);
  if (signal?.aborted) end();
  try {
    return await Promise.race([done, sleep(ms, over.signal).then(() => false)]);
  } finally {
    signal?.removeEventListener('abort', end);
    end();
  }
}
