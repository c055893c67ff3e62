/**
 * Puts requests into Redis.
 * Responsible for:
 *   1. noting a request (note.lua), and in a second step enqueueing its jobs, all of them or none (docs/decisions/0006);
 *   2. enqueueing a request that comes twice under one idempotency key only once, whatever crashed in between. Job ids are
 *      `<request id>-<n>`, and BullMQ does not add an id that exists;
 *   3. waiting until replicas have it, if REDIS_WAIT_REPLICAS says so (docs/decisions/0060), also for a repeat;
 *   4. reporting within 2 s that Redis is unreachable (in-time.ts), and reconnecting by itself.
 * Not responsible for the content of the jobs (inputs/), for reading requests (found.ts) or for waiting (outcomes.ts).
 */
import { createHash } from 'node:crypto';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { bullmqKeys } from '../../bullmq/layout.js';
import type { JobData, Pair } from '../../shared/contract/association.js';
import { messageOf } from '../../shared/contract/errors.js';
import { type Keys, type Priority, queueName } from '../../shared/contract/keys.js';
import { NOBODY_WAITS, type ReplicaWait, Unconfirmed, type Writes } from '../../shared/runtime/replicas.js';
import { loadScript } from '../../shared/runtime/script.js';
import type { Tracing } from '../../shared/runtime/tracing.js';
import { requestKeys } from '../../shared/state/requests.js';
import type { Caller } from '../headers/bearer.js';
import {
  full,
  MAYBE_ENQUEUED,
  MAYBE_KEPT,
  NOTHING_ENQUEUED,
  Refusal,
  unavailable,
  withFate,
} from '../refusal.js';
import { FoundRequests } from './found.js';
import { jobId, newRequestId } from './id.js';
import { DEADLINE_MS, InTime } from './in-time.js';
import { ManyJobs, WritesRefused } from './many.js';
import { SingleJobs } from './single.js';

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
  /** a part was decided or taken back: then all jobs had been enqueued */
  readonly settled: boolean;
};

export type RequestsParts = {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly prefix: string;
  /** how long a listed request can be followed after its end, seconds */
  readonly keepSeconds: number;
  /** of `redis` */
  readonly replicas: ReplicaWait;
  readonly tracing?: Tracing | undefined;
  /** longest wait for an answer of Redis, ms */
  readonly deadlineMs?: number;
};

export class Requests {
  readonly #note = loadScript(new URL('./note.lua', import.meta.url));
  readonly found: FoundRequests;
  readonly #inTime: InTime;
  readonly #queue: Queue;
  readonly #singles: SingleJobs;
  readonly #many: ManyJobs;

  constructor(private readonly parts: RequestsParts) {
    const { redis, keys, prefix, tracing, deadlineMs = DEADLINE_MS } = parts;
    // Without the skip options BullMQ waits for a connection once, at the start, and keeps a failure for ever.
    const options = {
      ...{ prefix, skipVersionCheck: true, skipWaitingForReady: true },
      ...(tracing && { telemetry: tracing.telemetry }),
    };
    this.#queue = new Queue(queueName(), { ...options, connection: redis, skipMetasUpdate: true });
    this.#inTime = new InTime(redis, deadlineMs);
    this.found = new FoundRequests(redis, keys, this.#inTime);
    const { jobs } = bullmqKeys(keys);
    this.#singles = new SingleJobs(this.#queue, async id => (await redis.exists(jobs + id)) === 1, tracing);
    this.#many = new ManyJobs(redis, keys, options, deadlineMs);
    this.#queue.on('error', () => {}); // each call reports its own error
  }

  /** @returns why Redis refuses writes, or keeps them on too few replicas; undefined if it accepts them */
  async refusal(): Promise<string | undefined> {
    try {
      await this.#inTime.run(() => this.#many.tryToWrite());
      await this.begin().confirmed();
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  /**
   * Call it before the first write of what is to be acknowledged. Its `confirmed` resolves when enough replicas have that, and
   * what was found of an earlier request. @throws Refusal 503
   */
  begin(): Writes {
    const writes = this.parts.replicas.begin();
    return writes === NOBODY_WAITS ? writes : { confirmed: () => this.#confirmed(writes) };
  }

  async #confirmed(writes: Writes): Promise<void> {
    let fate = MAYBE_ENQUEUED;
    try {
      await this.#inTime.run(() =>
        writes.confirmed().catch((error: unknown) => {
          if (!(error instanceof Unconfirmed)) throw error;
          fate = MAYBE_KEPT;
          throw unavailable(error.message);
        }),
      );
    } catch (error) {
      throw withFate(error, fate);
    }
  }

  /**
   * Notes the request without enqueueing its jobs.
   * @throws Refusal 422 if the idempotency key was used for other associations, 429 without room, 503 without Redis
   */
  async note(request: NewRequest): Promise<Noted> {
    const { jobs, inputs, fingerprint, idempotencyKey, caller, room, members, name = '' } = request;
    const newId = newRequestId(members !== undefined);
    const keys = requestKeys(this.parts.keys);
    if (idempotencyKey !== undefined)
      keys.push(this.parts.keys.idempotency + keyHash(caller, idempotencyKey));
    const shared = members ? JSON.stringify(members) : '';
    const about = [shared, caller, name, this.parts.keepSeconds];
    const args = [newId, fingerprint, inputs, jobs.length, room ? 1 : 0, ...about];
    const noting = this.#inTime
      .run(() => this.#note(this.parts.redis, keys, args))
      .catch((error: unknown) => {
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
      await this.#inTime.run(() =>
        add().catch((error: unknown) => {
          // Redis refused it
          if (error instanceof WritesRefused || (error as Error).name === 'ReplyError')
            fate = NOTHING_ENQUEUED;
          throw error;
        }),
      );
    } catch (error) {
      throw withFate(error, fate);
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#queue.close(), this.#many.close()]);
    this.parts.redis.disconnect();
  }
}

const keyHash = (caller: Caller, idempotencyKey: string): string =>
  createHash('sha256').update(`${caller}\n${idempotencyKey}`).digest('hex');
