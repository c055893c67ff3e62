/**
 * The parts of a worker's pipeline in memory: a queue that is a list, a quota that grants what the test says, a
 * HubSpot that answers when the test says so. No Redis, no thread.
 */
import { expect } from '@jest/globals';
import type { FetchedJob, TakeLimits } from '../../src/bullmq/fetched-job.js';
import type { Answer } from '../../src/hubspot/classify.js';
import { ANY_TIME, type NotSent, type Slot } from '../../src/hubspot/departure.js';
import type { PairHold, Permit, Quota } from '../../src/hubspot/quota.js';
import type { JobData, Pair } from '../../src/shared/contract/association.js';
import { pairName } from '../../src/shared/contract/object-types.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import type { Batch } from '../../src/worker/batches/batch.js';
import type { Call } from '../../src/worker/batches/columns.js';
import type { DeliveryReport } from '../../src/worker/calls/delivery.js';
import type { LedgerEntry } from '../../src/worker/jobs/ledger.js';
import {
  createPipeline,
  type Pipeline,
  type PipelineParts,
  type PipelineSettings,
} from '../../src/worker/pipeline.js';
import { eventually } from './eventually.js';
import { contactsToCompanies } from './samples.js';
import { AT, answerOf, createdBody, type Input, inputsIn } from './worker-samples.js';

const BYTES = 26;
type QueuePart = Pick<PipelineParts['queue'], keyof PipelineParts['queue']>;
type QuotaPart = Pick<PipelineParts['quota'], keyof PipelineParts['quota']>;

/** How often Redis refuses, by the name of the method. */
class Trouble {
  readonly #left = new Map<string, number>();

  comes(method: string, times = 1): void {
    this.#left.set(method, times);
  }
  meets(method: string): void {
    const left = this.#left.get(method) ?? 0;
    if (left === 0) return;
    this.#left.set(method, left - 1);
    throw new Error(`READONLY: no ${method}`);
  }
  get isOver(): boolean {
    return [...this.#left.values()].every(left => left === 0);
  }
}

/** A queue in memory, with the history of its jobs. */
export class FakeQueue implements QueuePart {
  waiting: FetchedJob[] = [];
  readonly trouble = new Trouble();
  /** of each job: how it has moved, in order */
  readonly moves = new Map<string, string[]>();
  readonly holds: number[] = [];
  isHeld = false;
  isClosed = false;
  asked = 0;
  #wake = () => {};
  #isStopped = false;

  add(count: number, associations: number, more: Partial<FetchedJob> = {}): void {
    const first = this.waiting.length;
    for (let at = first; at < first + count; at++)
      this.push({ ...aboutJob, id: `${at}`, associations, ...more });
  }

  push(...jobs: FetchedJob[]): void {
    this.waiting.push(...jobs);
    this.#wake();
  }

  async start(): Promise<void> {}

  /** As BullMQ's: waits for a job when there is none. */
  async next(): Promise<FetchedJob | undefined> {
    this.asked += 1;
    this.trouble.meets('next');
    if (this.isHeld) return undefined;
    if (this.waiting.length === 0 && !this.#isStopped)
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    return this.waiting.shift();
  }

  async take(limits: TakeLimits, highOnly = false): Promise<{ jobs: FetchedJob[]; more: boolean }> {
    this.trouble.meets(highOnly ? 'take high' : 'take');
    const jobs: FetchedJob[] = [];
    let bytes = 0;
    while (jobs.length < limits.jobs) {
      const at = this.waiting.findIndex(({ high }) => high || !highOnly);
      const [job] = at < 0 ? [] : this.waiting.slice(at, at + 1);
      if (!job || (jobs.length > 0 && bytes + job.associations * BYTES > limits.bytes)) break;
      bytes += job.associations * BYTES;
      jobs.push(...this.waiting.splice(at, 1));
    }
    return { jobs, more: this.waiting.length > 0 };
  }

  heldMs = async () => (this.isHeld ? 1e9 : 0);
  renewLocks = async () => [];
  complete = async (job: FetchedJob) => this.moved(job.id, 'complete');
  retry = async (job: FetchedJob) => this.moved(job.id, 'retry');
  fail = async (job: FetchedJob, reason: string) => this.moved(job.id, `fail: ${reason}`);
  delay = async (job: FetchedJob) => this.moved(job.id, 'delay');
  putBack = async (job: FetchedJob) => this.moved(job.id, 'put back');
  hold = async (ms: number) => void this.holds.push(ms);

  moved(id: string, move: string): void {
    this.trouble.meets(move);
    this.moves.set(id, [...(this.moves.get(id) ?? []), move]);
  }

  async stopFetching(): Promise<void> {
    this.#isStopped = true;
    this.#wake();
  }
  async close(): Promise<void> {
    this.isClosed = true;
  }
}

const aboutJob = {
  ...{ token: 't', text: '', high: false, standsAlone: true, isFirstAttempt: true, trace: undefined },
};

/** A quota that grants every permit at once, or what the test says instead. */
export class FakeQuota implements QuotaPart {
  readonly trouble = new Trouble();
  /** replies to the next requests, in order; then permits */
  readonly answers: (Partial<Permit> | Exclude<Awaited<ReturnType<Quota['ask']>>, Permit>)[] = [];
  readonly held = new Map<string, PairHold>();
  readonly released: string[] = [];
  readonly asked: { partial: boolean; spread: boolean }[] = [];
  /** jobs of high priority that wait: each permit says it */
  high: () => number = () => 0;
  /** until it is opened, no request is answered */
  door: Promise<void> = Promise.resolve();
  isProbe = true;

  async ask(partial: boolean, spread = false) {
    this.trouble.meets('ask');
    this.asked.push({ partial, spread });
    const id = `p${this.asked.length}`;
    await this.door;
    const next = this.answers.shift();
    if (next?.kind === 'paced' || next?.kind === 'held') return next;
    const about = {
      waitMs: 0,
      at: 0,
      probe: false,
      trouble: false,
      slot: ANY_TIME,
      day: '',
      high: this.high(),
    };
    return { kind: 'granted', id, ...about, ...next } as Permit;
  }
  async lookAgain() {
    return { held: false, high: this.high() };
  }
  async release({ id }: Permit): Promise<number> {
    this.trouble.meets('release');
    this.released.push(id);
    return 0;
  }
  get holdsPairs(): boolean {
    return this.held.size > 0;
  }
  heldPair(from: string, to: string, types: string): PairHold | undefined {
    return this.heldOf([pairName(from, to), pairName(from, to, types)]);
  }
  heldOf(names: readonly string[]): PairHold | undefined {
    return names.map(name => this.held.get(name)).find(held => held && held.until > Date.now());
  }
  recordsOf(names: readonly string[]): string[] {
    return names.filter(name => this.held.has(name));
  }
  async probePairs(): Promise<boolean> {
    this.trouble.meets('probePairs');
    return this.isProbe;
  }
  async endProbe(): Promise<void> {}
  async freePair(...names: string[]): Promise<void> {
    for (const name of names) this.held.delete(name);
  }
  async holdPair(name: string, reason: string): Promise<PairHold> {
    const held = { until: Date.now() + 60_000, reason, strikes: 1 };
    this.held.set(name, held);
    return held;
  }
  async answered(): Promise<void> {}
  async failed() {
    return { fine: true, at: AT };
  }
  hold = async () => 0;
  holdGrowing = async () => 0;
  usedLate = async () => {};
}

/** A call that waits for HubSpot's answer. */
export type OpenCall = {
  readonly objectPair: string;
  readonly inputs: readonly Input[];
  readonly slot: Slot;
  /** without an argument: everything is created */
  answer(answer?: Answer | NotSent): void;
};

/** HubSpot, which answers when the test says so. */
export class FakeCaller {
  readonly calls: OpenCall[] = [];
  readonly open = new Set<OpenCall>();
  /** immediate answer; undefined: the test answers */
  says: ((inputs: readonly Input[]) => Answer) | undefined;

  create(call: Call, signal: AbortSignal, slot: Slot): Promise<Answer | NotSent> {
    const inputs = inputsIn(call.columns);
    return new Promise(resolve => {
      const one: OpenCall = {
        ...{ objectPair: `${call.fromObjectType}/${call.toObjectType}`, inputs, slot },
        answer: (answer = created(inputs)) => {
          this.open.delete(one);
          resolve(answer);
        },
      };
      this.calls.push(one);
      this.open.add(one);
      const aborted = () =>
        one.answer({ kind: 'none', at: AT, category: 'CONNECTION_ERROR', message: 'the call was ended' });
      if (signal.aborted) return aborted();
      signal.addEventListener('abort', aborted);
      if (this.says) one.answer(this.says(inputs));
    });
  }

  answerAll(): void {
    for (const call of [...this.open]) call.answer();
  }
  get sizes(): number[] {
    return this.calls.map(({ inputs }) => inputs.length);
  }
}

export const created = (inputs: readonly Input[]): Answer => answerOf(201, createdBody(inputs));

/** Settles at once and counts how often each job was settled. */
export class FakeLedger {
  readonly entries: LedgerEntry[] = [];
  /** results of the script for the next entries; later ones are ours */
  readonly says: (boolean | Error)[] = [];

  settle(entry: LedgerEntry): void {
    const { data, created, rejected, retried, finish, batches, jobId } = entry;
    const noted = { data, created, rejected, retried, finish, batches, jobId } as LedgerEntry;
    this.entries.push(noted);
    setImmediate(() => entry.onSettled(this.says.shift() ?? true));
  }
}

export type PipelineBench = {
  readonly pipeline: Pipeline;
  readonly queue: FakeQueue;
  readonly quota: FakeQuota;
  readonly caller: FakeCaller;
  readonly ledger: FakeLedger;
  readonly batches: { batch: Batch; report: DeliveryReport }[];
  /** puts jobs with this many associations into the queue. @returns their ids */
  enqueue(sizes: readonly number[], more?: Partial<JobData> & Pick<Partial<FetchedJob>, 'high'>): string[];
  /** as when the operator watch learns that somebody takes the request back */
  cancel(request: string): void;
  start(): Promise<void>;
  /** once everything in memory has ended */
  idle(): Promise<void>;
  /** As on SIGTERM; aborts calls in flight at once if the test says so. */
  stop(how?: { abort: boolean }): Promise<void>;
};

const SETTINGS: PipelineSettings = {
  ...{ batchLingerMs: 5, batchMaxInputs: 10, maxConcurrentCalls: 2, rateLimitWindowMs: 40 },
  ...{ jobAttempts: 3, jobLockMs: 30_000, retryBackoffMs: 1, unavailablePatienceHours: 24 },
};

/** A pipeline over fakes, as main.ts builds one over Redis, HubSpot and a thread. */
export function pipelineBench(settings: Partial<PipelineSettings> = {}): PipelineBench {
  const [queue, quota, caller, ledger] = [
    new FakeQueue(),
    new FakeQuota(),
    new FakeCaller(),
    new FakeLedger(),
  ];
  const batches: PipelineBench['batches'] = [];
  const cancelled = new Set<string>();
  const pipeline = createPipeline({
    ...{ settings: { ...SETTINGS, ...settings }, replica: 'w', queue, quota, caller, ledger },
    cancelled,
    token: { renew: async () => false },
    report: {
      ...{ call: () => {}, expired: () => {}, permit: () => {} },
      batch: (batch, report) => batches.push({ batch, report }),
    },
    logger: createLogger('silent', 'test'),
  });
  const { intake, dispatcher, state } = pipeline;
  let jobs = 0;
  let associations = 0;
  return {
    ...{ pipeline, queue, quota, caller, ledger, batches },
    cancel(request) {
      cancelled.add(request);
      pipeline.giveBackCancelled();
    },
    enqueue: (sizes, { high = false, ...more } = {}) =>
      sizes.map(size => {
        const id = `${more.requestId ? `${more.requestId}-` : 'j'}${++jobs}`;
        const pairs = Array.from({ length: size }, (): Pair => {
          associations += 1;
          return [String(associations), String(1_000_000 + associations)];
        });
        const text = JSON.stringify({ ...contactsToCompanies, pairs, ...more });
        queue.push({ ...aboutJob, id, text, associations: size, high });
        return id;
      }),
    start: async () => {
      dispatcher.start();
      await intake.start();
    },
    idle: () =>
      eventually(() => {
        expect(queue.waiting).toEqual([]);
        expect(state()).toMatchObject({ jobs: 0, associations: 0, unbatched: 0 });
      }),
    stop: async ({ abort } = { abort: true }) => {
      const drained = intake.drain();
      dispatcher.flush();
      if (!abort) await drained;
      await Promise.all([dispatcher.abort(), drained]);
      expect(queue.isClosed).toBe(true);
      expect(state()).toMatchObject({
        jobs: 0,
        associations: 0,
        unbatched: 0,
        inFlight: 0,
        isStopping: true,
      });
    },
  };
}

/** The end of each job, and that it ended once: in its settlement, or by a move. */
export function endsOf({ ledger, queue }: PipelineBench): Record<string, string> {
  const ends: Record<string, string> = {};
  const note = (id: string, end: string) => {
    if (ends[id]) throw new Error(`job ${id} has ended twice: ${ends[id]}, ${end}`);
    ends[id] = end;
  };
  for (const { jobId, finish } of ledger.entries) if (finish) note(jobId, finish.state);
  for (const [id, moves] of queue.moves) for (const move of moves) note(id, move);
  return ends;
}
