/**
 * Requests of one association, which may arrive at thousands a second, share notes and jobs: a job for each would cost more
 * than the rest of the request. Requests that arrive while the previous job is on its way to Redis share the next job, so
 * that no request waits for others. The id of each is the note's id with the request's place in it.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Span } from '@opentelemetry/api';
import { type JobData, MAX_PAIRS_PER_JOB, type Pair, typesText } from '../../shared/contract/association.js';
import type { Priority } from '../../shared/contract/keys.js';
import { type Tracing, together } from '../../shared/runtime/tracing.js';
import type { Caller } from '../headers/bearer.js';
import { memberId } from './id.js';
import type { Noted, Requests } from './note.js';

export type Shared = Pick<Noted, 'id' | 'enqueuedAt'>;
type Waiting = { resolve(shared: Shared): void; reject(error: unknown): void };
type Lot = {
  readonly job: JobData;
  readonly pairs: Pair[];
  readonly waiting: Waiting[];
  /** the spans of its requests, if traces are on */
  readonly callers: Set<Span>;
};
/** Requests with the same object pair, types, priority and caller, which may share a job and its note. */
type LotQueue = { readonly priority: Priority; readonly caller: Caller; lots: Lot[] };

export class SharedJobs {
  readonly #queues = new Map<string, LotQueue>();

  constructor(
    private readonly requests: Pick<Requests, 'begin' | 'note' | 'enqueue'>,
    private readonly tracing?: Tracing,
  ) {}

  /**
   * Resolves when Redis has the job, and its replicas if somebody waits for them. @throws Refusal 503
   * @param job a job of one pair
   */
  add(job: JobData, priority: Priority, caller: Caller): Promise<Shared> {
    const key = `${caller} ${priority} ${job.fromObjectType} ${job.toObjectType} ${typesText(job.types)}`;
    return new Promise((resolve, reject) => {
      let queue = this.#queues.get(key);
      if (!queue) {
        queue = { priority, caller, lots: [] };
        this.#queues.set(key, queue);
        void this.#run(key, queue);
      }
      let lot = queue.lots.at(-1);
      if (!lot || lot.pairs.length >= MAX_PAIRS_PER_JOB) {
        lot = { job, pairs: [], waiting: [], callers: new Set() };
        queue.lots.push(lot);
      }
      lot.pairs.push(...job.pairs);
      lot.waiting.push({ resolve, reject });
      const span = this.tracing?.api.trace.getActiveSpan();
      if (span) lot.callers.add(span);
    });
  }

  async #run(key: string, queue: LotQueue): Promise<void> {
    await turn(); // requests of the same turn of the event loop go together
    while (queue.lots.length > 0)
      await Promise.all(
        queue.lots.splice(0).map(lot => together(this.tracing, lot.callers, () => this.#send(lot, queue))),
      );
    this.#queues.delete(key);
  }

  async #send({ job, pairs, waiting }: Lot, { priority, caller }: LotQueue): Promise<void> {
    const fail = (error: unknown) => {
      for (const { reject } of waiting) reject(error);
    };
    try {
      const writes = this.requests.begin();
      const jobs = [{ ...job, pairs }];
      const { id, enqueuedAt } = await this.requests.note({
        jobs,
        inputs: pairs.length,
        fingerprint: '',
        idempotencyKey: undefined,
        caller,
        room: true, // checked for each request before
        members: pairs,
      });
      await this.requests.enqueue(id, jobs, priority);
      // the next lot need not wait for the replicas
      void writes.confirmed().then(() => {
        for (const [place, { resolve }] of waiting.entries())
          resolve({ id: memberId(id, place), enqueuedAt });
      }, fail);
    } catch (error) {
      fail(error);
    }
  }
}
