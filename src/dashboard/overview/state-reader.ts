/**
 * Reads the figures of the state sentence (state-sentence.ts) for the page and the terminal: the queue's state, whether
 * Redis accepts writes, what kind of Redis it is, and the index of rejections. Remembers earlier readings for the rate.
 */

import type { Config } from '../../shared/runtime/config.js';
import { isRefusal } from '../../shared/runtime/redis.js';
import { RedisAsker } from '../../shared/runtime/redis-asker.js';
import { faultText, type ServerFacts } from '../../shared/runtime/redis-facts.js';
import { writeRefusalForReaders } from '../../shared/runtime/write-probe.js';
import type { QueueState } from '../../shared/state/queue-state.js';
import { isStandby } from '../../shared/state/worker-reports.js';
import type { QueueAccess } from '../connection.js';
import { countRejections } from '../failures/read-groups.js';
import { Sweep } from '../failures/rejection-index.js';
import type { RedisHealth, StateFigures } from '../text/state-sentence.js';
import { Rate } from './rate.js';
import { readStats, type Stats } from './stats.js';

export type StateReading = {
  queueState: QueueState;
  stats: Stats;
  state: StateFigures;
  /** undefined: Redis does not tell */
  server: ServerFacts | undefined;
};

export class StateReader {
  readonly #rate = new Rate();
  readonly #asker: RedisAsker;

  constructor(
    private readonly access: QueueAccess,
    private readonly config: Config,
    readonly sweep = new Sweep(access),
  ) {
    this.#asker = new RedisAsker(access.redis);
  }

  async read(): Promise<StateReading> {
    const { redis, keys } = this.access;
    const [refusal, server] = await Promise.all([writeRefusalForReaders(redis, keys), this.#asker.facts()]);
    // updates the index of rejections; if Redis refuses writes, the last index is shown
    if (!refusal) await this.sweep.catchUp().catch(unlessRefused);
    const [{ queueState, stats }, rejected] = await Promise.all([
      readStats(this.access, this.config),
      countRejections(this.access),
    ]);
    const { created, rejected: everRejected } = queueState.totals;
    const perSecond = this.#rate.perSecond(queueState.now, created + everRejected);
    const state = figuresOf(queueState, { stats, redis: healthOf(refusal, server), perSecond, rejected });
    return { queueState, stats, state, server };
  }
}

/** Pure. @param refusal Redis' reason to refuse writes; '' = it accepts them */
export function healthOf(refusal: string, server: ServerFacts | undefined): RedisHealth {
  const { usedBytes, maxBytes, policy, evicts, evictedKeys = 0, faults } = server ?? {};
  const eviction = evicts ? faults?.find(({ about }) => about === 'eviction') : undefined;
  const evicting = eviction ? { words: faultText(eviction), keys: evictedKeys } : null;
  // a Redis that may evict any key is never full
  if (!usedBytes || !maxBytes || policy?.startsWith('allkeys'))
    return { refusal, memory: null, evicts: evicting };
  return {
    refusal: refusal || (usedBytes >= maxBytes ? 'OOM' : ''),
    memory: { usedBytes, maxBytes },
    evicts: evicting,
  };
}

/** Pure. @param rejected associations in the index of rejections */
export function figuresOf(
  queueState: QueueState,
  { stats, ...also }: { stats: Stats; redis: RedisHealth; perSecond: number | null; rejected: number },
): StateFigures {
  const { now, jobs, hold, heldPairs, paused, quota, capacity, nextTryAt, oldestWaitingSeconds } = queueState;
  const { backlogAssociations: backlog } = queueState;
  const { alive } = queueState.workers;
  const working = alive.filter(each => !isStandby(each));
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
    slotsBound: working.length > 0 && working.every(each => each.inFlight >= each.maxInFlight),
  };
}

/** Ignores refused writes: an ACL may forbid them, and Redis may begin to refuse them at any time. */
function unlessRefused(error: unknown): void {
  if (!isRefusal(error)) throw error;
}
