/**
 * One reading of everything that the page shows: a few dozen small commands, none of which grows with the backlog or with
 * what was rejected.
 */
import { createSampler } from '../shared/backlog.js';
import type { Config } from '../shared/config.js';
import type { QueueAccess } from './connection.js';
import { Minutes, type Series } from './minutes.js';
import { isOutOfMemory } from './redis-memory.js';
import { readRejections, Sweep } from './rejection-index.js';
import { StateReader } from './state-reader.js';
import type { Figures, View } from './view.js';

/** Groups on the page; a person reads no more. */
const MOST_GROUPS = 50;
/** Jobs that a reading compares with the index of rejections. */
const SWEEP_SLICE = 50;

export type Reading = Omit<View, 'setup' | 'trouble'>;

export class Overview {
  readonly minutes: Minutes;
  readonly sweep: Sweep;
  readonly sample: () => Promise<boolean>;
  readonly #state: StateReader;

  constructor(
    private readonly access: QueueAccess,
    config: Config,
  ) {
    this.minutes = new Minutes(access.redis, access.keys);
    this.sweep = new Sweep(access);
    this.sample = createSampler(access.redis, access.keys);
    this.#state = new StateReader(access, config);
  }

  async read(): Promise<Reading> {
    await this.sweep.slice(SWEEP_SLICE).catch(error => {
      if (!isOutOfMemory(error)) throw error; // that Redis is full is to be shown, not to hide everything
    });
    const [{ snapshot, workers, state }, rejections] = await Promise.all([
      this.#state.read(),
      readRejections(this.access, MOST_GROUPS),
    ]);
    const { stats, heldPairs, discarded, limits, now } = snapshot;
    const minutes = await this.minutes.series(Math.floor(now / 60_000), 2, 1);
    const figures: Figures = { state, stats, discarded, heldPairs, limits };
    return { figures, rejections, workers, minutes };
  }

  /** @param range the last hour by the minute, or the last day by ten minutes */
  async history(range: 'hour' | 'day'): Promise<Series> {
    const [seconds] = await this.access.redis.time();
    const minute = Math.floor(Number(seconds) / 60);
    return range === 'hour' ? this.minutes.series(minute, 60, 1) : this.minutes.series(minute, 1_440, 10);
  }
}
