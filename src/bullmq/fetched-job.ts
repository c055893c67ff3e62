/** A fetched job as the worker gets it. Types only. */

export type FetchedJob = {
  readonly id: string;
  /** token of its lock */
  readonly token: string;
  /** its data as some client wrote it, which may not even be JSON */
  readonly text: string;
  /** estimate of its associations, counted in the text */
  readonly associations: number;
  readonly high: boolean;
  /** the settlement may complete or fail it, because only its own hash is concerned; otherwise BullMQ's command must */
  readonly standsAlone: boolean;
  /** true if certainly nothing of it was ever counted */
  readonly isFirstAttempt: boolean;
  /** context of the trace in which it was enqueued */
  readonly trace: string | undefined;
  /** BullMQ's reason why it must fail: it is the parent of a failed job */
  readonly mustFail?: string | undefined;
};

/** Limits of one fetch: jobs, and bytes of their data except the first one's. */
export type TakeLimits = { readonly jobs: number; readonly bytes: number };
/** @property more true if there may be more jobs */
export type Run = { readonly jobs: FetchedJob[]; readonly more: boolean };
