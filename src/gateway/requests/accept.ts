/**
 * batch/create: notes a request, enqueues its jobs, waits for replicas and for the outcome, answers. The only file with the
 * whole sequence.
 */
import type { JobData } from '../../shared/contract/association.js';
import type { Priority } from '../../shared/contract/keys.js';
import type { Outcomes, Watch } from '../../shared/state/outcomes.js';
import { completeAnswer, pendingAnswer } from '../answers.js';
import type { Backlog } from '../backlog.js';
import type { Caller } from '../headers/bearer.js';
import type { Preference } from '../headers/prefer.js';
import { fingerprint, type ReadInputs } from '../inputs/inputs.js';
import { full } from '../refusal.js';
import type { BatchAnswer } from '../schemas.js';
import type { Noted, Requests } from './note.js';
import type { SharedJobs } from './shared.js';

export type CreateParts = {
  readonly requests: Requests;
  readonly outcomes: Outcomes;
  readonly shared: SharedJobs;
  readonly backlog: Backlog;
  readonly onAccepted: (associations: number) => void;
};
export type CreateCall = {
  readonly read: ReadInputs;
  readonly idempotencyKey: string | undefined;
  readonly caller: Caller;
  /** X-Request-Name */
  readonly name: string | undefined;
  /** priority of a new request's jobs; a repeat does not change existing jobs */
  readonly priority: Priority;
  readonly preference: Preference;
  /** aborted if the caller disconnects or the process ends; the answer is then PENDING */
  readonly signal: () => AbortSignal;
};
/** Redis could not be read: it is asked again after this time. */
const ASK_AGAIN_MS = 1_000;

export type Created = { readonly status: 201 | 202 | 207; readonly answer: BatchAnswer };

/** @throws Refusal; a 503 says whether anything may have been enqueued */
export async function create(parts: CreateParts, call: CreateCall): Promise<Created> {
  const { requests, backlog } = parts;
  const { jobs, inputs } = call.read;
  const [only] = jobs;
  const isPlain = call.idempotencyKey === undefined && call.name === undefined;
  if (only && inputs === 1 && isPlain && call.preference.waitSeconds === 0)
    return createShared(parts, call, only);
  const writes = requests.begin();
  const noted = await requests.note({
    jobs,
    inputs,
    fingerprint: call.idempotencyKey === undefined ? '' : fingerprint(jobs),
    idempotencyKey: call.idempotencyKey,
    caller: call.caller,
    name: call.name,
    room: await backlog.hasRoom(call.priority),
  });
  if (noted.isNew) backlog.accepted(inputs);
  const watch = call.preference.waitSeconds > 0 ? await watchFor(parts.outcomes, noted.id) : undefined;
  try {
    // if a part is settled, everything was enqueued, because enqueueing is one step
    if (!noted.settled) await requests.enqueue(noted.id, jobs, call.priority);
    await writes.confirmed();
    if (noted.isNew) parts.onAccepted(inputs);
    const complete = watch && (await outcome(parts, call, noted, jobs, watch));
    if (complete) return { status: complete.numErrors === undefined ? 201 : 207, answer: complete };
  } finally {
    watch?.end();
  }
  return {
    status: pendingStatus(call.preference),
    answer: pendingAnswer(noted.id, noted.enqueuedAt),
  };
}

/** @returns undefined if the gateway cannot subscribe to the outcome; the request is accepted all the same, and PENDING */
const watchFor = (outcomes: Outcomes, id: string): Promise<Watch | undefined> =>
  outcomes.watch(id).catch(() => undefined);

/** One association that no caller waits for: it shares a job with others of the same moment. */
async function createShared(parts: CreateParts, call: CreateCall, job: JobData): Promise<Created> {
  const { backlog, shared } = parts;
  const room = backlog.hasRoom(call.priority);
  if (room !== true && !(await room)) throw full();
  backlog.accepted(1);
  const { id, enqueuedAt } = await shared.add(job, call.priority, call.caller);
  parts.onAccepted(1);
  return { status: pendingStatus(call.preference), answer: pendingAnswer(id, enqueuedAt) };
}

const pendingStatus = ({ respondAsync }: Preference) => (respondAsync ? 202 : 201);

/**
 * Waits out a Redis that is away. After an outage all waiters look, whether their request is complete or not.
 * @returns undefined if something is still queued when the time is over, or Redis cannot be asked then: an accepted request
 *   never gets an error
 */
async function outcome(
  { requests }: CreateParts,
  { preference, signal }: CreateCall,
  { id, isNew }: Noted,
  jobs: readonly JobData[],
  watch: Watch,
): Promise<BatchAnswer | undefined> {
  const read = async () => {
    const counts = await requests.found.counts(id);
    if (counts?.doneAt === undefined) return undefined;
    return completeAnswer(counts, jobs, await requests.found.rejections(counts, counts.rejected));
  };
  const until = performance.now() + preference.waitSeconds * 1_000;
  let complete: BatchAnswer | undefined;
  let lookMs = isNew ? Number.POSITIVE_INFINITY : 0;
  for (let leftMs = until - performance.now(); !complete && leftMs > 0; leftMs = until - performance.now()) {
    await watch.until(Math.min(leftMs, lookMs), signal());
    try {
      complete = await read();
      lookMs = Number.POSITIVE_INFINITY;
    } catch {
      lookMs = ASK_AGAIN_MS;
    }
    if (signal().aborted) break;
  }
  return complete;
}
