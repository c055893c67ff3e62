/** What a worker says of itself every few seconds, and when it counts as gone: written by workers, read by operators' tools. */
import type { Redis } from 'ioredis';
import { readJson } from '../contract/json.js';
import type { Keys } from '../contract/keys.js';
import { loadScript } from '../runtime/script.js';
import type { AccountLimits } from './smallest-limits.js';

export const HEARTBEAT_MS = 2_000;
/** A worker that has said nothing for so long is taken for dead. */
export const SILENT_MS = 10_000;
/** Dead workers are remembered for so long: who went without a word is worth knowing. */
const REMEMBERED_MS = 3_600_000;

export type WorkerState = 'starting' | 'idle' | 'gathering' | 'sending' | 'held' | 'draining';

/** Inputs that HubSpot refused without saying which are at fault: what a replica finds out of them, and what that costs. */
export type SearchReport = {
  /** inputs under suspicion: of the batches that are searched, and those that wait to be tried again apart */
  readonly inputs: number;
  /** found invalid among them so far */
  readonly invalid: number;
  /** the replica's last calls, and how many of them were for suspects */
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
  /** batches on their way to HubSpot, and how many may be at once */
  inFlight: number;
  maxInFlight: number;
  /** fetched and not settled */
  jobs: number;
  associations: number;
  /** the account's limits that it is configured with; absent: a version that does not say */
  limits?: AccountLimits;
  /** absent: a version that does not say */
  search?: SearchReport;
};

/** Replicas that a replica hears, those heard from last: more are not expected of one account. */
const MOST_HEARD = 500;

const script = loadScript(new URL('./report-alive.lua', import.meta.url));

export async function reportAlive(redis: Redis, keys: Keys, report: WorkerReport): Promise<void> {
  const { id } = report;
  await script(
    redis,
    [keys.worker + id, keys.workers],
    [id, JSON.stringify(report), SILENT_MS, REMEMBERED_MS],
  );
}

/** What the living replicas say of themselves, as their fellows hear it: bounded, in two round trips. */
export async function hearReplicas(redis: Redis, keys: Keys): Promise<WorkerReport[]> {
  const ids = await redis.zrevrange(keys.workers, 0, MOST_HEARD - 1);
  const reports = ids.length === 0 ? [] : await redis.mget(ids.map(id => keys.worker + id));
  return reports.flatMap(json => readReport(json) ?? []);
}

/** Undefined: there is none, or another client has written something else. */
function readReport(json: string | null): WorkerReport | undefined {
  const report = readJson(json ?? '') as WorkerReport | null | undefined;
  return typeof report?.id === 'string' && Number.isFinite(report.startedAt) ? report : undefined;
}

/** It ends as it should: nobody has to look for it. */
export async function reportGone(redis: Redis, keys: Keys, id: string): Promise<void> {
  await redis
    .multi()
    .del(keys.worker + id)
    .zrem(keys.workers, id)
    .exec();
}

export type Roll = {
  alive: WorkerReport[];
  /** fell silent within the last hour without a goodbye */
  vanished: { id: string; lastSeen: number }[];
};

export async function readWorkers(redis: Redis, keys: Keys): Promise<Roll> {
  const flat = await redis.zrange(keys.workers, '0', '-1', 'WITHSCORES');
  const ids = flat.filter((_, at) => at % 2 === 0);
  const reports = ids.length === 0 ? [] : await redis.mget(ids.map(id => keys.worker + id));
  const roll: Roll = { alive: [], vanished: [] };
  ids.forEach((id, at) => {
    const report = readReport(reports[at] ?? null);
    if (report) roll.alive.push(report);
    else roll.vanished.push({ id, lastSeen: Number(flat[2 * at + 1]) });
  });
  roll.alive.sort((a, b) => a.startedAt - b.startedAt);
  return roll;
}
