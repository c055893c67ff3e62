/**
 * One reading of everything that the page shows: a few dozen small commands, none of which grows with the backlog or with
 * the rejections.
 */

import type { Config } from '../../shared/runtime/config.js';
import { createSampler } from '../../shared/state/sampler.js';
import type { QueueAccess } from '../connection.js';
import { readRejections } from '../failures/read-groups.js';
import type { Sweep } from '../failures/rejection-index.js';
import { redisNotices } from '../text/redis-notices.js';
import type { View } from '../view.js';
import { Minutes, type Series } from './minutes.js';
import { RecentObjectPairs } from './object-pairs.js';
import { RecentRequests } from './requests.js';
import { StateReader } from './state-reader.js';
import { versionNotices } from './version-notices.js';

/** Groups of each reading. The page fetches the others when there are more (readRejections). */
const MOST_GROUPS = 50;

/** Everything that the page shows. */
export type PageReading = Omit<View, 'setup' | 'trouble'>;
/** What the page and the terminal show. */
export type Reading = Omit<PageReading, 'requests' | 'objectPairs'>;

export class Overview {
  readonly minutes: Minutes;
  readonly sweep: Sweep;
  readonly sample: () => Promise<boolean>;
  readonly #state: StateReader;
  readonly #objectPairs: RecentObjectPairs;
  readonly requests: RecentRequests;

  constructor(
    private readonly access: QueueAccess,
    config: Config,
  ) {
    this.minutes = new Minutes(access.redis, access.keys);
    this.sample = createSampler(access.redis, access.keys);
    this.#objectPairs = new RecentObjectPairs(access.redis, access.keys);
    this.requests = new RecentRequests(access.redis, access.keys);
    this.#state = new StateReader(access, config);
    this.sweep = this.#state.sweep;
  }

  async read(): Promise<Reading> {
    const { queueState, stats, state, server } = await this.#state.read();
    const { heldPairs, workers, totals, quota, capacity, now } = queueState;
    const [rejections, minutes] = await Promise.all([
      readRejections(this.access, MOST_GROUPS),
      this.minutes.series(Math.floor(now / 60_000), 2, 1),
    ]);
    const { discarded } = totals;
    const { msUntilReset } = quota;
    const notices = versionNotices(workers.alive, now);
    const { limits } = capacity;
    const figures = { state, stats, discarded, heldPairs, limits, msUntilReset, notices };
    return { figures: { ...figures, redisNotices: redisNotices(server) }, rejections, workers, minutes };
  }

  /** The same, and what only the page shows. */
  async readPage(): Promise<PageReading> {
    const reading = await this.read();
    const { now } = reading.figures.state;
    const [requests, objectPairs] = await Promise.all([this.requests.read(now), this.#objectPairs.read(now)]);
    return { ...reading, requests, objectPairs };
  }

  /** @param range the last hour by the minute, or the last day by ten minutes */
  async history(range: 'hour' | 'day'): Promise<Series> {
    const [seconds] = await this.access.redis.time();
    const minute = Math.floor(Number(seconds) / 60);
    return range === 'hour' ? this.minutes.series(minute, 60, 1) : this.minutes.series(minute, 1_440, 10);
  }
}
