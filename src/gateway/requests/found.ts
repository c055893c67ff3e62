/**
 * Reads requests from Redis: counts, what people see of them, and the rejections in their jobs.
 * It knows nothing of callers: requests/status.ts and cancel.ts decide who may see what.
 */
import type { Redis } from 'ioredis';
import { bullmqKeys, JOB_FIELDS } from '../../bullmq/layout.js';
import type { JobData, Pair, Rejected } from '../../shared/contract/association.js';
import { UnknownRequestError } from '../../shared/contract/errors.js';
import { parseJobData } from '../../shared/contract/job-schema.js';
import { readJson } from '../../shared/contract/json.js';
import type { Keys } from '../../shared/contract/keys.js';
import { DISCARDED_FIELD, type DiscardedRejections } from '../../shared/state/request-notes.js';
import {
  type RequestPage,
  type RequestQuery,
  RequestReader,
  type RequestView,
} from '../../shared/state/requests.js';
import { type Caller, NOBODY } from '../headers/bearer.js';
import { listRefusal } from '../refusal.js';
import { jobId } from './id.js';
import type { InTime } from './in-time.js';

const GONE = { message: 'there is no such request, or it is no longer kept: begin without it', in: 'after' };
/** Number of jobs that are read at once for their rejections. */
const JOBS_PER_READ = 20;

export type RequestCounts = {
  readonly id: string;
  readonly owner: Caller;
  readonly accepted: number;
  readonly jobs: number;
  readonly created: number;
  readonly rejected: number;
  readonly cancelled: number;
  readonly enqueuedAt: number;
  /** undefined while something is queued */
  readonly doneAt: number | undefined;
  /** rejections that an operator discarded and that no job has any more */
  readonly discarded: readonly DiscardedRejections[];
};

/** Rejected associations of one job, with the job's object pair. */
export type JobRejections = Pick<JobData, 'fromObjectType' | 'toObjectType'> & {
  readonly rejected: Rejected[];
};
export type FoundRejections = {
  /** by the index of the job */
  readonly of: ReadonlyMap<number, JobRejections>;
  /** removed jobs whose rejections are recorded nowhere: the outcome of their associations is unknown */
  readonly unknown: ReadonlySet<number>;
};

export type SharedNote = {
  readonly account: string;
  readonly counts: RequestCounts;
  readonly members: readonly Pair[];
  /** undefined if the job was completed or discarded, and removed */
  readonly job: JobData | undefined;
  /** true if all pairs of the job were created and its data is unchanged */
  readonly isWhole: boolean;
};

export class FoundRequests {
  readonly #jobs: string;
  readonly #reader: RequestReader;

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly inTime: InTime,
  ) {
    this.#jobs = bullmqKeys(keys).jobs;
    this.#reader = new RequestReader(redis, keys);
  }

  /** @throws Refusal 503 */
  counts(id: string): Promise<RequestCounts | undefined> {
    return this.inTime.run(async () => readCounts(id, await this.redis.hgetall(this.keys.requests + id)));
  }

  /** @throws Refusal 503 */
  view(id: string): Promise<RequestView | undefined> {
    return this.inTime.run(() => this.#reader.read(id));
  }

  /** @throws Refusal 400 if `after` is unknown, 503 */
  list(query: RequestQuery): Promise<RequestPage> {
    return this.inTime.run(() =>
      this.#reader.list(query).catch((error: unknown) => {
        throw error instanceof UnknownRequestError ? listRefusal([GONE]) : error;
      }),
    );
  }

  /** @returns a shared note and its job, read at the same moment. @throws Refusal 503 */
  sharedNote(id: string): Promise<SharedNote | undefined> {
    return this.inTime.run(async () => {
      const job = this.#jobs + jobId(id, 0);
      const replies = await this.redis
        .multi()
        .hgetall(this.keys.requests + id)
        .hmget(job, JOB_FIELDS.data, 'associationsCounted')
        .exec();
      const [hash, [data, counted]] = (replies ?? []).map(([, reply]) => reply) as [
        Record<string, string>,
        (string | null)[],
      ];
      const counts = readCounts(id, hash);
      if (!counts || hash.members === undefined) return undefined;
      const parsed = data ? parseJobData(readJson(data)) : undefined;
      return {
        account: this.keys.account,
        counts,
        members: JSON.parse(hash.members) as Pair[],
        job: parsed?.ok ? parsed.data : undefined,
        isWhole: Boolean(counted),
      };
    });
  }

  /**
   * @returns rejections with their reasons, at most `atMost` associations, from the request's jobs, and from the request for
   * discarded ones. Retried associations are not listed.
   */
  async rejections(counts: RequestCounts, atMost: number): Promise<FoundRejections> {
    const found = new Map<number, JobRejections>();
    const missing = new Set<number>();
    let pairs = 0;
    const add = (
      index: number,
      { fromObjectType, toObjectType }: Omit<JobRejections, 'rejected'>,
      rejected: readonly Rejected[],
    ) => {
      const of = found.get(index) ?? { fromObjectType, toObjectType, rejected: [] };
      of.rejected.push(...rejected);
      found.set(index, of);
      pairs += rejected.reduce((sum, one) => sum + one.pairs.length, 0);
    };
    for (const { jobId, rejected, ...objectPair } of counts.discarded)
      add(Number(jobId.slice(counts.id.length + 1)), objectPair, rejected);
    const enough = Math.min(atMost, counts.rejected);
    for (let first = 0; first < counts.jobs && pairs < enough; first += JOBS_PER_READ) {
      const indexes = Array.from(
        { length: Math.min(JOBS_PER_READ, counts.jobs - first) },
        (_, at) => first + at,
      );
      const texts = await this.inTime.run(() =>
        Promise.all(
          indexes.map(index => this.redis.hget(this.#jobs + jobId(counts.id, index), JOB_FIELDS.data)),
        ),
      );
      texts.forEach((text, at) => {
        const parsed = text ? parseJobData(readJson(text)) : undefined;
        if (!text) missing.add(first + at);
        if (parsed?.ok && parsed.data.rejected) add(first + at, parsed.data, parsed.data.rejected);
      });
    }
    return { of: found, unknown: pairs < enough ? missing : new Set() };
  }
}

function readCounts(id: string, hash: Readonly<Record<string, string>>): RequestCounts | undefined {
  const { accepted, jobs, created, rejected, cancelled = 0, enqueuedAt, doneAt, owner = NOBODY } = hash;
  if (accepted === undefined) return undefined;
  return {
    id,
    owner,
    accepted: Number(accepted),
    jobs: Number(jobs),
    created: Number(created),
    rejected: Number(rejected),
    cancelled: Number(cancelled),
    enqueuedAt: Number(enqueuedAt),
    doneAt: doneAt === undefined ? undefined : Number(doneAt),
    discarded: Object.entries(hash)
      .filter(([name]) => name.startsWith(DISCARDED_FIELD))
      .map(([, json]) => JSON.parse(json) as DiscardedRejections),
  };
}
