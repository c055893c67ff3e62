/**
 * Names and keys of our own in Redis, under `<prefix>:<queue>:associations:`. The only file that builds them;
 * docs/design/architecture.md lists each with its type and owner. BullMQ's own: src/bullmq/layout.ts
 */

export const DEFAULT_ACCOUNT = 'default';
export const JOB_NAME = 'associate';

export const queueName = (account: string = DEFAULT_ACCOUNT): string =>
  account === DEFAULT_ACCOUNT ? 'hubspot-associations' : `hubspot-associations-${account}`;

export type Keys = Readonly<ReturnType<typeof accountKeys>>;

/** All keys of one account. */
export function accountKeys(prefix: string, account: string = DEFAULT_ACCOUNT) {
  const queue = `${prefix}:${queueName(account)}`;
  return {
    /** what all its keys begin with, BullMQ's own too (src/bullmq/layout.ts) */
    queue,
    account,
    /** hash: totals since the queue was created (created, rejected, retried, calls …) */
    counters: `${queue}:associations:counters`,
    /** sorted set: permit → when its call was or will be sent, Redis ms; kept for one window */
    window: `${queue}:associations:window`,
    /** hash: the account's hold (until, reason, strikes, probe) and pacing (margin, partialAt, late, lateAt) */
    hold: `${queue}:associations:hold`,
    /** hash: successful and failed calls of the last minute, and which calls failed since the latest answer (weather.lua) */
    weather: `${queue}:associations:weather`,
    /** hash: held object pairs with types → JSON {until, reason, strikes} */
    heldPairs: `${queue}:associations:held-pairs`,
    /** hash: day (YYYY-MM-DD in the account's time zone) → calls reserved on it */
    daily: `${queue}:associations:daily`,
    /**
     * `requests + id`: hash, the record of a request (state/requests.ts); its end is published on a channel of the same
     * name; `… + ':reasons'`: hash, rejection group → associations of the request in it, `<group>:about` → JSON;
     * `… + ':unlisted'`: list, what was taken back of it and waits to be listed (state/unlisted-jobs.ts)
     */
    requests: `${queue}:associations:request:`,
    /** sorted set: listed request → when it was enqueued, epoch ms */
    requestList: `${queue}:associations:requests`,
    /** sorted set: listed request that has ended → when, epoch ms */
    requestsEnded: `${queue}:associations:requests:ended`,
    /** sorted set: cancelled request of which something is still queued → since when, epoch ms */
    requestsCancelling: `${queue}:associations:requests:cancelling`,
    /** `requestCancelLease + id`: string, the process that takes a cancelled request out of the queue; lives for seconds */
    requestCancelLease: `${queue}:associations:requests:cancel-lease:`,
    /** `requestListLease + id`: string, the process that lists what was taken back of a request; lives for seconds */
    requestListLease: `${queue}:associations:requests:list-lease:`,
    /** sorted set: listed request whose end no replica has announced by webhook yet → its end, epoch ms; ended-requests.lua */
    requestsToAnnounce: `${queue}:associations:requests:announce`,
    /** `requestFile + hash of a file's content and meaning`: string, the request that enqueued it */
    requestFile: `${queue}:associations:request-file:`,
    /** hash: who paused the queue, why, and when (by, why, at: epoch ms); absent while it runs, or if another client paused it */
    paused: `${queue}:associations:paused`,
    /** `idempotency + hash of an Idempotency-Key`: string, the request id and the fingerprint of what it enqueued */
    idempotency: `${queue}:associations:idempotency:`,
    /** hash: capacity of one replica (capacity.ts) and the workers' limits, for processes other than workers */
    capacity: `${queue}:associations:capacity`,
    /** hash: what ALERT_WEBHOOK_URL was told, and what it is still to be told (outbox.lua) */
    alerts: `${queue}:associations:alerts`,
    /** hash: the same for REQUEST_WEBHOOK_URL (outbox.lua) */
    requestWebhook: `${queue}:associations:request-webhook`,
    /** list: created and rejected totals, a sample a minute, for the rejection rate of ALERT_WEBHOOK_URL (account-incidents.lua) */
    alertSamples: `${queue}:associations:alert-samples`,
    /** `minutes + minute since 1970`: hash, counts of that minute; kept for two days */
    minutes: `${queue}:associations:minute:`,
    /** sorted set: rejection group → associations in it */
    rejections: `${queue}:associations:rejections`,
    /** `rejection + group`: hash, common fields, first and last time, an example; `… + ':jobs'`: set of job ids */
    rejection: `${queue}:associations:rejection:`,
    /** hash: job id → `group=associations …` of the rejections that it holds */
    rejectedJobs: `${queue}:associations:rejected-jobs`,
    /** stream: the latest batches with HubSpot's answers */
    batches: `${queue}:associations:batches`,
    /** sorted set: replica → its last sign of life, Redis ms */
    workers: `${queue}:associations:workers`,
    /** `worker + replica`: string, JSON report of the replica; expires when the replica stops reporting */
    worker: `${queue}:associations:worker:`,
    /** sorted set: replica → its turn to have a place, Redis ms; +inf: it ends (places.lua) */
    row: `${queue}:associations:row`,
    /** never exists: write-probe.lua uses it to test whether Redis accepts writes */
    writeProbe: `${queue}:associations:write-probe`,
    /** string without content, written before a WAIT for replicas (runtime/replicas.ts); lives for a minute */
    replicated: `${queue}:associations:replicated`,
    /** `labels + from/to`: string, JSON of the types that HubSpot has for this direction, with their labels */
    labels: `${queue}:associations:labels:`,
    /** sorted set: lookup of labels → when it was admitted, Redis ms; kept for one window */
    labelCalls: `${queue}:associations:label-calls`,
  } as const;
}

/** Jobs of a request have the ids `<request>-<n>`, n from 0. @returns the part before n */
export const requestOfJob = (jobId: string): string => jobId.slice(0, Math.max(0, jobId.lastIndexOf('-')));

export const PRIORITIES = ['normal', 'high'] as const satisfies readonly Priority[];
/**
 * `high`: the association goes in the next call to HubSpot, before everything that waits, and so do its retries. `normal`:
 * in its turn.
 *
 * @example
 * ```ts
 * import { createProducer, type Priority } from 'hubspot-association-queue-client';
 *
 * const priorityOf = (isInteractive: boolean): Priority => (isInteractive ? 'high' : 'normal');
 * await using producer = createProducer();
 * const link = { fromObjectType: 'contacts', toObjectType: 'companies', from: 113, to: 202 };
 * await producer.enqueue(link, { priority: priorityOf(true) });
 * ```
 */
export type Priority = 'normal' | 'high';
export const priorityProblem = (given: unknown): string | undefined =>
  PRIORITIES.includes(given as Priority)
    ? undefined
    : `priority: ${JSON.stringify(given)} is not one of ${PRIORITIES.join(', ')}`;
