/**
 * Takes back what is still queued of a request (docs/decisions/0038).
 *  1. The mark: workers give back what they have in hand of the request, and its producer stops.
 *  2. Walks over the queue (cancel-sweep.ts), until nothing of it is queued. While workers still have jobs of it, or a walk
 *     missed some that were moved, another walk follows.
 * The process may die at any moment: workers finish marked requests (`finishCancel`), and so does a second call. A lease says
 * that somebody walks already; walks of several processes at once are safe and only waste work.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { Removal } from '../../bullmq/removal.js';
import { SharedRequestError, UnknownRequestError } from '../contract/errors.js';
import type { Keys } from '../contract/keys.js';
import { loadScript } from '../runtime/script.js';
import { sleep } from '../runtime/wait.js';
import { type CancelListing, CancelSweep } from './cancel-sweep.js';
import { queuedOf, RequestReader, requestKeys } from './requests.js';

export type CancelParts = {
  readonly redis: Redis;
  readonly keys: Keys;
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
};
export type CancelOptions = {
  readonly onProgress?: (progress: CancelProgress) => void;
  readonly listing?: CancelListing;
  /** ends the call early; workers take the rest back */
  readonly signal?: AbortSignal;
};

/** A process that has not renewed its lease for this long is dead, and another one walks. */
export const LEASE_MS = 5_000;
const RENEW_MS = 1_000;
/** Pause between two walks: longer after a walk over a long queue, and shorter than the lease. */
const PAUSE_MS = { least: 200, most: 2_000, perWalk: 2 };
/** If so many walks in a row, a second apart, find nothing anywhere, the jobs are gone. */
const EMPTY_WALKS = 5;
const EMPTY_PAUSE_MS = 1_000;

const markScript = loadScript(new URL('./cancel-request.lua', import.meta.url));

/**
 * Resolves when nothing of the request is queued, which takes seconds, or as long as HubSpot's answers to calls in flight.
 * `queued` of the result is 0 unless `signal` ended the call, or another client has removed jobs of the request.
 * @param by who cancels: `user@host`
 * @throws UnknownRequestError, SharedRequestError: nothing has changed · Error if Redis cannot be used: if the request was
 *   marked, workers take it back
 */
export async function cancelRequest(
  parts: CancelParts,
  id: string,
  by: string,
  options: CancelOptions = {},
): Promise<CancelProgress> {
  const { redis, keys } = parts;
  const token = randomUUID();
  const lease = keys.requestCancelLease + id;
  const outcome = await markScript(redis, [...requestKeys(keys), lease], [id, by, token, LEASE_MS]);
  if (outcome === 'unknown') throw new UnknownRequestError(id);
  if (outcome === 'shared') throw new SharedRequestError(id);
  if (outcome === 'cancelling') return finish(parts, id, token, options);
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
  const token = randomUUID();
  const lease = parts.keys.requestCancelLease + id;
  if ((await parts.redis.set(lease, token, 'PX', LEASE_MS, 'NX')) === null) return undefined;
  return finish(parts, id, token, options);
}

async function finish(
  parts: CancelParts,
  id: string,
  token: string,
  { onProgress = () => {}, listing, signal = new AbortController().signal }: CancelOptions,
): Promise<CancelProgress> {
  const { redis, keys, removal = new Removal(redis, keys) } = parts;
  const lease = new Lease(redis, keys.requestCancelLease + id, token);
  const sweep = new CancelSweep({ redis, keys, removal, request: id, listing, onStep: () => lease.renew() });
  try {
    let emptyWalks = 0;
    for (;;) {
      const since = performance.now();
      const met = await sweep.walk(signal);
      const progress = await progressOf(parts, id);
      if (!progress) {
        await redis.zrem(keys.requestsCancelling, id);
        throw new UnknownRequestError(id);
      }
      onProgress(progress);
      if (progress.queued <= 0) {
        // the last settlement has ended the request; a record that an operator changed has not
        await redis.zrem(keys.requestsCancelling, id);
        return progress;
      }
      if (signal.aborted) return progress;
      emptyWalks = met > 0 || (await sweep.hasActive()) ? 0 : emptyWalks + 1;
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

async function progressOf({ redis, keys }: CancelParts, id: string): Promise<CancelProgress | undefined> {
  const record = await new RequestReader(redis, keys).record(id);
  if (!record) return undefined;
  const { cancelled, created, rejected } = record;
  return { cancelled, decided: created + rejected, queued: Math.max(0, queuedOf(record)) };
}

/** Says that a process walks, and which one renewed it last. Losing it harms nothing: another process walks as well. */
class Lease {
  #renewedAt = performance.now();

  constructor(
    private readonly redis: Redis,
    private readonly key: string,
    private readonly token: string,
  ) {}

  async renew(): Promise<void> {
    if (performance.now() - this.#renewedAt < RENEW_MS) return;
    this.#renewedAt = performance.now();
    await this.redis.set(this.key, this.token, 'PX', LEASE_MS);
  }

  /** Leaves the lease of another process that walks, too. */
  async leave(): Promise<void> {
    try {
      if ((await this.redis.get(this.key)) === this.token) await this.redis.del(this.key);
    } catch {
      // an error here would hide the reason why the walk ended
    }
  }
}
