/**
 * The failed set of the queue, job by job: the dead letters.
 *
 * 1. Pages through it, oldest first, in memory that does not grow with it, and unharmed by jobs that leave it meanwhile.
 * 2. Reads what each job holds, whatever was written into it.
 * Read-only; the verbs are in failures.ts.
 */
import { bullmqKeys, JOB_FIELDS } from '../../bullmq/layout.js';
import {
  type ErrorContext,
  type JobData,
  type Pair,
  parseJobData,
} from '../../shared/contract/association.js';
import { readJson } from '../../shared/contract/json.js';
import { categoryOf, INVALID_JOB, UNFINISHED } from '../../shared/state/rejection-groups.js';
import type { QueueAccess } from '../connection.js';

/** Jobs read at once: of our producers' making, at most 50,000 associations. */
const PAGE = 100;

/** Associations of one job with the error they share. */
export type Failure = { category: string; error: ErrorContext; pairs: readonly Pair[] };

export type FailedJob = {
  id: string;
  /** the data as it stands in Redis: what is compared before anything is changed */
  json: string;
  failedAt: number;
  fromObjectType: string;
  toObjectType: string;
  failures: Failure[];
  /** absent where the schema refuses the data */
  data?: JobData;
};

/** When the latest job failed; undefined when none has. */
export async function latestFailure({ redis, keys }: QueueAccess): Promise<string | undefined> {
  const [, score] = await redis.zrange(bullmqKeys(keys).failed, '-1', '-1', 'WITHSCORES');
  return score === undefined ? undefined : String(score);
}

/**
 * Pages of the failed jobs, oldest first.
 * @param until {@link latestFailure} of the beginning: a retried job that fails again is not met again
 */
export async function* failedJobs(access: QueueAccess, until: string): AsyncGenerator<FailedJob[]> {
  const key = bullmqKeys(access.keys).failed;
  // The place in the set is a score and an id, not a rank: ranks shift when jobs are retried or removed on the way.
  let after: Entry = { score: '-inf', id: Buffer.alloc(0) };
  for (;;) {
    const entries = await entriesAfter(access, key, after, until);
    const last = entries.at(-1);
    if (!last) return;
    after = last;
    yield await readJobs(
      access,
      entries.map(entry => entry.id.toString()),
    );
  }
}

type Entry = { score: string; id: Buffer };

async function entriesAfter(
  { redis }: QueueAccess,
  key: string,
  after: Entry,
  until: string,
): Promise<Entry[]> {
  // More jobs than a page may have failed in one millisecond: go on until there is one that was not seen.
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

/** Jobs that are gone by now are left out. */
export async function readJobs({ redis, keys }: QueueAccess, ids: readonly string[]): Promise<FailedJob[]> {
  // Only these fields: BullMQ's own getJob also brings stack traces, and gives up on data that is not JSON.
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
  // A job without any rejection is listed too, or it could not be seen, retried or discarded.
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
    fromObjectType: data.fromObjectType,
    toObjectType: data.toObjectType,
    failures,
    data,
  };
}
