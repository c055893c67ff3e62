/** Retries an assertion until it holds or the deadline has passed: tests wait for a fact, never for a time. */
import { setTimeout as delay } from 'node:timers/promises';

export async function eventually<T>(assertion: () => T | Promise<T>, deadlineMs = 60_000): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(20);
    }
  }
}
