/**
 * Ledger: writes what became of jobs and calls into Redis.
 * Jobs that are settled in the same turn of the event loop (all jobs of a batch) share one script call, so that counting
 * exactly costs next to nothing.
 */
import type { Redis } from 'ioredis';
import { finishKeys, KEEP_COMPLETED } from '../../bullmq/layout.js';
import type { JobData } from '../../shared/contract/association.js';
import { messageOf } from '../../shared/contract/errors.js';
import type { Keys } from '../../shared/contract/keys.js';
import type { Logger } from '../../shared/runtime/logger.js';
import { loadScript } from '../../shared/runtime/script.js';
import { indexedRejections, rejectionArgs } from '../../shared/state/rejection-groups.js';

/** How a job ends, and its return value or the reason. */
export type Finish =
  | { readonly state: 'completed'; readonly returnValue: object }
  | { readonly state: 'failed'; readonly reason: string };
/** What has become of a job. */
export type LedgerEntry = {
  readonly jobId: string;
  /** the lock's token: a job that somebody else has by now is left to them */
  readonly token: string;
  /** undefined: all pairs were created, the data stays as it is */
  readonly data: JobData | undefined;
  /** to be added to the totals; negative where a rejection is taken back */
  readonly created: number;
  readonly rejected: number;
  readonly retried: number;
  /** whose counts change along, where the gateway keeps such a request */
  readonly requestId?: string | undefined;
  /** ids of the batches that its pairs rode in, with spaces between them */
  readonly batches: string;
  /** nothing of the job is left to be tried: it is finished in the same step. Undefined: BullMQ moves it afterwards */
  readonly finish?: Finish | undefined;
  /** all of its pairs were created at its first attempt, and it concerns nobody else: a shorter script will do */
  readonly isSimple: boolean;
  /** It must not throw. @param ours true; false: somebody else has the job by now; an error: nothing is settled */
  onSettled(ours: boolean | Error): void;
};
/** Who is told of what is written; of jobs that were created as a whole only how many associations. */
export type LedgerReport = {
  settled(entry: LedgerEntry): void;
  created(associations: number): void;
};
/** A batch after its delivery, as an operator is told of it. */
export type BatchRecord = {
  readonly id: string;
  readonly objectPair: string;
  readonly inputs: number;
  readonly trigger: string;
  readonly counts: Readonly<Record<string, number>>;
  /** HTTP status, or what happened instead, and HubSpot's correlation id where there is one; a line for each call */
  readonly answers: readonly string[];
  readonly ms: number;
};

/** More jobs in one script call would keep Redis from others for milliseconds. */
const JOBS_PER_CALL = 500;
/** The latest batches that are remembered: some 200 bytes each, several minutes at HubSpot's fastest. */
const BATCHES_KEPT = 10_000;

export class Ledger {
  readonly #settleScript = loadScript(new URL('./settle.lua', import.meta.url));
  readonly #completeScript = loadScript(new URL('./complete.lua', import.meta.url));
  readonly #countScript = loadScript(new URL('./count.lua', import.meta.url));
  #simple: LedgerEntry[] = [];
  #others: LedgerEntry[] = [];
  #counts = new Map<string, number>();
  #records: string[][] = [];

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly logger: Logger,
    private readonly report: LedgerReport = { settled: () => {}, created: () => {} },
  ) {}

  /** Data and totals change together or not at all; the entry is told. What waits in the same turn goes together. */
  settle(entry: LedgerEntry): void {
    if (this.#simple.length + this.#others.length === 0) setImmediate(() => this.#flush());
    (entry.isSimple ? this.#simple : this.#others).push(entry);
  }

  /** Counts a call; never fails the work for it. @param status HTTP status, or what happened instead */
  countCall(status: string): void {
    this.#count('calls', 1);
    if (status === '429') this.#count('callsRateLimited', 1);
    else if (!/^2\d\d$/.test(status)) this.#count('callsFailed', 1);
    this.#count(`status:${status}`, 1);
  }

  /** Counts a delivered batch and remembers it for a while. */
  countBatch({ id, objectPair, inputs, trigger, counts, answers, ms }: BatchRecord): void {
    this.#count('batches', 1);
    this.#count('inputs', inputs);
    const record = { id, objectPair, inputs, trigger, ...counts, answers: answers.join('\n'), ms };
    this.#records.push(Object.entries(record).flat().map(String));
  }

  /** What is counted in the same turn, usually a batch and its call, goes to Redis together. */
  #count(name: string, by: number): void {
    if (this.#counts.size === 0) setImmediate(() => void this.#flushCounts());
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  async #flushCounts(): Promise<void> {
    const [counts, records] = [[...this.#counts], this.#records];
    this.#counts = new Map();
    this.#records = [];
    const { counters, minutes, batches } = this.keys;
    try {
      await this.#countScript(
        this.redis,
        [counters, minutes, batches],
        [BATCHES_KEPT, counts.length, ...counts.flat(), ...records.flatMap(each => [each.length, ...each])],
      );
    } catch (error) {
      this.logger.warn(
        { event: 'not counted', error: messageOf(error), counts },
        'the worker could not count these calls and batches; the totals are too small by them',
      );
    }
  }

  #flush(): void {
    const [simple, others] = [this.#simple, this.#others];
    this.#simple = [];
    this.#others = [];
    for (const some of portions(simple))
      void this.#send(some, this.#complete(some), ours => this.#createdTogether(some, ours));
    for (const some of portions(others))
      void this.#send(some, this.#settle(some), ours =>
        some.forEach((entry, at) => {
          if (ours[at] === 1) this.report.settled(entry);
        }),
      );
  }

  async #send(
    some: readonly LedgerEntry[],
    sent: Promise<readonly number[]>,
    onWritten: (ours: readonly number[]) => void,
  ): Promise<void> {
    const ours = await sent.catch(error => (error instanceof Error ? error : new Error(messageOf(error))));
    if (!(ours instanceof Error)) onWritten(ours);
    for (const [at, one] of some.entries()) one.onSettled(ours instanceof Error ? ours : ours[at] === 1);
  }

  #createdTogether(some: readonly LedgerEntry[], ours: readonly number[]): void {
    const created = some.reduce((sum, entry, at) => (ours[at] === 1 ? sum + entry.created : sum), 0);
    if (created > 0) this.report.created(created);
  }

  async #settle(some: readonly LedgerEntry[]): Promise<readonly number[]> {
    const { counters, minutes, rejections, rejection, rejectedJobs, requests } = this.keys;
    const keys = [counters, minutes, rejections, rejection, rejectedJobs, ...finishKeys(this.keys)];
    const now = Date.now();
    const args: (string | number)[] = [KEEP_COMPLETED.count];
    for (const entry of some) {
      const { jobId, token, data, created, rejected, retried, requestId, batches, finish } = entry;
      // a job that never held a rejection has nothing in the index
      const isIndexed = data && (data.rejected || rejected !== 0);
      args.push(jobId, token, data ? JSON.stringify(data) : '', created, rejected, retried);
      args.push(requestId ? requests + requestId : '');
      args.push(batches, finish?.state ?? '', finish ? finishValue(finish) : '');
      args.push(...(isIndexed ? rejectionArgs(indexedRejections(jobId, data, now)) : ['']));
    }
    return (await this.#settleScript(this.redis, keys, args)) as number[];
  }

  async #complete(some: readonly LedgerEntry[]): Promise<readonly number[]> {
    const { counters, minutes, requests } = this.keys;
    const args: (string | number)[] = [KEEP_COMPLETED.count];
    let start = 0; // of the group, in args
    let last: LedgerEntry | undefined;
    for (const entry of some) {
      const { token, created, requestId, batches } = entry;
      if (last && isAlike(last, entry)) args[start] = (args[start] as number) + 1;
      else start = args.push(1, token, created, requestId ? requests + requestId : '', batches) - ABOUT_GROUP;
      args.push(entry.jobId);
      last = entry;
    }
    const keys = [counters, minutes, ...finishKeys(this.keys)];
    return (await this.#completeScript(this.redis, keys, args)) as number[];
  }
}

/** Arguments before the ids of a group. */
const ABOUT_GROUP = 5;

/** Jobs that were fetched together ride together more often than not. */
const isAlike = (one: LedgerEntry, other: LedgerEntry): boolean =>
  one.batches === other.batches &&
  one.token === other.token &&
  one.created === other.created &&
  one.requestId === other.requestId;

function* portions<Entry>(all: readonly Entry[]): Iterable<readonly Entry[]> {
  for (let at = 0; at < all.length; at += JOBS_PER_CALL) yield all.slice(at, at + JOBS_PER_CALL);
}

const finishValue = (finish: Finish): string =>
  finish.state === 'completed' ? JSON.stringify(finish.returnValue) : finish.reason;
