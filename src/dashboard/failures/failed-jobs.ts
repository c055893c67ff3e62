/**
 * Reads the failed set of the queue (the dead letters) job by job.
 *
 * 1. It pages through the set, oldest first, in constant memory, and tolerates jobs that leave the set meanwhile.
 * 2. It reads the content of each job, whatever another client wrote into it.
 * Read-only; failures.ts has the commands that change jobs.
 */
import { bullmqKeys, JOB_FIELDS } from '../../bullmq/layout.js';
import type { ErrorContext, JobData, Pair } from '../../shared/contract/association.js';
import { parseJobData } from '../../shared/contract/job-schema.js';
import { readJson } from '../../shared/contract/json.js';
import { categoryOf, INVALID_JOB, UNFINISHED } from '../../shared/state/rejection-groups.js';
import type { QueueAccess } from '../connection.js';

/** Jobs that are read at once. Jobs of our producers have at most 50,000 associations together. */
const PAGE = 100;

/** Associations of one job with the same error. */
export type Failure = { category: string; error: ErrorContext; pairs: readonly Pair[] };

export type FailedJob = {
  id: string;
  /** the data as stored in Redis, which is compared before the job is changed */
  json: string;
  failedAt: number;
  fromObjectType: string;
  toObjectType: string;
  requestId?: string;
  source?: string;
  failures: Failure[];
  /** absent if the schema refuses the data */
  data?: JobData;
};

/** @returns when the latest job failed; undefined if none has */
export async function latestFailure({ redis, keys }: QueueAccess): Promise<string | undefined> {
  const [, score] = await redis.zrange(bullmqKeys(keys).failed, '-1', '-1', 'WITHSCORES');
  return score === undefined ? undefined : String(score);
}

/**
 * Pages of the failed jobs, oldest first.
 * @param until {@link latestFailure} at the start, so that a retried job that fails again is not read twice
 * @param request leaves out jobs whose ids say that they are of other requests, without reading them
 */
export async function* failedJobs(
  access: QueueAccess,
  until: string,
  request?: string,
): AsyncGenerator<FailedJob[]> {
  const key = bullmqKeys(access.keys).failed;
  // The position in the set is a score and an id, not a rank, because ranks shift when jobs are retried or removed.
  let after: Entry = { score: '-inf', id: Buffer.alloc(0) };
  for (;;) {
    const entries = await entriesAfter(access, key, after, until);
    const last = entries.at(-1);
    if (!last) return;
    after = last;
    const ids = entries.map(entry => entry.id.toString());
    const wanted = request === undefined ? ids : ids.filter(id => mayBeOf(request, id));
    if (wanted.length > 0) yield await readJobs(access, wanted);
  }
}

const JOB_OF_REQUEST = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-\d+$/;
/** Jobs of other clients may have any id, and name their request in their data only. */
function mayBeOf(request: string, id: string): boolean {
  const named = JOB_OF_REQUEST.exec(id)?.[1];
  return named === undefined || named === request;
}

type Entry = { score: string; id: Buffer };

async function entriesAfter(
  { redis }: QueueAccess,
  key: string,
  after: Entry,
  until: string,
): Promise<Entry[]> {
  // More jobs than a page may have failed in the same millisecond: continue until there is a new one.
  for (let offset = 0; ; offset += PAGE) {
    const flat = await redis.zrangebyscoreBuffer(
      key,
      after.score,
      until,
      'WITHSCORES',
      'LIMIT',
      offset,
      PAGE,
    );
    const page: Entry[] = [];
    for (let at = 0; at + 1 < flat.length; at += 2)
      page.push({ id: flat[at] ?? Buffer.alloc(0), score: String(flat[at + 1]) });
    const unseen = page.filter(
      // within one score Redis orders members by their bytes
      ({ score, id }) => score !== after.score || Buffer.compare(id, after.id) > 0,
    );
    if (unseen.length > 0 || page.length === 0) return unseen;
  }
}

/** Skips jobs that were removed meanwhile. */
export async function readJobs({ redis, keys }: QueueAccess, ids: readonly string[]): Promise<FailedJob[]> {
  // Reads only these fields: BullMQ's getJob also reads stack traces, and fails on data that is not JSON.
  const { jobs } = bullmqKeys(keys);
  const { data, failedReason: why, finishedAt } = JOB_FIELDS;
  const hashes = await Promise.all(ids.map(id => redis.hmget(jobs + id, data, why, finishedAt)));
  return ids.flatMap((id, at) => {
    const [json, failedReason, failedAt] = hashes[at] ?? [];
    if (json === null || json === undefined) return []; // removed since the page was read
    return [readJob(id, json, failedReason ?? 'no reason given', Number(failedAt ?? 0))];
  });
}

function readJob(id: string, json: string, failedReason: string, failedAt: number): FailedJob {
  const raw = readJson(json);
  const parsed = parseJobData(raw);
  const jobError: ErrorContext = {
    at: new Date(failedAt).toISOString(),
    attempt: 1,
    message: failedReason,
    pairs: 0,
  };
  if (!parsed.ok) {
    const fields = (raw ?? {}) as { fromObjectType?: unknown; toObjectType?: unknown };
    return {
      id,
      json,
      failedAt,
      ...enqueuedBy(raw),
      fromObjectType: String(fields.fromObjectType ?? '?'),
      toObjectType: String(fields.toObjectType ?? '?'),
      failures: [{ category: INVALID_JOB, error: jobError, pairs: [] }],
    };
  }
  const { data } = parsed;
  const failures: Failure[] = (data.rejected ?? []).map(({ error, pairs }) => ({
    category: categoryOf(error),
    error,
    pairs,
  }));
  // A job without rejections is listed as well; otherwise nobody could see, retry or discard it.
  if (data.pairs.length > 0 || failures.length === 0)
    failures.push({
      category: UNFINISHED,
      error: { ...jobError, category: UNFINISHED, pairs: data.pairs.length },
      pairs: data.pairs,
    });
  return {
    id,
    json,
    failedAt,
    ...enqueuedBy(raw),
    fromObjectType: data.fromObjectType,
    toObjectType: data.toObjectType,
    failures,
    data,
  };
}

/** Says it of unreadable data as well. */
function enqueuedBy(raw: unknown): Pick<FailedJob, 'requestId' | 'source'> {
  const { requestId, source } = (raw ?? {}) as { requestId?: unknown; source?: unknown };
  return {
    ...(typeof requestId === 'string' && { requestId }),
    ...(typeof source === 'string' && { source }),
  };
}

/** The ids of a request's jobs are its id and a number. */
const isJobOf = (request: string, id: string): boolean =>
  id.startsWith(`${request}-`) && /^\d+$/.test(id.slice(request.length + 1));

/** @returns ids of the request's jobs among the latest failures, the latest first; at most `most` */
export async function latestFailedOf(
  { redis, keys }: QueueAccess,
  request: string,
  most: number,
): Promise<string[]> {
  const found: string[] = [];
  for (let at = 0; at < LOOKED_THROUGH && found.length < most; at += SLICE) {
    const ids = await redis.zrevrange(bullmqKeys(keys).failed, at, at + SLICE - 1);
    found.push(...ids.filter(id => isJobOf(request, id)));
    if (ids.length < SLICE) break;
  }
  return found.slice(0, most);
}
/** Failed jobs that are looked through for examples; most imports of millions have fewer. */
const LOOKED_THROUGH = 20_000;
const SLICE = 1_000;
