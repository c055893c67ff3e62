/**
 * Ledger: writes the results of jobs and calls to Redis.
 * Jobs that are settled in the same turn of the event loop (all jobs of a batch) share one script call, so that exact
 * counting costs almost nothing.
 */
import type { Redis } from 'ioredis';
import { finishKeys, KEEP_COMPLETED } from '../../bullmq/layout.js';
import type { JobData, Rejected } from '../../shared/contract/association.js';
import { messageOf } from '../../shared/contract/errors.js';
import type { Keys } from '../../shared/contract/keys.js';
import type { Logger } from '../../shared/runtime/logger.js';
import { isConnectionLoss } from '../../shared/runtime/redis.js';
import { loadScript } from '../../shared/runtime/script.js';
import { sleep } from '../../shared/runtime/wait.js';
import { indexedRejections, reasonArgs, rejectionArgs } from '../../shared/state/rejection-groups.js';
import { requestKeys } from '../../shared/state/requests.js';

/** How a job ends, and its return value or the reason. */
export type Finish =
  | { readonly state: 'completed'; readonly returnValue: object }
  | { readonly state: 'failed'; readonly reason: string };
/** The result of a job. */
export type LedgerEntry = {
  readonly jobId: string;
  /** the lock's token; a job that another worker has now is not touched */
  readonly token: string;
  /** undefined: all pairs were created, and the data stays unchanged */
  readonly data: JobData | undefined;
  /** to be added to the totals; negative if rejections are retried */
  readonly created: number;
  readonly rejected: number;
  readonly retried: number;
  /** the request whose counts change as well, if there is one */
  readonly requestId?: string | undefined;
  /** the rejections in the data that the settlement replaces */
  readonly rejectedBefore?: readonly Rejected[] | undefined;
  /** ids of the batches in which its pairs were sent, separated by spaces */
  readonly batches: string;
  /** nothing of the job is left to try, so it ends in the same step. Undefined: BullMQ moves it afterwards */
  readonly finish?: Finish | undefined;
  /** all pairs were created at the first attempt and the job concerns no other job: the shorter script suffices */
  readonly isSimple: boolean;
  /** It must not throw. @param ours true: settled; false: another worker has the job now; an error: nothing is settled */
  onSettled(ours: boolean | Error): void;
};
/** Receives what was written; for jobs whose pairs were all created only the number of associations. */
export type LedgerReport = {
  settled(entry: LedgerEntry): void;
  created(associations: number): void;
};
/** A delivered batch, as the dashboard shows it. */
export type BatchRecord = {
  readonly id: string;
  readonly objectPair: string;
  readonly inputs: number;
  readonly trigger: string;
  readonly counts: Readonly<Record<string, number>>;
  /** for each call: HTTP status (or TIMEOUT and the like) and HubSpot's correlation id, if there is one */
  readonly answers: readonly string[];
  readonly ms: number;
};

/** Most jobs of one script call; more would block Redis for milliseconds. */
const JOBS_PER_CALL = 500;
/** Number of latest batches that are kept: about 200 bytes each, several minutes at HubSpot's highest rate. */
const BATCHES_KEPT = 10_000;
/** Most batches that wait while Redis refuses them; the latest stay. */
const RECORDS_IN_MEMORY = 1_000;
const COUNT_AGAIN_MS = 1_000;

export class Ledger {
  readonly #settleScript = loadScript(new URL('./settle.lua', import.meta.url));
  readonly #completeScript = loadScript(new URL('./complete.lua', import.meta.url));
  readonly #countScript = loadScript(new URL('./count.lua', import.meta.url));
  #simple: LedgerEntry[] = [];
  #others: LedgerEntry[] = [];
  /** what the next flush counts, and whether one is to come */
  #counts = new Map<string, number>();
  #records: string[][] = [];
  #willCount = false;

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly logger: Logger,
    private readonly report: LedgerReport = { settled: () => {}, created: () => {} },
  ) {}

  /** Changes data and totals together or not at all, and notifies the entry. Entries of the same turn share a script call. */
  settle(entry: LedgerEntry): void {
    if (this.#simple.length + this.#others.length === 0) setImmediate(() => this.#flush());
    (entry.isSimple ? this.#simple : this.#others).push(entry);
  }

  /** Counts a call; an error never stops the work. @param status HTTP status, or TIMEOUT and the like */
  countCall(status: string): void {
    this.#count('calls', 1);
    if (status === '429') this.#count('callsRateLimited', 1);
    else if (!/^2\d\d$/.test(status)) this.#count('callsFailed', 1);
    this.#count(`status:${status}`, 1);
  }

  /** Counts and stores a delivered batch. */
  countBatch({ id, objectPair, inputs, trigger, counts, answers, ms }: BatchRecord): void {
    this.#count('batches', 1);
    this.#count('inputs', inputs);
    const record = { id, objectPair, inputs, trigger, ...counts, answers: answers.join('\n'), ms };
    this.#records.push(Object.entries(record).flat().map(String));
  }

  /** Counts of the same turn, usually a batch and its call, go to Redis together. */
  #count(name: string, by: number): void {
    if (!this.#willCount) setImmediate(() => void this.#flushCounts());
    this.#willCount = true;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  async #flushCounts(): Promise<void> {
    const [counts, records] = [[...this.#counts], this.#records];
    this.#counts = new Map();
    this.#records = [];
    this.#willCount = false;
    const { counters, minutes, batches } = this.keys;
    try {
      await this.#countScript(
        this.redis,
        [counters, minutes, batches],
        [BATCHES_KEPT, counts.length, ...counts.flat(), ...records.flatMap(each => [each.length, ...each])],
      );
    } catch (error) {
      const isOver = isConnectionLoss(error); // a patient connection reports that only when the process ends
      this.logger.warn(
        { event: 'not counted', error: messageOf(error), counts },
        isOver
          ? 'the worker could not count these calls and batches; the totals are too small by them'
          : 'the worker could not count these calls and batches; it tries again in a second',
      );
      if (!isOver) await this.#countLater(counts, records);
    }
  }

  /** Redis refused the counts, so it has written none of them. */
  async #countLater(counts: readonly (readonly [string, number])[], records: string[][]): Promise<void> {
    await sleep(COUNT_AGAIN_MS);
    for (const [name, by] of counts) this.#count(name, by);
    this.#records = [...records, ...this.#records].slice(-RECORDS_IN_MEMORY);
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
    const { counters, minutes, rejections, rejection, rejectedJobs } = this.keys;
    const keys = [
      ...[counters, minutes, rejections, rejection, rejectedJobs],
      ...requestKeys(this.keys),
      ...finishKeys(this.keys),
    ];
    const now = Date.now();
    const args: (string | number)[] = [KEEP_COMPLETED.count];
    for (const entry of some) {
      const { jobId, token, data, created, rejected, retried, requestId, batches, finish } = entry;
      // a job that never held a rejection has nothing in the index
      const isIndexed = data && (data.rejected || rejected !== 0);
      args.push(jobId, token, data ? JSON.stringify(data) : '', created, rejected, retried);
      args.push(requestId ?? '', batches, finish?.state ?? '', finish ? finishValue(finish) : '');
      const groups = isIndexed ? indexedRejections(jobId, data, now) : [];
      args.push(...(isIndexed ? rejectionArgs(groups) : ['']));
      const isReasoned = requestId && data && rejected !== 0;
      args.push(...(isReasoned ? reasonArgs(groups, groupsBefore(entry, data, now)) : ['']));
    }
    return (await this.#settleScript(this.redis, keys, args)) as number[];
  }

  async #complete(some: readonly LedgerEntry[]): Promise<readonly number[]> {
    const { counters, minutes } = this.keys;
    const args: (string | number)[] = [KEEP_COMPLETED.count];
    let start = 0; // start of the group in args
    let last: LedgerEntry | undefined;
    for (const entry of some) {
      const { token, created, requestId, batches } = entry;
      if (last && isAlike(last, entry)) args[start] = (args[start] as number) + 1;
      else start = args.push(1, token, created, requestId ?? '', batches) - ABOUT_GROUP;
      args.push(entry.jobId);
      last = entry;
    }
    const keys = [counters, minutes, ...requestKeys(this.keys), ...finishKeys(this.keys)];
    return (await this.#completeScript(this.redis, keys, args)) as number[];
  }
}

const groupsBefore = ({ jobId, rejectedBefore }: LedgerEntry, data: JobData, now: number) =>
  rejectedBefore ? indexedRejections(jobId, { ...data, rejected: [...rejectedBefore] }, now) : [];

/** Number of arguments before the ids of a group. */
const ABOUT_GROUP = 5;

/** Jobs that were fetched together are mostly sent together. */
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
