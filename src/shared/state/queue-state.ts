/**
 * The state of an account's queue at one moment, read from Redis: the one snapshot from which stats, page, terminal,
 * metrics and gateway take their figures. One round trip that does not grow with the backlog. This file reads and changes
 * nothing; the modules that show a figure interpret it.
 */
import type { Redis } from 'ioredis';
import { bullmqKeys, dueAt } from '../../bullmq/layout.js';
import { readJson } from '../contract/json.js';
import type { Keys } from '../contract/keys.js';
import { loadScript } from '../runtime/script.js';
import { type Capacity, type Limits, readCapacity } from './capacity.js';
import { dayIn } from './day.js';
import { MOST_REPLICAS, type Roll, rollOf } from './worker-reports.js';

/** Causes of a hold of the account: the `kind` of hold.lua and reserve.lua. */
export const HOLD_KINDS = ['rate-limit', 'daily', 'migration', 'auth', 'account', 'unavailable'] as const;
export type HoldKind = (typeof HOLD_KINDS)[number];

export type AccountHold = {
  readonly kind: HoldKind;
  /** a sentence for people */
  readonly reason: string;
  /** epoch ms; null: unknown */
  readonly since: number | null;
  /** epoch ms of the next try; the moment of the reading while a probe is due */
  readonly until: number;
};

/** An operator has paused the queue: workers take no new jobs. All are null if another BullMQ client paused it. */
export type Pause = {
  /** `user@host`, or `dashboard` */
  readonly by: string | null;
  readonly reason: string | null;
  /** epoch ms */
  readonly at: number | null;
};

export type HeldPair = {
  /** object pair with its types: `contacts/companies HUBSPOT_DEFINED:279` */
  readonly objectPair: string;
  /** epoch ms of the next try */
  readonly until: number;
  readonly reason: string;
};

const TOTALS = [
  ...(['created', 'rejected', 'cancelled', 'retried', 'discarded'] as const),
  ...(['calls', 'callsRateLimited', 'callsFailed', 'batches', 'inputs'] as const),
] as const;

/** Each figure is defined here and nowhere else. Times are on Redis' clock, whatever this machine's clock says. */
export type QueueState = {
  /** epoch ms of the reading */
  readonly now: number;
  /**
   * Jobs. `waiting` includes prioritized jobs and those of a paused queue; `completed` counts all since the queue was
   * created, though BullMQ keeps only the latest.
   */
  readonly jobs: Readonly<Record<'waiting' | 'active' | 'delayed' | 'failed' | 'completed', number>>;
  /** estimate of the associations of waiting, active and delayed jobs: all jobs × the mean size of a few of them */
  readonly backlogAssociations: number;
  /**
   * Whole seconds since the oldest of the next jobs was enqueued, earlier attempts included. The next jobs are the first
   * of the waiting list, of the paused list and of each of the first 16 priorities. null: no job waits
   */
  readonly oldestWaitingSeconds: number | null;
  /** epoch ms when the next delayed job is due; null: none is delayed */
  readonly nextTryAt: number | null;
  /** since the queue was created, all replicas together: associations, calls, batches and their inputs */
  readonly totals: Readonly<Record<(typeof TOTALS)[number], number>>;
  readonly quota: {
    /** calls per rolling window */
    readonly limit: number;
    readonly windowMs: number;
    /** calls in the window that ends now; reservations to come do not count */
    readonly usedInWindow: number;
    /** calls; 0 = none */
    readonly dailyLimit: number;
    /** calls of the account's day so far */
    readonly usedToday: number;
    /** Infinity without a daily limit */
    readonly leftToday: number;
    /** until midnight of the account */
    readonly msUntilReset: number;
  };
  /**
   * null: the account is not held. It is held while its hold lasts; a hold with growing pauses stays until a probe
   * succeeds, as long as a job is queued to probe with (held.lua).
   */
  readonly hold: AccountHold | null;
  /** object pairs (with types) whose hold lasts, the earliest next try first */
  readonly heldPairs: readonly HeldPair[];
  /** null: the queue is not paused */
  readonly paused: Pause | null;
  /** replicas that reported within the last 10 s, and those that stopped reporting within the last hour */
  readonly workers: Roll;
  readonly capacity: Capacity;
};

export type QueueStateReader = (redis: Redis) => Promise<QueueState>;

/** Jobs that are read in each state. A reading costs Redis well under a millisecond. */
const SAMPLES = 16;
/** Keys of unfinished jobs, in the order that backlog.lua expects. */
export function queuedKeys(keys: Keys): string[] {
  const { wait, paused, active, delayed, prioritized } = bullmqKeys(keys);
  return [wait, paused, active, delayed, prioritized];
}
export const queuedArgs = (keys: Keys): [prefix: string, samples: number] => [bullmqKeys(keys).jobs, SAMPLES];

/** @param own this process's settings; values that a worker wrote take precedence */
export function queueStateReader(keys: Keys, own: Limits): QueueStateReader {
  const script = loadScript(new URL('./queue-state.lua', import.meta.url));
  const { meta, failed, completed } = bullmqKeys(keys);
  const scriptKeys = [
    ...[keys.counters, keys.hold, keys.daily, keys.heldPairs, keys.capacity, keys.window, keys.workers],
    ...[meta, failed, completed, ...queuedKeys(keys), keys.paused],
  ];
  const args = [...queuedArgs(keys), own.windowMs, keys.worker, MOST_REPLICAS];
  return async redis => understand((await script(redis, scriptKeys, args)) as Reply, own);
}

type Flat = readonly string[];
type Reply = readonly [
  now: number,
  counters: Flat,
  daily: Flat,
  heldPairs: Flat,
  capacity: Flat,
  usedInWindow: number,
  paused: number,
  pause: readonly (string | null)[],
  jobs: readonly number[],
  backlogAssociations: number,
  oldestWaitingSeconds: number,
  nextDelayed: string,
  hold: readonly [until: number, kind: string, reason: string, since: number] | readonly [],
  replicas: Flat,
  reports: readonly (string | null)[],
];

function understand(reply: Reply, own: Limits): QueueState {
  const [now, counters, daily, heldPairs, capacityFields, usedInWindow, paused, pause, jobs, ...rest] = reply;
  const [backlogAssociations, oldest, nextDelayed, hold, replicas, reports] = rest;
  const capacity = readCapacity(hashOf(capacityFields), own);
  const totals = hashOf(counters);
  return {
    now,
    jobs: jobsOf(jobs, number(totals.get('jobsCompleted'))),
    backlogAssociations,
    oldestWaitingSeconds: oldest < 0 ? null : oldest,
    nextTryAt: nextDelayed === '' ? null : dueAt(nextDelayed),
    totals: Object.fromEntries(TOTALS.map(name => [name, number(totals.get(name))])) as QueueState['totals'],
    quota: quotaOf(capacity.limits, usedInWindow, hashOf(daily), now),
    hold: holdOf(hold),
    heldPairs: heldPairsOf(hashOf(heldPairs), now),
    paused: paused === 1 ? pauseOf(pause) : null,
    workers: rollOf(replicas, reports),
    capacity,
  };
}

function jobsOf(counts: readonly number[], completedSoFar: number): QueueState['jobs'] {
  const [failed = 0, completed = 0, wait = 0, stopped = 0, active = 0, delayed = 0, prioritized = 0] = counts;
  return {
    waiting: wait + stopped + prioritized,
    active,
    delayed,
    failed,
    completed: Math.max(completed, completedSoFar),
  };
}

function quotaOf(
  { limit, windowMs, dailyLimit, timeZone }: Limits,
  usedInWindow: number,
  daily: ReadonlyMap<string, string>,
  now: number,
): QueueState['quota'] {
  const { day, msUntilMidnight } = dayIn(timeZone, now);
  const usedToday = number(daily.get(day));
  const leftToday = dailyLimit === 0 ? Number.POSITIVE_INFINITY : Math.max(0, dailyLimit - usedToday);
  return { limit, windowMs, usedInWindow, dailyLimit, usedToday, leftToday, msUntilReset: msUntilMidnight };
}

function pauseOf([by, reason, at]: Reply[7]): Pause {
  return { by: by ?? null, reason: reason || null, at: number(at ?? undefined) || null };
}

function holdOf([until, kind, reason, since]: Reply[12]): AccountHold | null {
  if (until === undefined) return null;
  return {
    kind: HOLD_KINDS.find(known => known === kind) ?? 'unavailable',
    reason: reason || 'no reason given',
    since: since || null,
    until,
  };
}

function heldPairsOf(hash: ReadonlyMap<string, string>, now: number): HeldPair[] {
  return [...hash]
    .map(([objectPair, json]) => {
      const record = readJson(json) as { until?: unknown; reason?: unknown } | null | undefined; // another client may have written it
      return { objectPair, until: number(String(record?.until)), reason: String(record?.reason) };
    })
    .filter(({ until }) => until > now)
    .sort((a, b) => a.until - b.until);
}

function hashOf(flat: Flat): Map<string, string> {
  const hash = new Map<string, string>();
  for (let at = 0; at + 1 < flat.length; at += 2) hash.set(flat[at] ?? '', flat[at + 1] ?? '');
  return hash;
}

const number = (text: string | undefined): number => {
  const value = Number(text ?? 0);
  return Number.isFinite(value) ? value : 0;
};
