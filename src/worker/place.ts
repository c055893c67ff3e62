/**
 * Place: decides whether this replica fetches jobs or stands by (docs/decisions/0058).
 *  1. Redis ranks the replicas with each heartbeat; the first ones have a place and fetch.
 *  2. The first replica counts how many places there are.
 *  3. The reserve, the first one without a place, looks twice a second: it takes a place that has become free, and fetches
 *     for a while if the next job waits although a replica should have fetched it.
 *  4. A replica that cannot fetch, or whose calls fail like no input's fault, goes to the end of the row.
 * An error never stops the work: a replica that does not learn its rank fetches.
 */
import type { Redis } from 'ioredis';
import { NO_LIMIT } from '../bullmq/fetcher.js';
import { bullmqKeys, HIGH_PRIORITY_BELOW } from '../bullmq/layout.js';
import { messageOf } from '../shared/contract/errors.js';
import type { Keys } from '../shared/contract/keys.js';
import type { Service } from '../shared/runtime/lifecycle.js';
import type { Logger } from '../shared/runtime/logger.js';
import { loadScript } from '../shared/runtime/script.js';
import { type Notifier, sleep } from '../shared/runtime/wait.js';
import { PlaceCount, placesFor } from '../shared/state/places.js';
import type { QueueStateReader } from '../shared/state/queue-state.js';
import {
  hasPlace,
  isReserve,
  type Standing,
  type StandingReply,
  standingOf,
  type Turn,
} from '../shared/state/standing.js';
import { ABSENT_MS, SILENT_MS } from '../shared/state/worker-reports.js';
import type { PipelineState } from './report/pipeline-state.js';

const LOOK_EVERY_MS = 500;

export type PlaceParts = {
  readonly redis: Redis;
  readonly keys: Keys;
  /** id of this replica */
  readonly replica: string;
  readonly read: QueueStateReader;
  readonly state: () => Pick<PipelineState, 'isRunning' | 'isStopping' | 'isStretched'>;
  /** why no job can be fetched; undefined: jobs can be fetched */
  readonly fetchTrouble: () => string | undefined;
  /** how often the account was held because this replica's calls failed */
  readonly faults: () => number;
  /** receives what follows for the pipeline, after each heartbeat and whenever it changes */
  readonly apply: (now: { fetches: boolean; working: number }) => void;
  /** notified when a heartbeat should not wait */
  readonly beat: Notifier;
  readonly logger: Logger;
};

export class Place implements Service {
  readonly #script = loadScript(new URL('./place.lua', import.meta.url));
  readonly #stop = new AbortController();
  readonly #count = new PlaceCount();
  readonly #overdue = new Overdue();
  #standing: Standing | undefined;
  #faults = 0;
  /** since when the script of the heartbeat has failed (performance.now()); undefined: it has not */
  #failedSince: number | undefined;
  #fetches = true;

  constructor(private readonly parts: PlaceParts) {}

  async start(): Promise<void> {
    void this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
  }

  /** For /readyz. */
  get notes(): readonly string[] {
    const { isRunning } = this.parts.state();
    return this.#fetches || !isRunning
      ? []
      : ['stands by: other replicas fetch the jobs, and this one steps in when one of them ends'];
  }

  /** @returns what the next heartbeat says */
  turn(): Turn {
    const { state, fetchTrouble, faults } = this.parts;
    const { isRunning, isStopping } = state();
    if (isStopping) return 'leave';
    const hasFailed = faults() > this.#faults;
    this.#faults = faults();
    const isLate = !isRunning && this.#standing !== undefined;
    return hasFailed || isLate || fetchTrouble() !== undefined ? 'last' : 'keep';
  }

  get isFirst(): boolean {
    return this.#standing?.rank === 1;
  }

  /** @returns the number of places, if this replica is the one that counts them */
  async places(): Promise<number | undefined> {
    const { redis, read, state } = this.parts;
    if (!this.isFirst || state().isStopping) {
      this.#count.clear();
      return undefined;
    }
    return this.#count.count(placesFor(await read(redis), state().isStretched), performance.now());
  }

  /** Redis has answered a heartbeat. */
  learn(standing: Standing): void {
    this.#failedSince = undefined;
    this.#standing = standing;
    this.#apply();
  }

  /** A heartbeat was not written. @param isFault the script failed on a Redis that accepts writes: fetching may work */
  missed(isFault: boolean): void {
    if (isFault) this.#failedSince ??= performance.now();
    this.#apply();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await sleep(LOOK_EVERY_MS, signal);
      if (signal.aborted || !this.#standing || !isReserve(this.#standing)) this.#overdue.forget();
      else await this.#look();
    }
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { redis, keys, replica, beat, logger } = this.parts;
    if (redis.status !== 'ready') return;
    const { wait, prioritized, meta, limiter } = bullmqKeys(keys);
    try {
      const reply = await this.#script(
        redis,
        [keys.row, keys.workers, keys.capacity, wait, prioritized, meta, limiter],
        [replica, ABSENT_MS, HIGH_PRIORITY_BELOW, NO_LIMIT],
      );
      const [rank, places, working, next] = reply as [...StandingReply, string];
      if (!isReserve(standingOf([rank, places, working]))) beat.notify();
      // with a backlog the memory of those who fetch may be full
      else this.#overdue.saw(places === 1 ? next : '', performance.now());
      this.#apply();
    } catch (error) {
      logger.debug({ event: 'place', error: messageOf(error) }, 'the reserve could not look');
    }
  }

  #apply(): void {
    const fetches = this.#mayFetch();
    const isNews = fetches !== this.#fetches;
    this.#fetches = fetches;
    this.parts.apply({ fetches, working: this.#standing?.working ?? 1 });
    if (!isNews || this.parts.state().isStopping) return;
    const about = { event: 'place', ...this.#standing };
    if (fetches) this.parts.logger.info(about, 'this replica fetches jobs');
    else
      this.parts.logger.info(
        about,
        'this replica stands by: others fetch the jobs, and it steps in for them',
      );
  }

  #mayFetch(): boolean {
    const now = performance.now();
    if (!this.#standing || hasPlace(this.#standing)) return true;
    if (this.#failedSince !== undefined && now - this.#failedSince >= SILENT_MS) return true;
    return isReserve(this.#standing) && this.#overdue.isStepIn(now);
  }
}

/** The next job should have been fetched within milliseconds; after this time the reserve fetches. */
const OVERDUE_MS = 2_000;
/** So long the reserve fetches then. The place of a dead replica is free earlier. */
const STEP_IN_MS = 30_000;

/** Decides whether the reserve fetches because nobody else does. Pure. Times are monotonic ms. */
export class Overdue {
  #next = '';
  #since = 0;
  #until = Number.NEGATIVE_INFINITY;

  /** @param next id of the job that is next in the queue; '' = none */
  saw(next: string, now: number): void {
    if (next === '' || next !== this.#next) {
      this.#next = next;
      this.#since = now;
    } else if (now - this.#since >= OVERDUE_MS) this.#until = now + STEP_IN_MS;
  }

  isStepIn(now: number): boolean {
    return now < this.#until;
  }

  forget(): void {
    this.#next = '';
    this.#until = Number.NEGATIVE_INFINITY;
  }
}
