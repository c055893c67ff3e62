/** Judges by how much the clocks of this machine and of Redis differ. Pure. */
import type { RedisFacts } from '../facts.js';
import { type Finding, fault, ok, warning } from '../finding.js';

/** Seconds. BullMQ computes the time of a retry with the worker's clock, and our scripts use Redis'. */
const [APART, TOO_FAR] = [2, 60];

export function judgeClock({ clockAheadMs }: Pick<RedisFacts, 'clockAheadMs'>): Finding {
  const seconds = Math.abs(clockAheadMs) / 1_000;
  const direction = clockAheadMs > 0 ? 'ahead of' : 'behind';
  if (seconds < APART)
    return ok(
      `the clocks of Redis and of this machine agree (${Math.round(Math.abs(clockAheadMs))} ms apart)`,
    );
  const text = `the clock of Redis is ${seconds.toFixed(seconds < 10 ? 1 : 0)} s ${direction} the clock of this machine: retries come too early or too late`;
  const remedy = 'synchronize both clocks (NTP)';
  return seconds >= TOO_FAR ? fault(text, remedy) : warning(text, remedy);
}
