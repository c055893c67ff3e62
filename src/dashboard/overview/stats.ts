/**
 * The queue's state in the shape of `stats --json`. It adds no figure; shared/state/queue-state.ts defines each one.
 * Not for rendering (stats-text.ts).
 */

import type { Config } from '../../shared/runtime/config.js';
import type { Engine, Persistence, RedisFault, ServerFacts } from '../../shared/runtime/redis-facts.js';
import { limitsOf } from '../../shared/state/capacity.js';
import { type QueueState, queueStateReader } from '../../shared/state/queue-state.js';
import { isStandby, type Roll, type WorkerReport } from '../../shared/state/worker-reports.js';
import type { QueueAccess } from '../connection.js';

/** What `stats --json` prints, beside {@link RedisSaid}; the shape is a contract (docs: README, "stats"). */
export type Stats = {
  account: string;
  jobs: { waiting: number; active: number; delayed: number; failed: number; completed: number };
  associations: { created: number; rejected: number; cancelled: number; retried: number };
  calls: { total: number; rateLimited: number; failed: number };
  batches: { sent: number; meanInputs: number };
  quota: {
    limit: number;
    windowMs: number;
    usedInWindow: number;
    usedToday: number;
    dailyLimit: number;
    /** ISO 8601, or null if the account is not held */
    heldUntil: string | null;
    holdReason: string | null;
  };
  oldestWaitingSeconds: number | null;
  /** null: not paused; its fields are null if another BullMQ client paused it; `at` as ISO 8601 */
  paused: { by: string | null; reason: string | null; at: string | null } | null;
  /**
   * standby: those of the living that fetch no jobs, because others do · vanished: silent since the last hour without a
   * regular end; `lastVanishedAt` as ISO 8601
   */
  workers: { alive: number; standby: number; vanished: number; lastVanishedAt: string | null };
  isolation: IsolationFigures;
  /** held object pairs, the earliest next try first; `until` as ISO 8601 */
  heldPairs: { objectPair: string; until: string; reason: string }[];
};

/** The field `redis` of `stats --json`: what Redis says of itself, null where it does not. */
export type RedisSaid = {
  engine: Engine;
  version: string | null;
  maxmemoryPolicy: string | null;
  persistence: Persistence;
  /** what endangers the queue */
  faults: readonly RedisFault[];
};

/** The search of all living workers for invalid inputs that HubSpot did not name. */
export type IsolationFigures = {
  inputs: number;
  invalid: number;
  /** share of the workers' latest calls, 0 to 1; 0 without a search */
  callShare: number;
};

/** Reads the snapshot once. */
export async function readStats(
  { account, redis, keys }: Pick<QueueAccess, 'account' | 'redis' | 'keys'>,
  config: Config,
): Promise<{ queueState: QueueState; stats: Stats }> {
  const queueState = await queueStateReader(keys, limitsOf(config))(redis);
  return { queueState, stats: statsOf(account, queueState) };
}

/** Pure. */
export function statsOf(account: string, state: QueueState): Stats {
  const { totals, quota, hold, heldPairs, jobs, oldestWaitingSeconds, paused, workers } = state;
  const { created, rejected, cancelled, retried, calls, callsRateLimited, callsFailed, batches, inputs } =
    totals;
  const { limit, windowMs, usedInWindow, usedToday, dailyLimit } = quota;
  return {
    account,
    jobs,
    associations: { created, rejected, cancelled, retried },
    calls: { total: calls, rateLimited: callsRateLimited, failed: callsFailed },
    batches: { sent: batches, meanInputs: batches === 0 ? 0 : Math.round((inputs / batches) * 100) / 100 },
    quota: {
      ...{ limit, windowMs, usedInWindow, usedToday, dailyLimit },
      heldUntil: hold === null ? null : isoTime(hold.until),
      holdReason: hold === null ? null : hold.reason,
    },
    oldestWaitingSeconds,
    paused: paused && { ...paused, at: paused.at === null ? null : isoTime(paused.at) },
    workers: workersOf(workers),
    isolation: isolationOf(workers.alive),
    heldPairs: heldPairs.map(held => ({ ...held, until: isoTime(held.until) })),
  };
}

/** Pure. @param server undefined: an ACL or the provider forbids the question */
export function redisOf(server: ServerFacts | undefined): RedisSaid | null {
  if (!server) return null;
  const { engine, version, policy, persistence, faults } = server;
  return { engine, version, maxmemoryPolicy: policy, persistence, faults };
}

function workersOf({ alive, vanished }: Roll): Stats['workers'] {
  const last = vanished.at(-1); // the earliest is first
  return {
    ...{ alive: alive.length, standby: alive.filter(isStandby).length, vanished: vanished.length },
    lastVanishedAt: last === undefined ? null : isoTime(last.lastSeen),
  };
}

export function isolationOf(alive: readonly WorkerReport[]): IsolationFigures {
  const sum = { inputs: 0, invalid: 0, calls: 0, suspectCalls: 0 };
  for (const { search } of alive) {
    sum.inputs += search?.inputs ?? 0;
    sum.invalid += search?.invalid ?? 0;
    sum.calls += search?.calls ?? 0;
    sum.suspectCalls += search?.suspectCalls ?? 0;
  }
  const { inputs, invalid, calls, suspectCalls } = sum;
  const callShare = inputs === 0 || calls === 0 ? 0 : Math.round((suspectCalls / calls) * 100) / 100;
  return { inputs, invalid, callShare };
}

const isoTime = (ms: number): string => new Date(ms).toISOString();
