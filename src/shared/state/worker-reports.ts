/** The report that a worker writes every few seconds, and when a worker counts as dead. Operators' tools read it. */
import type { Redis } from 'ioredis';
import { readJson } from '../contract/json.js';
import type { Keys } from '../contract/keys.js';
import { loadScript } from '../runtime/script.js';
import type { AccountLimits } from './smallest-limits.js';
import { type Standing, type StandingReply, standingOf, type Turn } from './standing.js';

export const HEARTBEAT_MS = 2_000;
/** A worker that has not reported for this long counts as dead. */
export const SILENT_MS = 10_000;
/** Dead workers are remembered this long, so that the operator sees a worker that vanished. */
const REMEMBERED_MS = 3_600_000;

/** A worker that has not reported for this long has no place: three heartbeats. */
export const ABSENT_MS = 6_000;

export type WorkerState = 'starting' | 'standby' | 'idle' | 'gathering' | 'sending' | 'held' | 'draining';

/** A replica's search for the invalid inputs of calls that HubSpot refused without naming them, and its cost. */
export type SearchReport = {
  /** suspects: inputs of the batches that are searched, and inputs that wait to be sent in smaller batches */
  readonly inputs: number;
  /** found invalid among them so far */
  readonly invalid: number;
  /** the replica's latest calls, and how many of them were for suspects */
  readonly calls: number;
  readonly suspectCalls: number;
};

export type WorkerReport = {
  id: string;
  version: string;
  host: string;
  pid: number;
  /** epoch ms */
  startedAt: number;
  rssBytes: number;
  state: WorkerState;
  /** batches in flight, and the most that may be in flight at once */
  inFlight: number;
  maxInFlight: number;
  /** jobs that are fetched and not settled */
  jobs: number;
  associations: number;
  /** the account's limits in the replica's configuration; absent: an older version */
  limits?: AccountLimits;
  /** HUBSPOT_API_VERSION; absent: an older version */
  apiVersion?: string;
  /** absent: an older version */
  search?: SearchReport;
};

/** The replica fetches no jobs, because others do, and has none any more. */
export const isStandby = ({ state }: Pick<WorkerReport, 'state'>): boolean => state === 'standby';

/** Most replicas that are read, the latest first. No account is expected to have more. */
export const MOST_REPLICAS = 500;

const script = loadScript(new URL('./report-alive.lua', import.meta.url));

/**
 * Reports that the replica is alive.
 * @param turn what becomes of its turn to have a place
 * @param places how many replicas may fetch; it counts if this replica is the first
 */
export async function reportAlive(
  redis: Redis,
  keys: Keys,
  report: WorkerReport,
  { turn = 'keep', places }: { turn?: Turn; places?: number | undefined } = {},
): Promise<Standing> {
  const { id } = report;
  const reply = await script(
    redis,
    [keys.worker + id, keys.workers, keys.row, keys.capacity],
    [id, JSON.stringify(report), SILENT_MS, REMEMBERED_MS, ABSENT_MS, turn, places ?? ''],
  );
  return standingOf(reply as StandingReply);
}

/** @returns the reports of the living replicas, at most {@link MOST_REPLICAS}, in two round trips */
export async function hearReplicas(redis: Redis, keys: Keys): Promise<WorkerReport[]> {
  const ids = await redis.zrevrange(keys.workers, 0, MOST_REPLICAS - 1);
  const reports = ids.length === 0 ? [] : await redis.mget(ids.map(id => keys.worker + id));
  return reports.flatMap(json => readReport(json) ?? []);
}

/** @returns undefined if there is no report, or if another client wrote something else */
function readReport(json: string | null): WorkerReport | undefined {
  const report = readJson(json ?? '') as WorkerReport | null | undefined;
  return typeof report?.id === 'string' && Number.isFinite(report.startedAt) ? report : undefined;
}

/** Notes a regular end, so that the replica does not count as vanished. */
export async function reportGone(redis: Redis, keys: Keys, id: string): Promise<void> {
  await redis
    .multi()
    .del(keys.worker + id)
    .zrem(keys.workers, id)
    .zrem(keys.row, id)
    .exec();
}

export type Roll = {
  /** the one that has run longest first */
  readonly alive: readonly WorkerReport[];
  /** stopped reporting within the last hour without a regular end; `lastSeen` in epoch ms */
  readonly vanished: readonly { readonly id: string; readonly lastSeen: number }[];
};

/**
 * Pure.
 * @param replicas id and when it reported last (epoch ms), one after the other
 * @param reports of the same replicas; null: it has stopped reporting
 */
export function rollOf(replicas: readonly string[], reports: readonly (string | null)[]): Roll {
  const alive: WorkerReport[] = [];
  const vanished: Roll['vanished'][number][] = [];
  reports.forEach((json, at) => {
    const report = readReport(json);
    if (report) alive.push(report);
    else vanished.push({ id: replicas[2 * at] ?? '', lastSeen: Number(replicas[2 * at + 1]) });
  });
  alive.sort((a, b) => a.startedAt - b.startedAt);
  vanished.sort((a, b) => a.lastSeen - b.lastSeen);
  return { alive, vanished };
}
