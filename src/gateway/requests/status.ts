/** GET /requests/{id}: the state of a request with its own jobs, or of its place in a shared job. */
import type { JobData, Pair, Rejected } from '../../shared/contract/association.js';
import { associationErrors, statusAnswer } from '../answers.js';
import { type Caller, mayRead } from '../headers/bearer.js';
import type { Status } from '../schemas.js';
import { isRequestId, placeOf } from './id.js';
import type { RequestCounts, Requests, SharedNote } from './note.js';

const MAX_ERRORS_LISTED = 1_000;

/** @returns undefined if the caller has no such request, or if its outcome is no longer known @throws Refusal 503 */
export async function readStatus(
  requests: Requests,
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
  return statusAnswer(counts, errors.slice(0, MAX_ERRORS_LISTED));
}

/** Pure. Only the job says which of its pairs were rejected. */
export function memberStatus(note: SharedNote, place: number, id: string): Status | undefined {
  const pair = note.members[place];
  if (!pair) return undefined;
  const fate = fateOf(pair, note);
  if (!fate) return undefined;
  const { owner, enqueuedAt, doneAt } = note.counts;
  const counts: RequestCounts = {
    id,
    owner,
    accepted: 1,
    jobs: 1,
    created: fate === 'created' ? 1 : 0,
    rejected: typeof fate === 'object' ? 1 : 0,
    enqueuedAt,
    // decided before the others of its job: the time is not recorded
    doneAt: fate === 'queued' ? undefined : (doneAt ?? enqueuedAt),
    discarded: [],
  };
  const errors =
    typeof fate === 'object' ? associationErrors(fate, { error: fate.error, pairs: [pair] }) : [];
  return statusAnswer(counts, errors);
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
