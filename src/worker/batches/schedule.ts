/**
 * Schedule: decides which lane is ready, and why. A lane is ready when it is full, when its first pair has lingered, or when
 * the process ends. Of the ready lanes, the one goes whose first pair has waited longest. High priority may go out of turn,
 * at most every other time. Pure.
 */
import type { Trigger } from './batch.js';

/** What the dispatcher allows at this moment. */
export type Terms = {
  /** every lane is ready, however small, because the process ends */
  readonly isFlushed: boolean;
  /** lanes that are not full may go, because the quota does not pace them */
  readonly partialsToo: boolean;
  /** how long the first pair of a lane waits for others, and the same for high priority; milliseconds */
  readonly lingerMs: number;
  readonly highLingerMs: number;
};

/** A lane as the schedule sees it; `since` is undefined if no pair waits in it. */
export type Waiting = {
  readonly size: number;
  readonly limit: number;
  /** when its first pair arrived, monotonic milliseconds */
  readonly since: number | undefined;
  /** its first pair has high priority */
  readonly isHigh: boolean;
};

const lingerMs = ({ isHigh }: Waiting, terms: Terms): number =>
  isHigh ? terms.highLingerMs : terms.lingerMs;

/** @returns why the lane is ready; undefined if it is not */
export function triggerOf(lane: Waiting, terms: Terms, now: number): Trigger | undefined {
  const { size, limit, since } = lane;
  if (size >= limit) return 'full';
  if (terms.isFlushed) return 'flush';
  return since !== undefined && now - since >= lingerMs(lane, terms) ? 'linger' : undefined;
}

/** @returns the ready lane whose first pair has waited longest */
export function readyLane<Lane extends Waiting>(
  lanes: Iterable<Lane>,
  terms: Terms,
  now: number,
): Lane | undefined {
  let oldest: Lane | undefined;
  let oldestSince = Number.POSITIVE_INFINITY;
  for (const lane of lanes) {
    const trigger = triggerOf(lane, terms, now);
    if (!trigger || (trigger !== 'full' && !terms.partialsToo)) continue;
    const { since = 0 } = lane;
    if (since >= oldestSince) continue;
    oldest = lane;
    oldestSince = since;
  }
  return oldest;
}

/** @returns the lane in which high priority has waited longest */
export function highLane<Lane extends Waiting>(lanes: Iterable<Lane>): Lane | undefined {
  let oldest: Lane | undefined;
  let oldestSince = Number.POSITIVE_INFINITY;
  for (const lane of lanes) {
    const { since, isHigh } = lane;
    if (since === undefined || !isHigh || since >= oldestSince) continue;
    oldest = lane;
    oldestSince = since;
  }
  return oldest;
}

/** @returns when the next lane is ready by lingering, on the clock of `since`; undefined if no pair waits */
export function lingersUntil(lanes: Iterable<Waiting>, terms: Terms): number | undefined {
  let earliest: number | undefined;
  for (const lane of lanes) {
    const until = (lane.since ?? 0) + lingerMs(lane, terms);
    if (earliest === undefined || until < earliest) earliest = until;
  }
  return earliest;
}
