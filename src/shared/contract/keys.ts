/**
 * Names and keys in Redis. The only file that builds them; docs/architecture.md lists each with its type and owner.
 * BullMQ's own keys stand under `<prefix>:<queue>:`; ours under `<prefix>:<queue>:associations:`, which no job id can
 * collide with, because BullMQ refuses ids with a colon.
 */

export const DEFAULT_ACCOUNT = 'default';
export const JOB_NAME = 'associate';

export const queueName = (account: string = DEFAULT_ACCOUNT): string =>
  account === DEFAULT_ACCOUNT ? 'hubspot-associations' : `hubspot-associations-${account}`;

export type Keys = Readonly<ReturnType<typeof accountKeys>>;

/** Every key of our own for one account. */
export function accountKeys(prefix: string, account: string = DEFAULT_ACCOUNT) {
  const queue = `${prefix}:${queueName(account)}`;
  return {
    /** prefix of BullMQ's job hashes: `jobs + id` */
    jobs: `${queue}:`,
    /** BullMQ's list of waiting jobs; the next one is at its tail */
    wait: `${queue}:wait`,
    /** BullMQ's sorted set of waiting jobs with a priority; it serves them after `wait` */
    prioritized: `${queue}:prioritized`,
    /** BullMQ's counter of prioritized jobs, by which equal priorities keep their order */
    priorityCounter: `${queue}:pc`,
    /** BullMQ's list of jobs that workers have; the latest one is at its head */
    active: `${queue}:active`,
    /** BullMQ's sorted set of delayed jobs: job → when it is due, epoch ms × 4096 */
    delayed: `${queue}:delayed`,
    /** BullMQ's sorted set: completed job → when, epoch ms */
    completed: `${queue}:completed`,
    /** BullMQ's sorted set, the dead letters: failed job → when, epoch ms */
    failed: `${queue}:failed`,
    /** BullMQ's set of active jobs whose locks nobody has renewed since it looked last */
    stalled: `${queue}:stalled`,
    /** BullMQ's hash of the queue: paused, limits */
    meta: `${queue}:meta`,
    /** BullMQ's string: nothing is fetched while it is at its limit */
    limiter: `${queue}:limiter`,
    /** BullMQ's stream of events */
    events: `${queue}:events`,
    /** BullMQ's sorted set for which idle workers wait */
    marker: `${queue}:marker`,
    /** hash: totals since the queue was created (created, rejected, retried, calls …) */
    counters: `${queue}:associations:counters`,
    /** sorted set: permit → when its call was or will be sent, Redis ms; one window long */
    window: `${queue}:associations:window`,
    /** hash: the account's hold (until, reason, strikes, probe) and pacing (margin, partialAt, late, lateAt) */
    hold: `${queue}:associations:hold`,
    /** hash: how many calls of the last minute failed, and since when all do (weather.lua) */
    weather: `${queue}:associations:weather`,
    /** hash: held object pairs with types → JSON {until, reason, strikes} */
    heldPairs: `${queue}:associations:held-pairs`,
    /** hash: day (YYYY-MM-DD in the account's time zone) → calls reserved on it */
    daily: `${queue}:associations:daily`,
    /** `requests + id`: hash of a gateway request's counts; its completion is published on a channel of the same name */
    requests: `${queue}:associations:request:`,
    /** `idempotency + hash of an Idempotency-Key`: string, the request id and the fingerprint of what it enqueued */
    idempotency: `${queue}:associations:idempotency:`,
    /** hash: what one replica can do (capacity.ts), and the workers' limits, for processes that are no worker */
    capacity: `${queue}:associations:capacity`,
    /** hash: what the webhook has announced and has still to post (observe.lua) */
    alerts: `${queue}:associations:alerts`,
    /** list: created and rejected totals, a sample a minute, for the rejection rate of the webhook (observe.lua) */
    alertSamples: `${queue}:associations:alert-samples`,
    /** `minutes + minute since 1970`: hash, what was counted in that minute; two days long */
    minutes: `${queue}:associations:minute:`,
    /** sorted set: rejection group → associations in it */
    rejections: `${queue}:associations:rejections`,
    /** `rejection + group`: hash, what they have in common, first and last time, an example; `… + ':jobs'`: set of job ids */
    rejection: `${queue}:associations:rejection:`,
    /** hash: job id → `group=associations …` of the rejections that it holds */
    rejectedJobs: `${queue}:associations:rejected-jobs`,
    /** stream: the latest batches, each with what HubSpot answered */
    batches: `${queue}:associations:batches`,
    /** sorted set: replica → its last sign of life, Redis ms */
    workers: `${queue}:associations:workers`,
    /** `worker + replica`: string, JSON of what it is and does; expires when the replica falls silent */
    worker: `${queue}:associations:worker:`,
    /** never exists: whether Redis takes writes is tried with it (write-probe.lua) */
    writeProbe: `${queue}:associations:write-probe`,
    /** `labels + from/to`: string, JSON of the types that HubSpot has for this direction, with their labels */
    labels: `${queue}:associations:labels:`,
    /** sorted set: question for labels → when it was admitted, Redis ms; one window long */
    labelCalls: `${queue}:associations:label-calls`,
  } as const;
}

export const PRIORITIES = ['normal', 'high'] as const;
export type Priority = (typeof PRIORITIES)[number];
export const priorityProblem = (given: unknown): string | undefined =>
  PRIORITIES.includes(given as Priority)
    ? undefined
    : `priority: ${JSON.stringify(given)} is not one of ${PRIORITIES.join(', ')}`;
/**
 * BullMQ's `priority` of a job of high priority: its highest one among jobs that have any. Jobs with other values keep
 * BullMQ's meaning: they wait behind all jobs without one. Why this and not `lifo`: docs/decisions/0008-priority.md
 */
export const HIGH_PRIORITY = 1;
/** BullMQ's score in `prioritized` is priority × 2^32 + a running number. */
export const HIGH_PRIORITY_BELOW = (HIGH_PRIORITY + 1) * 2 ** 32;

/** The job options our producers set. Attempts and backoff are the worker's policy and are left out: 40 bytes a job. */
export const producerJobOptions = (priority: Priority = 'normal'): { priority?: number } =>
  priority === 'high' ? { priority: HIGH_PRIORITY } : {};
/** Completed jobs the worker keeps for dashboards, whatever their number before. */
export const KEEP_COMPLETED = { count: 1_000 } as const;
