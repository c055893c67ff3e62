/**
 * One reading of everything that the page shows: a few dozen small commands, none of which grows with the backlog or with
 * what was rejected.
 */
import { BACKLOG_LIBRARY, backlogArgs, backlogKeys, createSampler, READ_BACKLOG } from '../shared/backlog.js';
import type { Config } from '../shared/config.js';
import { readWorkers } from '../shared/heartbeat.js';
import { loadScript } from '../shared/script.js';
import type { QueueAccess } from './connection.js';
import { Minutes, type Series } from './minutes.js';
import { Rate } from './rate.js';
import { readRejections, Sweep } from './rejection-index.js';
import { readStats, type Snapshot } from './stats.js';
import type { Figures, View } from './view.js';

/** Groups on the page; a person reads no more. */
const MOST_GROUPS = 50;
/** Sizes of queued jobs change slowly; counts are read every time. */
const SIZES_FRESH_MS = 5_000;
/** Jobs that a reading compares with the index of rejections. */
const SWEEP_SLICE = 50;

export type Reading = Omit<View, 'setup' | 'trouble'>;

export class Overview {
  readonly minutes: Minutes;
  readonly sweep: Sweep;
  readonly sample: () => Promise<boolean>;
  readonly #backlogScript = loadScript(READ_BACKLOG, BACKLOG_LIBRARY);
  readonly #rate = new Rate();
  #sizes = { readAt: Number.NEGATIVE_INFINITY, perJob: 0 };

  constructor(
    private readonly access: QueueAccess,
    private readonly config: Config,
  ) {
    this.minutes = new Minutes(access.redis, access.keys);
    this.sweep = new Sweep(access);
    this.sample = createSampler(access.redis, access.keys);
  }

  async read(): Promise<Reading> {
    const { redis, keys } = this.access;
    await this.sweep.slice(SWEEP_SLICE);
    const [snapshot, hold, counters, next, workers, rejections] = await Promise.all([
      readStats(this.access, this.config),
      redis.hmget(keys.hold, 'kind', 'reason', 'since', 'until'),
      redis.hmget(keys.counters, 'discarded', 'created', 'rejected'),
      redis.zrange(`${keys.jobs}delayed`, '0', '0', 'WITHSCORES'),
      readWorkers(redis, keys),
      readRejections(this.access, MOST_GROUPS),
    ]);
    const minute = Math.floor(snapshot.now / 60_000);
    const [minutes, backlog] = await Promise.all([
      this.minutes.series(minute, 2, 1),
      this.#backlog(snapshot),
    ]);
    const { stats, heldPairs, now } = snapshot;
    const decided = stats.associations.created + stats.associations.rejected;
    const [kind, reason, since, until] = hold;
    const { usedInWindow, limit } = stats.quota;
    const figures: Figures = {
      state: {
        now,
        paused: snapshot.paused,
        hold:
          Number(until) > now
            ? {
                kind: kind ?? '',
                reason: reason ?? 'no reason given',
                since: since ? Number(since) : null,
                until: Number(until),
              }
            : null,
        perSecond: this.#rate.perSecond(now, decided, minutes),
        backlog,
        jobs: stats.jobs,
        nextTryAt: next[1] === undefined ? null : Math.floor(Number(next[1]) / 4_096),
        oldestWaitingSeconds: stats.oldestWaitingSeconds,
        heldPairs: heldPairs.length,
        workers: workers.alive.length,
        quotaBound: usedInWindow >= 0.9 * limit,
        slotsBound:
          workers.alive.length > 0 && workers.alive.every(each => each.inFlight >= each.maxInFlight),
      },
      stats,
      discarded: Number(counters[0] ?? 0),
      heldPairs,
    };
    return { figures, rejections, workers, minutes };
  }

  /** @param range the last hour by the minute, or the last day by ten minutes */
  async history(range: 'hour' | 'day'): Promise<Series> {
    const [seconds] = await this.access.redis.time();
    const minute = Math.floor(Number(seconds) / 60);
    return range === 'hour' ? this.minutes.series(minute, 60, 1) : this.minutes.series(minute, 1_440, 10);
  }

  /** Jobs that are still to be worked on × what a few of them hold. */
  async #backlog({ stats }: Snapshot): Promise<number> {
    const { waiting, active, delayed } = stats.jobs;
    const jobs = waiting + active + delayed;
    if (jobs === 0) return 0;
    const now = performance.now();
    if (now - this.#sizes.readAt > SIZES_FRESH_MS || this.#sizes.perJob === 0) {
      const { redis, keys } = this.access;
      const estimate = Number(await this.#backlogScript(redis, backlogKeys(keys), backlogArgs(keys)));
      this.#sizes = { readAt: now, perJob: estimate / jobs };
      return estimate;
    }
    return Math.round(this.#sizes.perJob * jobs);
  }
}
