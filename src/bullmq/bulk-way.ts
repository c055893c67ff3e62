/**
 * Bulk way: handles many jobs at once with our scripts.
 *  1. It fetches the first job of a run with BullMQ's own command, which waits for it, promotes due jobs and obeys pauses and
 *     limits. It fetches the other jobs together (take.lua, docs/decisions/0013).
 *  2. It renews their locks together and holds the queue, also on a full Redis (docs/decisions/0022).
 *  3. It removes ids that are not jobs before BullMQ's scripts meet them (weed.lua).
 */
import { messageOf } from '../shared/contract/errors.js';
import { countPairs } from '../shared/contract/job-text.js';
import { readJson } from '../shared/contract/json.js';
import { loadScript } from '../shared/runtime/script.js';
import type { FetchedJob, Run, TakeLimits } from './fetched-job.js';
import { NO_LIMIT } from './fetcher.js';
import { delayedScore, HIGH_PRIORITY, HIGH_PRIORITY_BELOW } from './layout.js';
import { isRefusedByFullRedis } from './queue-backend.js';
import type { Way, WayParts } from './way.js';

/** Most jobs of a run; more would block Redis for many milliseconds. */
const JOBS_PER_RUN = 500;
/** The same for renewing locks. */
const LOCKS_PER_RUN = 1_000;
/** Ids to check in each list; a run takes no more. */
const IDS_PER_WEEDING = JOBS_PER_RUN;
/** BullMQ promotes 1,000 due jobs at once; other replicas may promote as many between our weeding and our fetching. */
const DELAYED_PER_WEEDING = 5_000;
const WEED_DELAYED_EVERY_MS = 1_000;
/** Checks jobs that become due within this time, because BullMQ promotes them while it waits for a job. */
const WEED_DELAYED_AHEAD_MS = 15_000;
/** Number of fields of a job in the reply of take.lua, without its options. */
const FIELDS = 4;

export class BulkWay implements Way {
  readonly #take = loadScript(new URL('./take.lua', import.meta.url));
  readonly #renewLocks = loadScript(new URL('./renew-locks.lua', import.meta.url));
  readonly #weed = loadScript(new URL('./weed.lua', import.meta.url));
  readonly #holdQueue = loadScript(new URL('./hold-queue.lua', import.meta.url));
  /** performance.now() */
  #weedDelayedFrom = 0;

  constructor(private readonly parts: WayParts) {}

  /** A full Redis refuses BullMQ's own command; take.lua works, but does not wait for a job. */
  async next(block: boolean): Promise<FetchedJob | undefined> {
    try {
      await this.#weedDelayed();
      const { fetcher, newToken } = this.parts;
      return await this.#weeding(() => fetcher.fetch(newToken(), block));
    } catch (error) {
      if (!isRefusedByFullRedis(error)) throw error;
      return (await this.take({ jobs: 1, bytes: 1 }, false)).jobs[0];
    }
  }

  async take(limits: TakeLimits, highOnly: boolean): Promise<Run> {
    const { redis, keys, lockMs, isTraced, newToken } = this.parts;
    const { wait, active, prioritized, priorityCounter, meta, limiter, events, marker } = keys;
    const token = newToken();
    const args = [
      ...[keys.jobs, token, lockMs, Date.now(), Math.min(limits.jobs, JOBS_PER_RUN), limits.bytes],
      ...[highOnly ? HIGH_PRIORITY_BELOW : '', NO_LIMIT, isTraced ? 1 : 0],
    ];
    const run = await this.#weeding(() =>
      this.#take(redis, [wait, active, prioritized, priorityCounter, meta, limiter, events, marker], args),
    );
    const [more, ...flat] = (run ?? [1]) as [number, ...(string | number)[]];
    const jobs: FetchedJob[] = [];
    for (let at = 0; at < flat.length; at += isTraced ? FIELDS + 1 : FIELDS) {
      const text = String(flat[at + 1]);
      jobs.push({
        id: String(flat[at]),
        token,
        text,
        associations: countPairs(text),
        high: flat[at + 2] === HIGH_PRIORITY,
        standsAlone: flat[at + 3] !== 0,
        isFirstAttempt: flat[at + 3] === 2,
        trace: isTraced
          ? (readJson(String(flat[at + FIELDS])) as { tm?: string } | undefined)?.tm
          : undefined,
      });
    }
    return { jobs, more: more === 1 };
  }

  async renewLocks(jobs: readonly FetchedJob[]): Promise<string[]> {
    const { redis, keys, lockMs } = this.parts;
    const lost: string[] = [];
    for (let at = 0; at < jobs.length; at += LOCKS_PER_RUN) {
      const locks = jobs.slice(at, at + LOCKS_PER_RUN).flatMap(({ id, token }) => [id, token]);
      const args = [keys.jobs, lockMs, ...locks];
      lost.push(...((await this.#renewLocks(redis, [keys.stalled], args)) as string[]));
    }
    return lost;
  }

  async hold(ms: number): Promise<void> {
    await this.#holdQueue(this.parts.redis, [this.parts.keys.limiter], [NO_LIMIT, ms]);
  }

  /** @returns undefined if nothing was fetched because of an id that is not a job; the id has been removed */
  async #weeding<T>(fetch: () => Promise<T>): Promise<T | undefined> {
    try {
      return await fetch();
    } catch (error) {
      if (!messageOf(error).includes('WRONGTYPE') || !(await this.#weedOut(IDS_PER_WEEDING)).removed)
        throw error;
      return undefined;
    }
  }

  /** Checks delayed ids before BullMQ promotes them: an id that is not a job makes BullMQ lose others (weed.lua). */
  async #weedDelayed(): Promise<void> {
    const now = performance.now();
    if (now < this.#weedDelayedFrom) return;
    const { looked } = await this.#weedOut(0);
    // if more ids are due than were checked, the next fetch checks again
    if (looked < DELAYED_PER_WEEDING) this.#weedDelayedFrom = now + WEED_DELAYED_EVERY_MS;
  }

  /**
   * @param listed ids to check in each list, in addition to delayed ones
   * @returns how many delayed ids were checked, and whether an id was removed
   */
  async #weedOut(listed: number): Promise<{ looked: number; removed: boolean }> {
    const { redis, keys, logger } = this.parts;
    const { wait, active, prioritized, stalled, delayed } = keys;
    const highest = delayedScore(Date.now() + WEED_DELAYED_AHEAD_MS);
    const [looked, ...weeds] = (await this.#weed(
      redis,
      [wait, active, prioritized, stalled, delayed],
      [keys.jobs, listed, DELAYED_PER_WEEDING, highest],
    )) as [number, ...string[]];
    if (weeds.length === 0) return { looked, removed: false };
    logger.error(
      { event: 'no job', ids: weeds.filter((_, at) => at % 2 === 0) },
      `the queue had ids whose keys are not hashes and therefore not jobs; the worker removed the ids from the queue and did not change the keys, under ${keys.jobs}<id>`,
    );
    return { looked, removed: true };
  }
}
