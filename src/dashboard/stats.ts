/**
 * Reads one snapshot of an account's queue, summed over all replicas, from Redis.
 * Read-only, a handful of commands in two round trips, none of which grows with the backlog. Not for rendering (stats-text.ts).
 */

import { bullmqKeys, JOB_FIELDS } from '../bullmq/layout.js';
import type { Config } from '../shared/runtime/config.js';
import { type Limits, limitsOf, readCapacity } from '../shared/state/capacity.js';
import { dayIn } from '../shared/state/day.js';
import { type Roll, readWorkers, type WorkerReport } from '../shared/state/heartbeat.js';
import type { QueueAccess } from './connection.js';

/** What `stats --json` prints; the shape is a contract (docs: README, "stats"). */
export type Stats = {
  account: string;
  jobs: { waiting: number; active: number; delayed: number; failed: number; completed: number };
  associations: { created: number; rejected: number; retried: number };
  calls: { total: number; rateLimited: number; failed: number };
  batches: { sent: number; meanInputs: number };
  quota: {
    limit: number;
    windowMs: number;
    usedInWindow: number;
    usedToday: number;
    dailyLimit: number;
    /** ISO 8601, or null when nothing is held */
    heldUntil: string | null;
    holdReason: string | null;
  };
  /** age of the waiting job that is next in line, its time in earlier attempts included; null when no job waits */
  oldestWaitingSeconds: number | null;
  isolation: Isolation;
  /** object pairs that are held, the first to be tried again first; `until` as ISO 8601 */
  heldPairs: { objectPair: string; until: string; reason: string }[];
};

/** Invalid inputs that are looked for among those that HubSpot refused without naming any, by all living workers. */
export type Isolation = {
  inputs: number;
  invalid: number;
  /** of the workers' last calls, 0 to 1; 0 while nothing is looked for */
  callShare: number;
};

export type HeldPair = { objectPair: string; until: number; reason: string };

/** The contract's numbers, and what only people are shown. */
export type Snapshot = {
  stats: Stats;
  /** what the workers work under, as they say it; what is configured here where none has said anything */
  limits: Limits;
  hold: { kind: string; reason: string; since: number | null; until: number } | null;
  heldPairs: HeldPair[];
  workers: Roll;
  /** rejections that operators have discarded; they stay counted as rejected */
  discarded: number;
  paused: boolean;
  now: number;
};

export async function readStats(access: QueueAccess, config: Config): Promise<Snapshot> {
  const { account, redis, queue, keys } = access;
  const { jobs, wait, prioritized: withPriority } = bullmqKeys(keys);
  const [time, counts, paused, counters, holdFields, pairs, capacity, waitTail, prioritized, workers] =
    await Promise.all([
      redis.time(),
      queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed', 'completed'),
      queue.isPaused(),
      redis.hgetall(keys.counters),
      redis.hmget(keys.hold, 'kind', 'reason', 'since', 'until'),
      redis.hgetall(keys.heldPairs),
      redis.hgetall(keys.capacity),
      redis.lindex(wait, -1), // BullMQ pushes at the head and takes from the tail
      redis.zrange(withPriority, '0', '0'),
      readWorkers(redis, keys),
    ]);
  // Holds and permits are written in Redis time: so is "now" here, whatever this machine's clock says.
  const now = Math.floor(Number(time[0]) * 1_000 + Number(time[1]) / 1_000);
  // The quota is the workers': whoever looks may be configured otherwise, or not at all (/metrics does the same).
  const { limits } = readCapacity(new Map(Object.entries(capacity)), limitsOf(config));
  const next = [waitTail, ...prioritized].filter(id => typeof id === 'string');
  const [usedInWindow, usedToday, ...enqueuedAt] = await Promise.all([
    redis.zcount(keys.window, now - limits.windowMs, now),
    redis.hget(keys.daily, dayIn(limits.timeZone, now).day),
    ...next.map(id => redis.hget(jobs + id, JOB_FIELDS.enqueuedAt)),
  ]);

  const total = (name: string) => integer(counters[name]);
  const of = (state: string) => counts[state] ?? 0;
  const sent = total('batches');
  const hold = holdOf(holdFields, now);
  const heldPairs = readHeldPairs(pairs, now);
  const ages = enqueuedAt.filter(at => at !== null).map(at => Math.max(0, now - integer(at)));
  return {
    stats: {
      account,
      jobs: {
        waiting: of('waiting') + of('prioritized'),
        active: of('active'),
        delayed: of('delayed'),
        failed: of('failed'),
        // BullMQ keeps the latest ones only
        completed: Math.max(of('completed'), total('jobsCompleted')),
      },
      associations: { created: total('created'), rejected: total('rejected'), retried: total('retried') },
      calls: { total: total('calls'), rateLimited: total('callsRateLimited'), failed: total('callsFailed') },
      batches: { sent, meanInputs: sent === 0 ? 0 : Math.round((total('inputs') / sent) * 100) / 100 },
      quota: {
        limit: limits.limit,
        windowMs: limits.windowMs,
        usedInWindow,
        usedToday: integer(usedToday),
        dailyLimit: limits.dailyLimit,
        heldUntil: hold === null ? null : new Date(hold.until).toISOString(),
        holdReason: hold === null ? null : hold.reason,
      },
      oldestWaitingSeconds: ages.length === 0 ? null : Math.round(Math.max(...ages) / 1_000),
      isolation: isolationOf(workers.alive),
      heldPairs: heldPairs.map(held => ({ ...held, until: new Date(held.until).toISOString() })),
    },
    limits,
    hold,
    heldPairs,
    workers,
    discarded: total('discarded'),
    paused,
    now,
  };
}

export function isolationOf(alive: readonly WorkerReport[]): Isolation {
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

function holdOf([kind, reason, since, until]: readonly (string | null)[], now: number): Snapshot['hold'] {
  const end = integer(until);
  if (end <= now) return null;
  return {
    kind: kind ?? '',
    reason: reason ?? 'no reason given',
    since: since ? integer(since) : null,
    until: end,
  };
}

function readHeldPairs(hash: Record<string, string>, now: number): HeldPair[] {
  return Object.entries(hash)
    .flatMap(([objectPair, json]) => {
      try {
        const { until, reason } = JSON.parse(json) as { until?: unknown; reason?: unknown };
        return [{ objectPair, until: Number(until), reason: String(reason) }];
      } catch {
        return []; // not ours to judge, and no reason to show nothing else
      }
    })
    .filter(({ until }) => until > now)
    .sort((a, b) => a.until - b.until);
}

const integer = (text: string | null | undefined): number => {
  const value = Math.floor(Number(text ?? 0));
  return Number.isFinite(value) ? value : 0;
};
