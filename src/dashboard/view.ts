/** What the server sends to the page. Types only. Each part is sent separately, and only if it has changed. */
import type { Limits } from '../shared/state/capacity.js';
import type { HeldPair } from '../shared/state/queue-state.js';
import type { Roll } from '../shared/state/worker-reports.js';
import type { Rejections } from './failures/read-groups.js';
import type { Series } from './overview/minutes.js';
import type { ObjectPairs } from './overview/object-pairs.js';
import type { Requests } from './overview/requests.js';
import type { Stats } from './overview/stats.js';
import type { StateFigures } from './text/state-sentence.js';

export type Figures = {
  state: StateFigures;
  /** as `stats --json` prints it */
  stats: Stats;
  /** discarded by operators; they stay counted as rejected */
  discarded: number;
  heldPairs: readonly HeldPair[];
  /** the limits in force */
  limits: Limits;
  /** until midnight of the account, when the day's count of calls starts again */
  msUntilReset: number;
  /** what HubSpot's calendar asks of the operator, one sentence each */
  notices: readonly string[];
  /** what endangers the queue in Redis, one sentence each */
  redisNotices: readonly string[];
};
export type Setup = {
  account: string;
  version: string;
  readOnly: boolean;
};
/** Names of the events and their data. */
export type View = {
  setup: Setup;
  figures: Figures;
  /** the largest groups; GET /api/rejections has all */
  rejections: Rejections;
  objectPairs: ObjectPairs;
  /** those that have not ended, then the latest; GET /api/requests has older ones */
  requests: Requests;
  workers: Roll;
  /** the current minute and the one before */
  minutes: Series;
  /** Redis cannot be read */
  trouble: { since: number; message: string } | null;
};
export type { CancelProgress } from '../shared/state/cancel-request.js';
export type { Discarded, Retried } from './failures/failures.js';
export type {
  RejectionDetail,
  RejectionExample,
  RejectionGroup,
  Rejections,
} from './failures/read-groups.js';
export type { Series } from './overview/minutes.js';
export type { ObjectPair, ObjectPairs } from './overview/object-pairs.js';
export type { RequestDetail, RequestLine, Requests } from './overview/requests.js';

export type Match = {
  jobId: string;
  /** state of the job: waiting, prioritized, delayed, active, failed, completed */
  place: string;
  /** state of the pair: queued (first attempt), retrying, rejected, created */
  fate: 'queued' | 'retrying' | 'rejected' | 'created';
  fromObjectType: string;
  toObjectType: string;
  types: string;
  source?: string;
  requestId?: string;
  enqueuedAt: number;
  finishedAt?: number;
  /** when a delayed job comes back */
  nextTryAt?: number;
  /** errors of a rejected pair; otherwise errors of the job's attempts, newest last */
  errors: {
    at: string;
    category?: string;
    message: string;
    correlationId?: string;
    httpStatus?: number;
    pairs: number;
  }[];
  batches: BatchSeen[];
};
export type BatchSeen = {
  id: string;
  at: number;
  inputs: number;
  created: number;
  rejected: number;
  retry: number;
  held: number;
  /** for each call: status, correlation id */
  answers: string[];
};
export type SearchProgress = { looked: number; of: number };
export type SearchEnd = {
  looked: number;
  found: number;
  ms: number;
  keptCompleted: number;
  cutShort: boolean;
};
