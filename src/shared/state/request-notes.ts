/** What others than the gateway write into the notes of its requests. Pure. */
import type { JobData, Rejected } from '../contract/association.js';

/** Beginning of the fields that hold what an operator has discarded; what follows makes each unique. */
export const DISCARDED_FIELD = 'discarded:';

/** Rejections that no job holds any more. */
export type DiscardedRejections = Pick<JobData, 'fromObjectType' | 'toObjectType'> & {
  readonly jobId: string;
  readonly rejected: readonly Rejected[];
};
