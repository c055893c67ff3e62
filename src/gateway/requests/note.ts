/**
 * Requests in Redis.
 * Responsible for:
 *   1. noting a request and enqueueing its jobs in one step: all of them or none (a MULTI of BullMQ's FlowProducer);
 *   2. enqueueing a request that comes twice under one idempotency key only once, whatever crashed in between. Job ids are
 *      `<request id>-<n>`, and BullMQ does not add an id that exists;
 *   3. the counts of a request, and the rejections in its jobs;
 *   4. reporting within 2 s that Redis is unreachable, and reconnecting by itself.
 * Not responsible for the content of the jobs (inputs/) or for waiting (outcomes.ts).
 */
import { createHash } from 'node:crypto';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { bullmqKeys, JOB_FIELDS } from '../../bullmq/layout.js';
import { type JobData, type Pair, parseJobData, type Rejected } from '../../shared/contract/association.js';
import { messageOf } from '../../shared/contract/errors.js';
import { readJson } from '../../shared/contract/json.js';
import { type Keys, type Priority, queueName } from '../../shared/contract/keys.js';
import { redisReason } from '../../shared/runtime/redis.js';
import { loadScript } from '../../shared/runtime/script.js';
import type { Tracing } from '../../shared/runtime/tracing.js';
import { heardWithin } from '../../shared/runtime/wait.js';
import { DISCARDED_FIELD, type DiscardedRejections } from '../../shared/state/request-notes.js';
import { requestKeys } from '../../shared/state/requests.js';
import { type Caller, NOBODY } from '../headers/bearer.js';
import { full, MAYBE_ENQUEUED, NOTHING_ENQUEUED, Refusal, unavailable, withFate } from '../refusal.js';
import { jobId, newRequestId } from './id.js';
import { ManyJobs } from './many.js';
import { SingleJobs } from './single.js';

/** Deadline for Redis, so that the caller has an answer within 2 s. */
const DEADLINE_MS = 1_200;
/** Number of jobs that are read at once for their rejections. */
const JOBS_PER_READ = 20;

export type NewRequest = {
  readonly jobs: readonly JobData[];
  readonly inputs: number;
  readonly fingerprint: string;
  /** each caller has its own keys */
  readonly idempotencyKey: string | undefined;
  /** the caller; other callers cannot see the request */
  readonly caller: Caller;
  /** by which people find it in the list of requests */
  readonly name?: string | undefined;
  /** whether there is room; repeats of an accepted request need none */
  readonly room: boolean;
  /** the pairs of the requests that share this note (shared.ts) */
  readonly members?: readonly Pair[];
};
export type Noted = {
  readonly id: string;
  readonly enqueuedAt: number;
  readonly isNew: boolean;
  readonly settled: boolean;
};
export type RequestCounts = {
  readonly id: string;
  readonly owner: Caller;
  readonly accepted: number;
  readonly jobs: number;
  readonly created: number;
  readonly rejected: number;
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
  readonly counts: RequestCounts;
  readonly members: readonly Pair[];
  /** undefined if the job was completed or discarded, and removed */
  readonly job: JobData | undefined;
  /** true if all pairs of the job were created and its data is unchanged */
  readonly isWhole: boolean;
};

export class Requests {
  readonly #accept = loadScript(new URL('./note.lua', import.meta.url));
  readonly #queue: Queue;
  readonly #jobs: string;
  readonly #singles: SingleJobs;
  readonly #many: ManyJobs;
  #lastError: unknown;

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    prefix: string,
    /** how long a listed request can be followed after its end, seconds */
    private readonly keepSeconds: number,
    tracing?: Tracing,
  ) {
    // Without the skip options BullMQ waits for a connection once, at the start, and keeps a failure for ever.
    const options = {
      ...{ prefix, skipVersionCheck: true, skipWaitingForReady: true },
      ...(tracing && { telemetry: tracing.telemetry }),
    };
    this.#queue = new Queue(queueName(), { ...options, connection: redis, skipMetasUpdate: true });
    this.#jobs = bullmqKeys(keys).jobs;
    this.#singles = new SingleJobs(
      this.#queue,
      async id => (await redis.exists(this.#jobs + id)) === 1,
      tracing,
    );
    this.#many = new ManyJobs(redis, keys, options, DEADLINE_MS);
    this.#queue.on('error', () => {}); // each call reports its own error
    redis.on('error', error => {
      this.#lastError = error;
    });
    redis.on('ready', () => {
      this.#lastError = undefined;
    });
  }

  get isReady(): boolean {
    return this.redis.status === 'ready';
  }

  /** @returns why Redis refuses writes; undefined if it accepts them */
  async refusal(): Promise<string | undefined> {
    try {
      await this.#inTime(() => this.#many.tryToWrite());
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  /**
   * Notes the request without enqueueing its jobs.
   * @throws Refusal 422 if the idempotency key was used for other associations, 429 without room, 503 without Redis
   */
  async note(request: NewRequest): Promise<Noted> {
    const { jobs, inputs, fingerprint, idempotencyKey, caller, room, members, name = '' } = request;
    const newId = newRequestId(members !== undefined);
    const keys = requestKeys(this.keys);
    if (idempotencyKey !== undefined) keys.push(this.keys.idempotency + keyHash(caller, idempotencyKey));
    const shared = members ? JSON.stringify(members) : '';
    const about = [shared, caller, name, this.keepSeconds];
    const args = [newId, fingerprint, inputs, jobs.length, room ? 1 : 0, ...about];
    const noting = this.#inTime(() => this.#accept(this.redis, keys, args)).catch((error: unknown) => {
      throw withFate(error, NOTHING_ENQUEUED); // jobs are enqueued after the note
    });
    const [outcome, id, enqueuedAt, settled] = (await noting) as [string, string, number, number];
    if (outcome === 'differs')
      throw new Refusal(422, 'This Idempotency-Key was used for other associations', [
        { message: `it belongs to the request ${id}`, in: 'Idempotency-Key' },
      ]);
    if (outcome === 'full') throw full();
    return { id, enqueuedAt, isNew: outcome === 'new', settled: settled === 1 };
  }

  /** Enqueues all jobs or none; existing jobs stay unchanged. @throws Refusal 503 */
  async enqueue(id: string, jobs: readonly JobData[], priority: Priority): Promise<void> {
    let fate = NOTHING_ENQUEUED; // until something is sent
    const add = async (): Promise<void> => {
      fate = MAYBE_ENQUEUED;
      const [only] = jobs;
      if (jobs.length === 1 && only)
        await this.#singles.add(jobId(id, 0), { ...only, requestId: id }, priority);
      else await this.#many.add(id, jobs, priority);
    };
    try {
      await this.#inTime(() =>
        add().catch((error: unknown) => {
          // Redis refused it
          if ((error as Error).name === 'ReplyError') fate = NOTHING_ENQUEUED;
          throw error;
        }),
      );
    } catch (error) {
      throw withFate(error, fate);
    }
  }

  /** @throws Refusal 503 */
  counts(id: string): Promise<RequestCounts | undefined> {
    return this.#inTime(async () => readCounts(id, await this.redis.hgetall(this.keys.requests + id)));
  }

  /** @returns a shared note and its job, read at the same moment. @throws Refusal 503 */
  sharedNote(id: string): Promise<SharedNote | undefined> {
    return this.#inTime(async () => {
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
      const texts = await this.#inTime(() =>
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

  async close(): Promise<void> {
    await Promise.allSettled([this.#queue.close(), this.#many.close()]);
    this.redis.disconnect();
  }

  /** @throws Refusal 503 if Redis is unreachable, refuses, or does not answer in time */
  async #inTime<T>(work: () => Promise<T>): Promise<T> {
    if (!this.isReady) throw unavailable(`Redis is away: ${this.#reason(undefined)}`);
    try {
      return await heardWithin(work(), DEADLINE_MS, () => this.redis.disconnect(true));
    } catch (error) {
      throw error instanceof Refusal ? error : unavailable(`Redis cannot take it: ${this.#reason(error)}`);
    }
  }

  /** @returns words of our own, because ioredis' error contains the command with the data */
  #reason(error: unknown): string {
    return redisReason(error) || redisReason(this.#lastError) || 'the connection was lost';
  }
}

const keyHash = (caller: Caller, idempotencyKey: string): string =>
  createHash('sha256').update(`${caller}\n${idempotencyKey}`).digest('hex');

function readCounts(id: string, hash: Readonly<Record<string, string>>): RequestCounts | undefined {
  const { accepted, jobs, created, rejected, enqueuedAt, doneAt, owner = NOBODY } = hash;
  if (accepted === undefined) return undefined;
  return {
    id,
    owner,
    accepted: Number(accepted),
    jobs: Number(jobs),
    created: Number(created),
    rejected: Number(rejected),
    enqueuedAt: Number(enqueuedAt),
    doneAt: doneAt === undefined ? undefined : Number(doneAt),
    discarded: Object.entries(hash)
      .filter(([name]) => name.startsWith(DISCARDED_FIELD))
      .map(([, json]) => JSON.parse(json) as DiscardedRejections),
  };
}
