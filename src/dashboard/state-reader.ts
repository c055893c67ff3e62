/** Reads what the sentence needs (state-sentence.ts), for the page and for the terminal alike. */

import { bullmqKeys, dueAt } from '../bullmq/layout.js';
import type { Config } from '../shared/runtime/config.js';
import { isRefusal } from '../shared/runtime/redis.js';
import { loadScript } from '../shared/runtime/script.js';
import { backlogArgs, backlogKeys, READ_BACKLOG } from '../shared/state/backlog.js';
import type { QueueAccess } from './connection.js';
import { countRejections, Sweep } from './failures/rejection-index.js';
import { Rate } from './rate.js';
import { readRedisHealth } from './redis-health.js';
import { readStats, type Snapshot } from './stats.js';
import type { StateFigures } from './text/state-sentence.js';

/** Sizes of queued jobs change slowly; counts are read every time. */
const SIZES_FRESH_MS = 5_000;

export type StateReading = { snapshot: Snapshot; state: StateFigures };

/** Remembers the readings before, for the rate. */
export class StateReader {
  readonly #backlogScript = loadScript(READ_BACKLOG);
  readonly #rate = new Rate();
  #sizes = { readAt: Number.NEGATIVE_INFINITY, perJob: 0 };

  constructor(
    private readonly access: QueueAccess,
    private readonly config: Config,
    readonly sweep = new Sweep(access),
  ) {}

  async read(): Promise<StateReading> {
    const { redis, keys } = this.access;
    const health = await readRedisHealth(redis, keys);
    // rejections are told as they are; where nothing can be written, as they were
    if (!health.refusal) await this.sweep.catchUp().catch(unlessRefused);
    const [snapshot, next, indexed] = await Promise.all([
      readStats(this.access, this.config),
      redis.zrange(bullmqKeys(keys).delayed, '0', '0', 'WITHSCORES'),
      countRejections(this.access),
    ]);
    const backlog = await this.#backlog(snapshot);
    const { stats, limits, heldPairs, now } = snapshot;
    const { alive } = snapshot.workers;
    const { usedInWindow, limit, usedToday, dailyLimit } = stats.quota;
    const decided = stats.associations.created + stats.associations.rejected;
    const state: StateFigures = {
      now,
      redis: health,
      paused: snapshot.paused,
      hold: snapshot.hold,
      perSecond: this.#rate.perSecond(now, decided),
      backlog,
      inHand: alive.reduce((sum, { associations }) => sum + associations, 0),
      jobs: stats.jobs,
      // without a failed job and without work there are none, whatever another client has removed
      rejected: stats.jobs.failed === 0 && backlog === 0 ? 0 : indexed,
      nextTryAt: next[1] === undefined ? null : dueAt(next[1]),
      oldestWaitingSeconds: stats.oldestWaitingSeconds,
      heldPairs: heldPairs[0] ? { count: heldPairs.length, first: heldPairs[0] } : null,
      isolation: stats.isolation,
      workers: alive.length,
      callsNeeded: Math.ceil(backlog / limits.batchMaxInputs),
      callsLeftToday: dailyLimit === 0 ? null : Math.max(0, dailyLimit - usedToday),
      quotaBound: usedInWindow >= 0.9 * limit,
      slotsBound: alive.length > 0 && alive.every(each => each.inFlight >= each.maxInFlight),
    };
    return { snapshot, state };
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

/** An ACL may forbid to write, and Redis may begin to refuse in between. */
function unlessRefused(error: unknown): void {
  if (!isRefusal(error)) throw error;
}
