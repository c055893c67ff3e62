/**
 * Reads the figures of the state sentence (state-sentence.ts) for the page and the terminal: the queue's state, Redis'
 * health, and the index of rejections. Remembers earlier readings for the rate.
 */

import type { Config } from '../../shared/runtime/config.js';
import { isRefusal } from '../../shared/runtime/redis.js';
import type { QueueState } from '../../shared/state/queue-state.js';
import type { QueueAccess } from '../connection.js';
import { countRejections } from '../failures/read-groups.js';
import { Sweep } from '../failures/rejection-index.js';
import type { RedisHealth, StateFigures } from '../text/state-sentence.js';
import { Rate } from './rate.js';
import { readRedisHealth } from './redis-health.js';
import { readStats, type Stats } from './stats.js';

export type StateReading = { queueState: QueueState; stats: Stats; state: StateFigures };

export class StateReader {
  readonly #rate = new Rate();

  constructor(
    private readonly access: QueueAccess,
    private readonly config: Config,
    readonly sweep = new Sweep(access),
  ) {}

  async read(): Promise<StateReading> {
    const { redis, keys } = this.access;
    const health = await readRedisHealth(redis, keys);
    // updates the index of rejections; if Redis refuses writes, the last index is shown
    if (!health.refusal) await this.sweep.catchUp().catch(unlessRefused);
    const [{ queueState, stats }, rejected] = await Promise.all([
      readStats(this.access, this.config),
      countRejections(this.access),
    ]);
    const { created, rejected: everRejected } = queueState.totals;
    const perSecond = this.#rate.perSecond(queueState.now, created + everRejected);
    return { queueState, stats, state: figuresOf(queueState, { stats, redis: health, perSecond, rejected }) };
  }
}

/** Pure. @param rejected associations in the index of rejections */
export function figuresOf(
  queueState: QueueState,
  { stats, ...also }: { stats: Stats; redis: RedisHealth; perSecond: number | null; rejected: number },
): StateFigures {
  const { now, jobs, hold, heldPairs, paused, quota, capacity, nextTryAt, oldestWaitingSeconds } = queueState;
  const { backlogAssociations: backlog } = queueState;
  const { alive } = queueState.workers;
  return {
    ...{ now, jobs, hold, paused, backlog, nextTryAt, oldestWaitingSeconds },
    redis: also.redis,
    perSecond: also.perSecond,
    inHand: alive.reduce((sum, { associations }) => sum + associations, 0),
    // without a failed job and without work there are no rejections, whatever another client removed
    rejected: jobs.failed === 0 && backlog === 0 ? 0 : also.rejected,
    heldPairs: heldPairs[0] ? { count: heldPairs.length, first: heldPairs[0] } : null,
    isolation: stats.isolation,
    workers: alive.length,
    callsNeeded: Math.ceil(backlog / capacity.limits.batchMaxInputs),
    callsLeftToday: quota.dailyLimit === 0 ? null : quota.leftToday,
    quotaBound: quota.usedInWindow >= 0.9 * quota.limit,
    slotsBound: alive.length > 0 && alive.every(each => each.inFlight >= each.maxInFlight),
  };
}

/** Ignores refused writes: an ACL may forbid them, and Redis may begin to refuse them at any time. */
function unlessRefused(error: unknown): void {
  if (!isRefusal(error)) throw error;
}
