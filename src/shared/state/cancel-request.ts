/**
 * Takes back what is still queued of a request (docs/decisions/0038).
 *  1. The mark: workers give back what they have in hand of the request, and its producer stops.
 *  2. Walks over the queue (cancel-sweep.ts), until nothing of it is queued. While workers still have jobs of it, or a walk
 *     missed some that were moved, another walk follows.
 * The process may die at any moment: workers finish marked requests (`finishCancel`), and so does a second call. A lease says
 * that somebody walks already; walks of several processes at once are safe and only waste work.
 * If a list is wanted, the mark says so, and whatever any of these processes takes back is kept until it is listed
 * (unlisted-jobs.ts, docs/decisions/0049).
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { Removal } from '../../bullmq/removal.js';
import { SharedRequestError, UnknownRequestError } from '../contract/errors.js';
import type { Keys } from '../contract/keys.js';
import type { ReplicaWait } from '../runtime/replicas.js';
import { loadScript } from '../runtime/script.js';
import { sleep } from '../runtime/wait.js';
import { CancelSweep } from './cancel-sweep.js';
import { LEASE_MS, Lease } from './lease.js';
import { queuedOf, RequestReader, requestKeys } from './requests.js';

export type CancelParts = {
  readonly redis: Redis;
  readonly keys: Keys;
  /** of `redis`: the mark is acknowledged when they have it; whatever a failover loses of the rest, workers do again */
  readonly replicas?: ReplicaWait;
  /** for tests: as with another release of BullMQ */
  readonly removal?: Removal;
};
/** Associations of a request. */
export type CancelProgress = {
  /** taken back, by this call or an earlier one */
  readonly cancelled: number;
  /** created or rejected: a cancel does not change them */
  readonly decided: number;
  /** not yet taken back: in a call to HubSpot, or not yet found */
  readonly queued: number;
  /** jobs of it that workers have; absent before the first walk has ended */
  readonly active?: number;
};
export type CancelOptions = {
  /** called about once a second */
  readonly onProgress?: (progress: CancelProgress) => void;
  /** A list is wanted. It is called after each step, when there may be something to list; the cancel waits for it. */
  readonly onListable?: () => Promise<void>;
  /** ends the call early; workers take the rest back */
  readonly signal?: AbortSignal;
  /** Begins the walks when there is room for them. The request is marked before, so that workers need not wait for it. */
  readonly inTurn?: InTurn;
};
export type InTurn = <Result>(walks: () => Promise<Result>) => Promise<Result>;

/** Pause between two walks: longer after a walk over a long queue, and shorter than the lease. */
const PAUSE_MS = { least: 200, most: 2_000, perWalk: 2 };
/** If so many walks in a row, a second apart, find nothing anywhere, the jobs are gone. */
const EMPTY_WALKS = 5;
const EMPTY_PAUSE_MS = 1_000;
const PROGRESS_EVERY_MS = 1_000;

const markScript = loadScript(new URL('./cancel-request.lua', import.meta.url));

/**
 * Resolves when nothing of the request is queued, which takes seconds, or as long as HubSpot's answers to calls in flight.
 * `queued` of the result is 0 unless `signal` ended the call, or another client has removed jobs of the request.
 * @param by who cancels: `user@host`
 * @throws UnknownRequestError, SharedRequestError: nothing has changed · Unconfirmed: it is marked, and too few replicas know it ·
 *   Error if Redis cannot be used: if the request was marked, workers take it back
 */
export async function cancelRequest(
  parts: CancelParts,
  id: string,
  by: string,
  options: CancelOptions = {},
): Promise<CancelProgress> {
  const { redis, keys } = parts;
  const { inTurn = walks => walks() } = options;
  const token = randomUUID();
  const lease = keys.requestCancelLease + id;
  const list = options.onListable ? 'list' : '';
  const writes = parts.replicas?.begin();
  const outcome = await markScript(redis, [...requestKeys(keys), lease], [id, by, token, LEASE_MS, list]);
  if (outcome === 'unknown') throw new UnknownRequestError(id);
  if (outcome === 'shared') throw new SharedRequestError(id);
  await writes?.confirmed();
  if (outcome === 'cancelling')
    return inTurn(() => finish(parts, id, new Lease(redis, lease, token), options));
  return (await progressOf(parts, id)) ?? { cancelled: 0, decided: 0, queued: 0 };
}

/**
 * Finishes the cancel of a marked request if no process does. Returns at once if one does.
 * @returns undefined if another process does it
 */
export async function finishCancel(
  parts: CancelParts,
  id: string,
  options: CancelOptions = {},
): Promise<CancelProgress | undefined> {
  const lease = await Lease.take(parts.redis, parts.keys.requestCancelLease + id);
  return lease && finish(parts, id, lease, options);
}

async function finish(
  parts: CancelParts,
  id: string,
  lease: Lease,
  options: CancelOptions,
): Promise<CancelProgress> {
  const { onProgress = () => {}, signal = new AbortController().signal } = options;
  const { redis, keys, removal = new Removal(redis, keys) } = parts;
  const onStep = stepsOf(parts, id, lease, options);
  const sweep = new CancelSweep({ redis, keys, removal, request: id, onStep });
  try {
    let emptyWalks = 0;
    for (;;) {
      const since = performance.now();
      const met = await sweep.walk(signal);
      const [counts, active] = [await progressOf(parts, id), await sweep.active()];
      if (!counts) {
        await redis.zrem(keys.requestsCancelling, id);
        throw new UnknownRequestError(id);
      }
      const progress = { ...counts, active };
      onProgress(progress);
      if (progress.queued <= 0) {
        // the last settlement has ended the request; a record that an operator changed has not
        await redis.zrem(keys.requestsCancelling, id);
        return progress;
      }
      if (signal.aborted) return progress;
      emptyWalks = met > 0 || active > 0 ? 0 : emptyWalks + 1;
      if (emptyWalks >= EMPTY_WALKS) {
        await redis.zrem(keys.requestsCancelling, id);
        return progress;
      }
      await lease.renew();
      const least = emptyWalks > 0 ? EMPTY_PAUSE_MS : PAUSE_MS.least;
      const pauseMs = PAUSE_MS.perWalk * (performance.now() - since);
      await sleep(Math.min(Math.max(pauseMs, least), PAUSE_MS.most), signal);
    }
  } finally {
    await lease.leave();
    if (!parts.removal) await removal.close();
  }
}

/** What a walk does between its steps: it keeps the lease, lets the caller list, and tells how far it is. */
function stepsOf(parts: CancelParts, id: string, lease: Lease, options: CancelOptions): () => Promise<void> {
  const { onProgress, onListable } = options;
  let toldAt = performance.now();
  return async () => {
    await lease.renew();
    await onListable?.();
    if (!onProgress || performance.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = performance.now();
    const progress = await progressOf(parts, id);
    if (progress) onProgress(progress);
  };
}

async function progressOf({ redis, keys }: CancelParts, id: string): Promise<CancelProgress | undefined> {
  const record = await new RequestReader(redis, keys).record(id);
  if (!record) return undefined;
  const { cancelled, created, rejected } = record;
  return { cancelled, decided: created + rejected, queued: Math.max(0, queuedOf(record)) };
}
