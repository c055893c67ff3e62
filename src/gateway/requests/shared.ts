/**
 * Requests of one association, which arrive at thousands a second, share notes and jobs: a job each would cost more than
 * everything else of the request. Those that come while the job before is on its way to Redis go together with the next
 * one, so that nobody waits for company. Each gets an id of its own: that of the note with its place in it.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Span } from '@opentelemetry/api';
import { type JobData, MAX_PAIRS_PER_JOB, type Pair, typesText } from '../../shared/contract/association.js';
import type { Priority } from '../../shared/contract/keys.js';
import { type Tracing, together } from '../../shared/runtime/tracing.js';
import type { Caller } from '../headers/bearer.js';
import { memberId } from './id.js';
import type { Noted, Requests } from './note.js';

export type Shared = Pick<Noted, 'id' | 'requestedAt'>;
type Waiting = { resolve(shared: Shared): void; reject(error: unknown): void };
type Lot = {
  readonly job: JobData;
  readonly pairs: Pair[];
  readonly waiting: Waiting[];
  /** the spans of its requests, where traces are on */
  readonly callers: Set<Span>;
};
/** What may share a job and its note: object pair, types, priority and caller. */
type Lane = { readonly priority: Priority; readonly caller: Caller; lots: Lot[] };

export class SharedJobs {
  readonly #lanes = new Map<string, Lane>();

  constructor(
    private readonly requests: Pick<Requests, 'note' | 'enqueue'>,
    private readonly tracing?: Tracing,
  ) {}

  /** Resolves when Redis has it. @param job of one pair @throws Refusal 503 */
  add(job: JobData, priority: Priority, caller: Caller): Promise<Shared> {
    const key = `${caller} ${priority} ${job.fromObjectType} ${job.toObjectType} ${typesText(job.types)}`;
    return new Promise((resolve, reject) => {
      let lane = this.#lanes.get(key);
      if (!lane) {
        lane = { priority, caller, lots: [] };
        this.#lanes.set(key, lane);
        void this.#run(key, lane);
      }
      let lot = lane.lots.at(-1);
      if (!lot || lot.pairs.length >= MAX_PAIRS_PER_JOB) {
        lot = { job, pairs: [], waiting: [], callers: new Set() };
        lane.lots.push(lot);
      }
      lot.pairs.push(...job.pairs);
      lot.waiting.push({ resolve, reject });
      const span = this.tracing?.api.trace.getActiveSpan();
      if (span) lot.callers.add(span);
    });
  }

  async #run(key: string, lane: Lane): Promise<void> {
    await turn(); // what was read in the same turn of the event loop goes together
    while (lane.lots.length > 0)
      await Promise.all(
        lane.lots.splice(0).map(lot => together(this.tracing, lot.callers, () => this.#send(lot, lane))),
      );
    this.#lanes.delete(key);
  }

  async #send({ job, pairs, waiting }: Lot, { priority, caller }: Lane): Promise<void> {
    try {
      const jobs = [{ ...job, pairs }];
      const { id, requestedAt } = await this.requests.note({
        jobs,
        inputs: pairs.length,
        fingerprint: '',
        idempotencyKey: undefined,
        caller,
        room: true, // each of them was asked whether there is
        members: pairs,
      });
      await this.requests.enqueue(id, jobs, priority);
      for (const [place, { resolve }] of waiting.entries()) resolve({ id: memberId(id, place), requestedAt });
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}
