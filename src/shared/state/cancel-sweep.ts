/**
 * Walks over the places where jobs wait (lists and sorted sets of BullMQ) and takes the jobs of a cancelled request out of them.
 *  1. It reads ids in windows, so that no command grows with the queue, and knows the jobs of a request by their ids.
 *  2. It reads these jobs and says what remains of each: nothing, or a dead letter with its rejections.
 *  3. cancel-jobs.lua takes those out that have not changed since. The others are met again in the next walk.
 * Any number of walks may run at once. It neither waits nor decides whether another walk is needed (cancel-request.ts).
 */
import type { Redis } from 'ioredis';
import { bullmqKeys, finishKeys, JOB_FIELDS, PLACES, type Place } from '../../bullmq/layout.js';
import type { Removal } from '../../bullmq/removal.js';
import type { JobData } from '../contract/association.js';
import { JobReader, type ReadJob } from '../contract/job-text.js';
import type { Keys } from '../contract/keys.js';
import { rejectionReason } from '../contract/rejection-reason.js';
import { loadScript } from '../runtime/script.js';
import { requestKeys } from './requests.js';

export type SweepParts = {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly removal: Removal;
  /** id of the request */
  readonly request: string;
  /** called after each step of a walk, which takes milliseconds */
  readonly onStep: () => Promise<void>;
  /** for tests */
  readonly sizes?: typeof SIZES;
  /** for tests: called with the ids of jobs that were read and are not taken out yet */
  readonly onRead?: (ids: readonly string[]) => Promise<void>;
};

/** ids: of a window · jobs: read and taken out in one step; more would block Redis for milliseconds */
const SIZES = { ids: 2_000, jobs: 100 };

/**
 * Where jobs wait. Producers and workers move jobs from left to right. A walk in this order meets most jobs that move meanwhile.
 */
const WAITING: ReadonlySet<Place> = new Set(['delayed', 'prioritized', 'wait', 'paused']);

type Waiting = { readonly place: Place; readonly kind: 'list' | 'zset'; readonly key: string };
/** A job of the request that was met: its id, and its index in a list. */
type Met = { readonly id: string; readonly index: number };
/** A job as it was read. */
type Found = Met & { readonly starts: string; readonly text: string; readonly read: ReadJob };

export class CancelSweep {
  readonly #script = loadScript(new URL('./cancel-jobs.lua', import.meta.url));
  readonly #reader = new JobReader();
  readonly #keys: ReturnType<typeof bullmqKeys>;
  readonly #isOfRequest: (jobId: string) => boolean;

  constructor(private readonly parts: SweepParts) {
    this.#keys = bullmqKeys(parts.keys);
    const { length } = parts.request;
    this.#isOfRequest = jobId => jobId.startsWith(parts.request) && /^-\d+$/.test(jobId.slice(length));
  }

  /** One walk over all places. @returns how many jobs of the request it met */
  async walk(signal: AbortSignal): Promise<number> {
    let met = 0;
    for (const [place, kind] of PLACES)
      if (WAITING.has(place)) met += await this.#walkPlace({ place, kind, key: this.#keys[place] }, signal);
    return met;
  }

  /** @returns how many jobs of the request workers have */
  async active(): Promise<number> {
    const ids = await this.parts.redis.lrange(this.#keys.active, 0, -1);
    return ids.filter(this.#isOfRequest).length;
  }

  /**
   * Windows of a list begin at its head, where producers add jobs: what they add moves other jobs into later windows, and what
   * workers take leaves at the tail, so that no job moves past the walk. In a sorted set one may; the next walk meets it.
   * Jobs are gathered over windows, because a removal from a long list costs Redis milliseconds, however many leave it; a job
   * that is met again meanwhile counts once.
   */
  async #walkPlace(waiting: Waiting, signal: AbortSignal): Promise<number> {
    const { onStep, sizes: { ids: most, jobs } = SIZES } = this.parts;
    let [met, gathered]: [number, Met[]] = [0, []];
    for (let [first, isLast] = [0, false]; !isLast && !signal.aborted; ) {
      const ids = await this.#window(waiting, first, first + most - 1);
      isLast = ids.length < most;
      const again = new Set(ids);
      gathered = gathered.filter(({ id }) => !again.has(id));
      for (const [at, id] of ids.entries())
        if (this.#isOfRequest(id)) gathered.push({ id, index: first + at });
      first += most;
      while (gathered.length >= jobs || (isLast && gathered.length > 0)) {
        const some = gathered.slice(0, jobs);
        met += some.length;
        const gone = await this.#cancel(waiting, some);
        first -= gone;
        gathered = gathered.slice(jobs).map(({ id, index }) => ({ id, index: index - gone }));
        await onStep();
      }
      await onStep();
    }
    return met;
  }

  #window({ kind, key }: Waiting, first: number, last: number): Promise<string[]> {
    const { redis } = this.parts;
    return kind === 'list' ? redis.lrange(key, first, last) : redis.zrange(key, first, String(last));
  }

  /** @returns how many are out of the place */
  async #cancel(waiting: Waiting, met: readonly Met[]): Promise<number> {
    const found = await this.#read(met);
    return found.length > 0 ? this.#take(waiting, found) : 0;
  }

  /** Leaves jobs out that are gone, and those whose data is another client's. */
  async #read(met: readonly Met[]): Promise<Found[]> {
    const { redis, request } = this.parts;
    const asked = redis.pipeline();
    for (const { id } of met) asked.hmget(this.#keys.jobs + id, JOB_FIELDS.data, JOB_FIELDS.starts);
    const replies = (await asked.exec()) ?? [];
    return met.flatMap(({ id, index }, at): Found[] => {
      const [error, reply] = replies[at] ?? [null, null];
      if (error && !error.message.startsWith('WRONGTYPE')) throw error;
      const [text, starts] = (error ? [] : (reply as (string | null)[] | null)) ?? [];
      if (typeof text !== 'string') return [];
      const read = this.#reader.read(text);
      if ('faults' in read || read.head.requestId !== request) return [];
      return [{ id, index, starts: starts ?? '0', text, read }];
    });
  }

  async #take(waiting: Waiting, found: readonly Found[]): Promise<number> {
    const { removal, onRead } = this.parts;
    await onRead?.(found.map(({ id }) => id));
    const states = await this.#run(waiting, found);
    if (removal.isKnown) return states.filter(state => state === OUT).length;
    // a job with rejections waits for a worker, which makes a dead letter of it
    const empty = found.filter(({ read }, at) => states[at] === EMPTY && !read.history.rejected);
    return removal.remove(empty.map(({ id }) => id));
  }

  async #run({ place, kind, key }: Waiting, found: readonly Found[]): Promise<number[]> {
    const { redis, keys, removal, request } = this.parts;
    const args: (string | number)[] = [request, removal.isKnown ? kind : '', place];
    for (const { id, index, starts, text, read } of found) {
      const { empty, letter, reason } = remains(read);
      args.push(id, index, starts, Buffer.byteLength(text), read.pairs.length, empty, letter, reason);
    }
    const scriptKeys = [keys.counters, keys.minutes, ...requestKeys(keys), key, ...finishKeys(keys)];
    return (await this.#script(redis, scriptKeys, args)) as number[];
  }
}

/** States in the reply of cancel-jobs.lua; 0 = the job has changed since it was read. */
const [OUT, EMPTY] = [1, 2];

/** @returns what remains of a job when its associations are cancelled; `letter` is '' if none of it was rejected */
function remains({ head, pairs, history }: ReadJob): { empty: string; letter: string; reason: string } {
  const { errors, rejected, created, cancelled = 0 } = history;
  const data: JobData = {
    ...head,
    pairs: [],
    ...(errors && { errors }),
    ...(rejected && { rejected }),
    ...(created !== undefined && { created }),
  };
  const empty = JSON.stringify({ ...data, cancelled: cancelled + pairs.length });
  if (!rejected || rejected.length === 0) return { empty, letter: '', reason: '' };
  return { empty, letter: JSON.stringify(data), reason: rejectionReason(rejected, created ?? 0) };
}
