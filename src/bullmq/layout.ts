/**
 * BullMQ's layout in Redis: its keys, the fields of its hashes, its scores. It is the only source of these names for
 * TypeScript; layout.lua has them for Lua. Pure. README.md says what depends on them, and how to follow a new release.
 */
import type { Keys, Priority } from '../shared/contract/keys.js';

export type BullmqKeys = Readonly<ReturnType<typeof bullmqKeys>>;

/** BullMQ's keys of a queue. No job id collides with our keys, because BullMQ refuses ids with a colon. */
export function bullmqKeys({ queue }: Pick<Keys, 'queue'>) {
  return {
    /** prefix of the hashes of jobs: `jobs + id`; with the suffix `:lock` a string: the token of the worker that has the job */
    jobs: `${queue}:`,
    /** list of waiting jobs; the next job is at the tail */
    wait: `${queue}:wait`,
    /** list of waiting jobs of a paused queue, in releases before BullMQ 6 */
    paused: `${queue}:paused`,
    /** sorted set of waiting jobs with a priority, served after `wait`: job → priority × 2^32 + a running number */
    prioritized: `${queue}:prioritized`,
    /** counter of prioritized jobs, by which equal priorities keep their order */
    priorityCounter: `${queue}:pc`,
    /** list of active jobs; the latest job is at the head */
    active: `${queue}:active`,
    /** sorted set of delayed jobs: job → when it is due, epoch ms × 4096 */
    delayed: `${queue}:delayed`,
    /** sorted set: completed job → when, epoch ms */
    completed: `${queue}:completed`,
    /** sorted set, the dead letters: failed job → when, epoch ms */
    failed: `${queue}:failed`,
    /** set of active jobs whose locks have not been renewed since the last check for stalled jobs */
    stalled: `${queue}:stalled`,
    /** hash of the queue: paused, limits */
    meta: `${queue}:meta`,
    /** rate limiter, a string: workers fetch no jobs while it is at its limit */
    limiter: `${queue}:limiter`,
    /** stream of events */
    events: `${queue}:events`,
    /** sorted set that idle workers wait on */
    marker: `${queue}:marker`,
    /** hash: number of completed jobs; with the suffix `:data` a list: the number in each minute, the latest first */
    metricsCompleted: `${queue}:metrics:completed`,
    /** the same for failed jobs */
    metricsFailed: `${queue}:metrics:failed`,
  } as const;
}

/** The keys that finish.lua needs, in its order. */
export function finishKeys(keys: Pick<Keys, 'queue'>): string[] {
  const { jobs, wait, active, prioritized, completed, failed, stalled, events, meta, marker, ...more } =
    bullmqKeys(keys);
  const state = [jobs, wait, active, prioritized, completed, failed, stalled, events, meta, marker];
  return [...state, more.metricsCompleted, more.metricsFailed];
}

/** Fields of a job's hash that are read outside this folder. */
export const JOB_FIELDS = {
  /** JSON */
  data: 'data',
  /** epoch ms */
  enqueuedAt: 'timestamp',
  /** epoch ms; absent: not finished */
  finishedAt: 'finishedOn',
  failedReason: 'failedReason',
  /** how often a worker has taken the job; absent: never */
  starts: 'ats',
} as const;

/** Places of a job, in the order in which it moves. */
export const PLACES = [
  ['delayed', 'zset'],
  ['prioritized', 'zset'],
  ['wait', 'list'],
  ['paused', 'list'],
  ['active', 'list'],
  ['failed', 'zset'],
  ['completed', 'zset'],
] as const;
export type Place = (typeof PLACES)[number][0];

/** A score in `delayed` is the time at which the job is due, in this many parts of a millisecond. */
const DELAYED_SCORE_PER_MS = 0x1000;
/** @returns epoch ms. @param score of a delayed job */
export const dueAt = (score: string | number): number => Math.floor(Number(score) / DELAYED_SCORE_PER_MS);
/** @returns the highest score of a job that is due at this time, epoch ms */
export const delayedScore = (at: number): number => at * DELAYED_SCORE_PER_MS;

/**
 * BullMQ's `priority` of our high-priority jobs: its highest value. Jobs with other values keep BullMQ's meaning: they
 * wait behind all jobs without a priority. Why not `lifo`: docs/decisions/0008-priority.md
 */
export const HIGH_PRIORITY = 1;
/** Jobs of high priority have a lower score than this in `prioritized`. */
export const HIGH_PRIORITY_BELOW = (HIGH_PRIORITY + 1) * 2 ** 32;

/** The job options that our producers set. They omit attempts and backoff, which are the worker's policy: 40 bytes a job. */
export const producerJobOptions = (priority: Priority = 'normal'): { priority?: number } =>
  priority === 'high' ? { priority: HIGH_PRIORITY } : {};

/** Number of completed jobs that the worker keeps for dashboards. */
export const KEEP_COMPLETED = { count: 1_000 } as const;
/** Minutes that BullMQ's metrics (`queue.getMetrics`) keep: a week. finish.lua has the same number. */
export const METRICS_POINTS = 10_080;
