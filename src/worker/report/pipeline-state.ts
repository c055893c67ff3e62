/** What the pipeline tells of itself: a type only. pipeline.ts fills it, and the reports of this folder read it. */
import type { SearchReport } from '../../shared/state/worker-reports.js';
import type { Fetching } from '../jobs/intake.js';

/** What is in the pipeline at this moment. */
export type PipelineState = {
  readonly isRunning: boolean;
  readonly isStopping: boolean;
  /** another replica fetches the jobs */
  readonly isStandby: boolean;
  /** memory was stretched, because no call was full */
  readonly isStretched: boolean;
  /** the account is held, as far as this replica knows */
  readonly isHeld: boolean;
  readonly jobs: number;
  readonly associations: number;
  /** associations that wait for a batch */
  readonly unbatched: number;
  /** calls in flight */
  readonly inFlight: number;
  readonly search: SearchReport;
  readonly fetching: Fetching;
};
