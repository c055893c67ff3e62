/** What a failed job becomes when its rejections are retried. Pure. */
import type { JobData } from './association.js';
import type { ReadJob } from './job-text.js';

export type Reopened = {
  /** the rejected pairs start again at the first attempt */
  readonly data: JobData;
  /** associations that are queued again, and no longer rejected */
  readonly associations: number;
};

/**
 * The data of a job says which of its associations count as rejected: those in `rejected`. Who moves them to `pairs` counts them
 * back in the same step, and nobody does so again (docs/decisions/0048).
 * @returns undefined for a job without rejections, and for one that has other pairs to decide or to end first
 */
export function reopenedJob({ head, pairs: { length }, history }: ReadJob): Reopened | undefined {
  const { rejected = [], created, cancelled } = history;
  const pairs = rejected.flatMap(rejection => rejection.pairs);
  if (length > 0 || pairs.length === 0 || cancelled !== undefined) return undefined;
  return {
    data: { ...head, pairs, ...(created !== undefined && { created }) },
    associations: pairs.length,
  };
}
