/** What the worker is given of a job that it has fetched. Pure. */
import { countPairs } from '../shared/contract/job-text.js';

export type FetchedJob = {
  readonly id: string;
  /** of its lock */
  readonly token: string;
  /** Its data, as somebody wrote it: JSON, or not even that. */
  readonly text: string;
  /** how many it holds, about: told from the text */
  readonly associations: number;
  readonly high: boolean;
  /** the settlement may complete or fail it, for nothing but its own hash is concerned; else BullMQ's verb has to */
  readonly standsAlone: boolean;
  /** it is known that nothing of it was ever counted */
  readonly isFirstAttempt: boolean;
  /** of the trace in which it was enqueued */
  readonly trace: string | undefined;
  /** BullMQ's word that it must fail: it is the parent of a job that has failed */
  readonly mustFail?: string | undefined;
};

export const fetchedJob = (job: Omit<FetchedJob, 'associations'>): FetchedJob => ({
  ...job,
  associations: countPairs(job.text),
});

/** How much one run of fetching brings at most: jobs, and bytes of their data but for the first one. */
export type TakeLimits = { readonly jobs: number; readonly bytes: number };
/** @property more there may be more to take */
export type Run = { readonly jobs: FetchedJob[]; readonly more: boolean };
