/**
 * Places: how many replicas of an account fetch jobs. Pure. The reasons are in
 * docs/decisions/0058-replicas-without-a-place-stand-by.md.
 */
import type { QueueState } from './queue-state.js';
import { usefulReplicas } from './useful-replicas.js';

/** Replicas that fetch while a backlog makes calls full: the useful ones, and at least so many that one may die. */
const LEAST_WITH_BACKLOG = 2;

/**
 * @returns how many replicas should fetch. A second replica would double the calls where they are not full: with few
 * associations, or with many object pairs. A pause or a hold changes nothing, so that all is as before at its end.
 * @param isStretched calls were not full although the memory of the first replica was
 */
export function placesFor(state: QueueState, isStretched: boolean): number {
  const { waiting, active, delayed } = state.jobs;
  const jobs = waiting + active + delayed;
  // delayed jobs cannot be fetched now
  const backlog = jobs === 0 ? 0 : (state.backlogAssociations * (waiting + active)) / jobs;
  const { batchMaxInputs, maxConcurrentCalls } = state.capacity.limits;
  if (Math.ceil(backlog / batchMaxInputs) <= maxConcurrentCalls) return 1;
  const useful = usefulReplicas({ ...state, backlogAssociations: backlog, paused: null, hold: null });
  return Math.max(isStretched ? 1 : LEAST_WITH_BACKLOG, useful);
}

/** The number of places falls only when a lower one has been enough for this long. */
export const PLACES_FALL_MS = 30_000;

/** The number of places that counts: it rises at once and falls late, so that places do not come and go. */
export class PlaceCount {
  /** the latest numbers, each higher than all after it */
  #wanted: { readonly places: number; readonly at: number }[] = [];

  /** @param now monotonic ms. @returns the highest of the latest numbers */
  count(places: number, now: number): number {
    this.#wanted = this.#wanted.filter(
      earlier => earlier.places > places && now - earlier.at < PLACES_FALL_MS,
    );
    this.#wanted.push({ places, at: now });
    return this.#wanted[0]?.places ?? places;
  }

  /** Forgets everything: another replica counts. */
  clear(): void {
    this.#wanted = [];
  }
}
