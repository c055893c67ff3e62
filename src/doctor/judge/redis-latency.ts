/** Judges how long a round trip to Redis takes. Pure. */
import type { RedisFacts } from '../facts.js';
import { type Finding, fault, ok, warning } from '../finding.js';

/** Median, ms. A worker makes a few round trips for each call to HubSpot, a gateway two for each request. */
const [SLOW, TOO_SLOW] = [10, 200];

export function judgeLatency({ latencyMs }: Pick<RedisFacts, 'latencyMs'>): Finding {
  const sorted = [...latencyMs].sort((one, other) => one - other);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const text = `a round trip to Redis takes ${ms(median)} (median of ${sorted.length}, slowest ${ms(sorted.at(-1) ?? 0)})`;
  const remedy =
    'run workers and gateways near Redis; look for slow commands of other programs (SLOWLOG GET)';
  if (median >= TOO_SLOW) return fault(text, remedy);
  return median >= SLOW ? warning(text, remedy) : ok(text);
}

const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
