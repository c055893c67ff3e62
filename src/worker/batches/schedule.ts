/**
 * Schedule: which lane is ready, and why. A lane is ready when it is full, when its first waiter has lingered, or when the
 * process ends; of those that are ready the one goes whose first waiter has waited longest. High priority may go out of
 * turn, at most every other time. Pure.
 */
import type { Trigger } from './batch.js';

/** What the dispatcher allows at this moment. */
export type Terms = {
  /** every lane is ready, as small as it is: the process ends */
  readonly isFlushed: boolean;
  /** lanes that are not full may go: the quota does not pace them */
  readonly partialsToo: boolean;
  /** how long the first of a lane waits for company, and the same where it is of high priority; milliseconds */
  readonly lingerMs: number;
  readonly highLingerMs: number;
};

/** A lane as the schedule sees it. Nobody waits in it: `since` is undefined. */
export type Waiting = {
  readonly size: number;
  readonly limit: number;
  /** when the first of it came, monotonic milliseconds */
  readonly since: number | undefined;
  /** the first of it is of high priority */
  readonly isHigh: boolean;
};

const lingerMs = ({ isHigh }: Waiting, terms: Terms): number =>
  isHigh ? terms.highLingerMs : terms.lingerMs;

/** Why the lane is ready; undefined when it is not. */
export function triggerOf(lane: Waiting, terms: Terms, now: number): Trigger | undefined {
  const { size, limit, since } = lane;
  if (size >= limit) return 'full';
  if (terms.isFlushed) return 'flush';
  return since !== undefined && now - since >= lingerMs(lane, terms) ? 'linger' : undefined;
}

/** The ready lane whose first waiter has waited longest. */
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

/** The lane in which high priority has waited longest. */
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

/** When the next lane becomes ready by lingering, in `since`'s terms; undefined when nobody waits. */
export function lingersUntil(lanes: Iterable<Waiting>, terms: Terms): number | undefined {
  let earliest: number | undefined;
  for (const lane of lanes) {
    const until = (lane.since ?? 0) + lingerMs(lane, terms);
    if (earliest === undefined || until < earliest) earliest = until;
  }
  return earliest;
}
