/** GET /requests/{id}: the state of a request with its own jobs, or of its place in a shared job. */
import type { JobData, Pair, Rejected } from '../../shared/contract/association.js';
import { type RequestSummary, type RequestView, shortCaller } from '../../shared/state/requests.js';
import { associationErrors, statusAnswer } from '../answers.js';
import { type Caller, mayRead, NOBODY } from '../headers/bearer.js';
import type { Status } from '../schemas.js';
import type { FoundRequests, SharedNote } from './found.js';
import { isRequestId, placeOf } from './id.js';

const MAX_ERRORS_LISTED = 1_000;

/** @returns undefined if the caller has no such request, or if its outcome is no longer known @throws Refusal 503 */
export async function readStatus(
  requests: FoundRequests,
  id: string,
  caller: Caller,
): Promise<Status | undefined> {
  if (!isRequestId(id)) return undefined;
  const shared = placeOf(id);
  if (shared) {
    const note = await requests.sharedNote(shared.note);
    if (!note || !mayRead(caller, note.counts.owner)) return undefined;
    return memberStatus(note, shared.place, id);
  }
  const counts = await requests.counts(id);
  if (!counts || !mayRead(caller, counts.owner)) return undefined;
  const found = await requests.rejections(counts, MAX_ERRORS_LISTED);
  const errors = [...found.of.values()].flatMap(job =>
    job.rejected.flatMap(rejected => associationErrors(job, rejected)),
  );
  const view = await requests.view(id);
  return view && statusAnswer(forCaller(view), errors.slice(0, MAX_ERRORS_LISTED));
}

/** Without what is about files and about the job: where a file lies on its machine is nothing to a caller. Pure. */
export function forCaller<View extends RequestSummary>({
  file: _file,
  line: _line,
  discarded: _discarded,
  shared: _shared,
  ...view
}: View): Omit<View, 'file' | 'line' | 'discarded' | 'shared'> {
  return view;
}

/** Pure. Only the job says which of its pairs were rejected. */
export function memberStatus(note: SharedNote, place: number, id: string): Status | undefined {
  const pair = note.members[place];
  if (!pair) return undefined;
  const fate = fateOf(pair, note);
  if (!fate) return undefined;
  const { counts, account } = note;
  const { owner, enqueuedAt } = counts;
  // decided before the others of its job: the time is not recorded
  const doneAt = fate === 'queued' ? undefined : (counts.doneAt ?? enqueuedAt);
  const rejection = typeof fate === 'object' ? fate : undefined;
  const { category = 'UNKNOWN', message = '' } = rejection?.error ?? {};
  const view: RequestView = {
    ...{ id, account, via: 'gateway', accepted: 1, cancelled: 0, refusedLines: 0 },
    ...(owner !== NOBODY && { by: shortCaller(owner) }),
    state: doneAt === undefined ? 'open' : 'done',
    enqueuedAt: new Date(enqueuedAt).toISOString(),
    ...(doneAt !== undefined && { doneAt: new Date(doneAt).toISOString() }),
    created: fate === 'created' ? 1 : 0,
    rejected: rejection ? 1 : 0,
    queued: fate === 'queued' ? 1 : 0,
    rejections: rejection ? [{ category, message, count: 1 }] : [],
  };
  const errors = rejection ? associationErrors(rejection, { error: rejection.error, pairs: [pair] }) : [];
  return statusAnswer(view, errors);
}

type ObjectPair = Pick<JobData, 'fromObjectType' | 'toObjectType'>;
type Fate = 'queued' | 'created' | (ObjectPair & Rejected) | undefined;

function fateOf(pair: Pair, { counts, job, isWhole }: SharedNote): Fate {
  const { accepted, created, rejected, discarded } = counts;
  if (isWhole || created === accepted) return 'created';
  if (!job && rejected === 0 && created === 0) return 'queued';
  if (job?.pairs.some(one => isSame(one, pair))) return 'queued';
  let listed = 0;
  for (const { fromObjectType, toObjectType, rejected } of [...(job ? [job] : []), ...discarded])
    for (const rejection of rejected ?? []) {
      if (rejection.pairs.some(one => isSame(one, pair)))
        return { ...rejection, fromObjectType, toObjectType };
      listed += rejection.pairs.length;
    }
  // another client removed some rejections: this pair may be one of them
  return listed < rejected ? undefined : 'created';
}

const isSame = ([from, to]: Pair, [otherFrom, otherTo]: Pair): boolean =>
  from === otherFrom && to === otherTo;
