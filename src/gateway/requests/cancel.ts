/** DELETE /requests/{id}: takes back what is still queued of a caller's own request. */
import pLimit from 'p-limit';
import { SharedRequestError, UnknownRequestError } from '../../shared/contract/errors.js';
import { redisReason } from '../../shared/runtime/redis.js';
import { Unconfirmed } from '../../shared/runtime/replicas.js';
import { settlesWithin } from '../../shared/runtime/wait.js';
import type { CancelOptions } from '../../shared/state/cancel-request.js';
import { queuedOf, shortCaller } from '../../shared/state/requests.js';
import { statusPath } from '../answers.js';
import { type Caller, mayCancel, mayRead, NOBODY } from '../headers/bearer.js';
import { Refusal, unavailable } from '../refusal.js';
import type { Cancelled } from '../schemas.js';
import type { FoundRequests } from './found.js';
import { isRequestId, placeOf } from './id.js';

/** After this time the caller has an answer, and the cancel goes on. */
const WAIT_MS = 10_000;
/**
 * Cancels that walk at once. Each walks over the whole queue, so that a caller with many must not keep Redis busy. All of them are
 * marked at once: an answer that says that a cancel goes on is then true, even if this process dies before its walk.
 */
const AT_ONCE = 4;

type Cancel = (
  id: string,
  by: string,
  options: Required<Pick<CancelOptions, 'signal' | 'inTurn'>>,
) => Promise<unknown>;

/** The cancels of this process: one for each request, however often it is asked for. */
export class Cancels {
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #limit = pLimit(AT_ONCE);

  /** @param stopping aborted when the process ends: workers finish its cancels */
  constructor(
    private readonly cancel: Cancel,
    private readonly stopping: AbortSignal,
    private readonly waitMs = WAIT_MS,
  ) {}

  /** Resolves when nothing of the request is queued, or after a while. @throws as the cancel */
  async run(id: string, by: string): Promise<void> {
    const running = this.#running.get(id) ?? this.#start(id, by);
    if (await settlesWithin(running, this.waitMs)) await running;
  }

  #start(id: string, by: string): Promise<unknown> {
    const running = this.cancel(id, by, {
      signal: this.stopping,
      inTurn: walks => this.#limit(walks),
    }).finally(() => this.#running.delete(id));
    running.catch(() => {}); // those who wait for it get the error
    this.#running.set(id, running);
    return running;
  }
}

/** @returns undefined if the caller has no such request @throws Refusal 409 if others share its job, 503 without Redis */
export async function cancelOwn(
  requests: FoundRequests,
  cancels: Cancels,
  id: string,
  caller: Caller,
): Promise<Cancelled | undefined> {
  if (!isRequestId(id)) return undefined;
  const shared = placeOf(id);
  if (shared) {
    const note = await requests.sharedNote(shared.note);
    if (!note?.members[shared.place] || !mayRead(caller, note.counts.owner)) return undefined;
    throw sharesItsJob();
  }
  const before = await requests.counts(id);
  if (!before || !mayCancel(caller, before.owner)) return undefined;
  try {
    await cancels.run(id, caller === NOBODY ? 'gateway' : `gateway key ${shortCaller(caller)}`);
  } catch (error) {
    if (error instanceof UnknownRequestError) return undefined;
    if (error instanceof SharedRequestError) throw sharesItsJob();
    const reason =
      error instanceof Unconfirmed
        ? error.message
        : `Redis cannot take it: ${redisReason(error) || 'the connection was lost'}`;
    throw unavailable(`${reason}; if the cancel has begun, workers finish it: repeat the call`);
  }
  const after = (await requests.counts(id)) ?? before;
  const { cancelled, created, rejected } = after;
  return {
    ...{ id, cancelled, decided: created + rejected, queued: queuedOf(after) },
    links: { status: statusPath(id) },
  };
}

const sharesItsJob = (): Refusal =>
  new Refusal(409, 'This request shares its job with others and cannot be taken back', [
    {
      message:
        'requests of one association that arrive at the same moment share a job; one with X-Request-Name, Idempotency-Key or Prefer: wait has a job of its own',
      in: 'id',
    },
  ]);
