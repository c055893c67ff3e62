/**
 * The state of an account's queue at one moment, read from Redis: the same for every process that asks.
 * One round trip that does not grow with the backlog. useful-replicas.ts and the metrics interpret it.
 */
import type { Redis } from 'ioredis';
import { bullmqKeys } from '../../bullmq/layout.js';
import { readJson } from '../contract/json.js';
import type { Keys } from '../contract/keys.js';
import { loadScript } from '../runtime/script.js';
import { backlogArgs, backlogKeys } from './backlog.js';
import { type Capacity, type Limits, readCapacity } from './capacity.js';
import { dayIn } from './day.js';
import { SILENT_MS } from './heartbeat.js';

/** Causes of a hold of the account: the `kind` of hold.lua and reserve.lua. */
export const HOLD_KINDS = ['rate-limit', 'daily', 'migration', 'auth', 'account', 'unavailable'] as const;
export type HoldKind = (typeof HOLD_KINDS)[number];

export type QueueState = {
  readonly jobs: Readonly<Record<'waiting' | 'active' | 'delayed' | 'failed' | 'completed', number>>;
  /** estimate of the associations that wait, are in work or are delayed */
  readonly backlogAssociations: number;
  /** 0 if no job waits */
  readonly oldestWaitingSeconds: number;
  /** totals since the queue was created, all replicas together */
  readonly totals: Readonly<
    Record<
      | 'created'
      | 'rejected'
      | 'retried'
      | 'discarded'
      | 'calls'
      | 'callsRateLimited'
      | 'callsFailed'
      | 'batches'
      | 'inputs',
      number
    >
  >;
  readonly quota: {
    readonly limit: number;
    readonly windowMs: number;
    readonly usedInWindow: number;
    /** 0 = none */
    readonly dailyLimit: number;
    readonly usedToday: number;
    /** Infinity without a daily limit */
    readonly leftToday: number;
    readonly msUntilReset: number;
  };
  /** undefined: not held. A hold with growing pauses stays until a probe succeeds; forMs is 0 while a probe is due */
  readonly hold: { readonly kind: HoldKind; readonly forMs: number } | undefined;
  readonly heldObjectPairs: number;
  readonly paused: boolean;
  /** workers that reported recently */
  readonly workers: number;
  readonly capacity: Capacity;
};

export type QueueStateReader = (redis: Redis) => Promise<QueueState>;

/** @param own this process's settings; values that a worker wrote take precedence */
export function queueStateReader(keys: Keys, own: Limits): QueueStateReader {
  const script = loadScript(new URL('./queue-state.lua', import.meta.url));
  const { meta, failed, completed } = bullmqKeys(keys);
  const scriptKeys = [
    ...[keys.counters, keys.hold, keys.daily, keys.heldPairs, keys.capacity, keys.window, keys.workers],
    ...[meta, ...backlogKeys(keys), failed, completed],
  ];
  return async redis => {
    const args = [...backlogArgs(keys), own.windowMs, SILENT_MS];
    return understand((await script(redis, scriptKeys, args)) as Reply, own);
  };
}

type Flat = readonly string[];
type Reply = readonly [
  now: number,
  counters: Flat,
  hold: Flat,
  daily: Flat,
  heldPairs: Flat,
  capacity: Flat,
  usedInWindow: number,
  paused: number,
  counts: readonly number[],
  backlogAssociations: number,
  oldest: number,
  workers: number,
];

function understand(reply: Reply, own: Limits): QueueState {
  const [now, counters, hold, daily, heldPairs, capacityFields, usedInWindow, paused, counts, ...rest] =
    reply;
  const [backlogAssociations, oldest, workers] = rest;
  const capacity = readCapacity(hashOf(capacityFields), own);
  const { limit, windowMs, dailyLimit, timeZone } = capacity.limits;
  const { day, msUntilMidnight } = dayIn(timeZone, now);
  const usedToday = number(hashOf(daily).get(day));
  const [wait = 0, stopped = 0, active = 0, delayed = 0, prioritized = 0, failed = 0, completed = 0] = counts;
  const totals = hashOf(counters);
  const total = (name: string) => number(totals.get(name));
  return {
    jobs: { waiting: wait + stopped + prioritized, active, delayed, failed, completed },
    backlogAssociations,
    oldestWaitingSeconds: oldest === 0 ? 0 : Math.max(0, now - oldest) / 1_000,
    totals: {
      created: total('created'),
      rejected: total('rejected'),
      retried: total('retried'),
      discarded: total('discarded'),
      calls: total('calls'),
      callsRateLimited: total('callsRateLimited'),
      callsFailed: total('callsFailed'),
      batches: total('batches'),
      inputs: total('inputs'),
    },
    quota: {
      limit,
      windowMs,
      usedInWindow,
      dailyLimit,
      usedToday,
      leftToday: dailyLimit === 0 ? Number.POSITIVE_INFINITY : Math.max(0, dailyLimit - usedToday),
      msUntilReset: msUntilMidnight,
    },
    hold: holdOf(hashOf(hold), now, backlogAssociations),
    heldObjectPairs: [...hashOf(heldPairs).values()].filter(json => isHeld(json, now)).length,
    paused: paused === 1,
    workers,
    capacity,
  };
}

/** Between two probes the account is still held, as long as the queue has an association to probe with. */
function holdOf(hold: ReadonlyMap<string, string>, now: number, backlog: number): QueueState['hold'] {
  const forMs = Math.max(0, number(hold.get('until')) - now);
  const probing = number(hold.get('strikes')) > 0 && backlog > 0;
  if (forMs === 0 && !probing) return undefined;
  const kind = HOLD_KINDS.find(known => known === hold.get('kind'));
  return { kind: kind ?? 'unavailable', forMs };
}

function isHeld(json: string, now: number): boolean {
  const record = readJson(json) as { until?: unknown } | null | undefined; // another client may have written it
  return number(String(record?.until)) > now;
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
