/** What operators' commands write into the notes of gateway requests. Pure. */
import type { JobData, Rejected } from '../contract/association.js';

/** Prefix of the fields with discarded rejections; the rest of the name makes each field unique. */
export const DISCARDED_FIELD = 'discarded:';

/** Rejections that an operator removed from a job. */
export type DiscardedRejections = Pick<JobData, 'fromObjectType' | 'toObjectType'> & {
  readonly jobId: string;
  readonly rejected: readonly Rejected[];
};
