/** Polls until a condition is true, but not for ever. */
import { sleep } from '../../src/shared/runtime/wait.js';

const POLL_MS = 10;
const WITHIN_MS = 180_000;

/** @throws Error that says what did not happen within three minutes; no step of a measurement takes that long */
export async function until(what: string, isSo: () => Promise<boolean>, pollMs = POLL_MS): Promise<void> {
  const since = performance.now();
  while (!(await isSo())) {
    if (performance.now() - since > WITHIN_MS) throw new Error(`${what}: not within ${WITHIN_MS / 1_000} s`);
    await sleep(pollMs);
  }
}
