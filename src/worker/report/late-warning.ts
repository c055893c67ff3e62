/** Warns about calls that were too late for their permits, once a minute. */
import type { Logger } from '../../shared/runtime/logger.js';

const SILENT_MS = 60_000;

/** @param windowMs length of the window; the warning states the margin as a share of it */
export function lateWarning(logger: Logger, windowMs: number, now = () => performance.now()) {
  let silentUntil = Number.NEGATIVE_INFINITY;
  return (lateMs: number, coveredMs: number): void => {
    // a batch that waited for another call's end was not late
    if (lateMs <= 0 || now() < silentUntil) return;
    silentUntil = now() + SILENT_MS;
    const cost = Math.round((100 * coveredMs) / windowMs);
    logger.warn(
      { event: 'late', lateMs: Math.round(lateMs), coveredMs },
      `calls are ready ${Math.round(lateMs)} ms after their permits' time: this machine has too little CPU for the worker. ` +
        `They were not sent and get new permits; nothing is lost. ${coveredMs} ms of lateness are allowed for now, which ` +
        `costs ${cost} % of the quota. Give the worker a CPU of its own, or run fewer replicas on this machine`,
    );
  };
}
