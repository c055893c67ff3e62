/**
 * Progress: what each pair of a job has been through, as the job's data carries it: `progress`, run-length coded in the
 * order of `pairs`. The pairs of one job often fare differently: one part fails, another is held and never sent. Pure.
 */
import type { JobData, PairProgress } from '../../shared/contract/association.js';
import type { ReadJob } from '../../shared/contract/job-text.js';
import type { Outcome } from '../batches/outcome.js';

export type Retry = Outcome & { readonly kind: 'retry' };

/** Pairs of one job that may ride in the same batches. */
export type Ride = {
  readonly suspicion: number;
  /** whether each of them has failed before */
  readonly failedBefore: boolean;
  /** places in the job's `pairs` */
  readonly places: readonly number[];
};

const FRESH: PairProgress = {};

/** The progress of each pair, by position. Where it does not add up, somebody has edited the job, and all pairs start afresh. */
export function readProgress({ pairs, history: { progress = [] } }: Pick<ReadJob, 'pairs' | 'history'>) {
  if (progress.reduce((sum, run) => sum + run.pairs, 0) !== pairs.length)
    return new Array<PairProgress>(pairs.length).fill(FRESH);
  return progress.flatMap(({ pairs, ...one }) => new Array<PairProgress>(pairs).fill(one));
}

/** Undefined: all pairs are fresh. */
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

/** What a pair has been through after an outcome *retry*. */
export function progressAfter(before: PairProgress, { spends, failure, suspicion = 0 }: Retry): PairProgress {
  const attempts = (before.attempts ?? 0) + (spends === 'attempt' ? 1 : 0);
  const suspected = (before.suspicion ?? 0) + suspicion;
  // what HubSpot says about the pair ends what the weather began
  const since = spends === 'time' ? (before.unavailableSince ?? failure.at) : undefined;
  return {
    ...(attempts > 0 && { attempts }),
    ...(suspected > 0 && { suspicion: suspected }),
    ...(since !== undefined && { unavailableSince: since }),
  };
}

/** Which pairs ride together: those of equal suspicion, and first-timers apart from the others. */
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
