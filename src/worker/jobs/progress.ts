/**
 * Progress: the history of each pair of a job. The job's data stores it as `progress`, run-length coded in the order of
 * `pairs`. The pairs of one job often have different histories: some fail, others are held and never sent. Pure.
 */
import type { JobData, PairProgress } from '../../shared/contract/association.js';
import type { ReadJob } from '../../shared/contract/job-text.js';
import type { Outcome } from '../batches/outcome.js';

export type Retry = Outcome & { readonly kind: 'retry' };

/** Pairs of one job that may be sent in the same batches. */
export type Ride = {
  readonly suspicion: number;
  /** true if all of them have failed before */
  readonly failedBefore: boolean;
  /** indexes into the job's `pairs` */
  readonly places: readonly number[];
};

const FRESH: PairProgress = {};

/** @returns the progress of each pair, by position. If it does not add up, another client edited the job, and all pairs count as new. */
export function readProgress({ pairs, history: { progress = [] } }: Pick<ReadJob, 'pairs' | 'history'>) {
  if (progress.reduce((sum, run) => sum + run.pairs, 0) !== pairs.length)
    return new Array<PairProgress>(pairs.length).fill(FRESH);
  return progress.flatMap(({ pairs, ...one }) => new Array<PairProgress>(pairs).fill(one));
}

/** @returns undefined if all pairs are new */
export function writeProgress(progress: readonly PairProgress[]): JobData['progress'] {
  const runs: NonNullable<JobData['progress']> = [];
  let last: PairProgress | undefined;
  for (const one of progress) {
    const run = runs.at(-1);
    if (run && last && (one === last || isSame(one, last))) run.pairs += 1;
    else runs.push({ pairs: 1, ...one });
    last = one;
  }
  return runs.some(run => !isSame(run, FRESH)) ? runs : undefined;
}

const isSame = (one: PairProgress, other: PairProgress): boolean =>
  one.attempts === other.attempts &&
  one.suspicion === other.suspicion &&
  one.unavailableSince === other.unavailableSince;

/** @returns the progress of a pair after an outcome *retry* */
export function progressAfter(before: PairProgress, { spends, failure, suspicion = 0 }: Retry): PairProgress {
  const attempts = (before.attempts ?? 0) + (spends === 'attempt' ? 1 : 0);
  const suspected = (before.suspicion ?? 0) + suspicion;
  // HubSpot's words about the pair end a period of unavailability
  const since = spends === 'time' ? (before.unavailableSince ?? failure.at) : undefined;
  return {
    ...(attempts > 0 && { attempts }),
    ...(suspected > 0 && { suspicion: suspected }),
    ...(since !== undefined && { unavailableSince: since }),
  };
}

/** Groups pairs that are sent together: pairs of equal suspicion, with first-timers separate from the others. */
export function ridesOf(progress: readonly PairProgress[]): Ride[] {
  const rides = new Map<string, Ride & { places: number[] }>();
  for (const [place, one] of progress.entries()) {
    const { suspicion = 0 } = one;
    const failedBefore = suspicion > 0 || one.attempts !== undefined || one.unavailableSince !== undefined;
    const key = `${suspicion} ${failedBefore}`;
    const ride = rides.get(key);
    if (ride) ride.places.push(place);
    else rides.set(key, { suspicion, failedBefore, places: [place] });
  }
  return [...rides.values()];
}
