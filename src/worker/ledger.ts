/**
 * Ledger: writes what became of jobs and calls into Redis.
 * Jobs that are settled in the same turn of the event loop (all jobs of a batch) share one script call, so that counting
 * exactly costs next to nothing.
 */
import type { Redis } from 'ioredis';
import type { JobData } from '../shared/association.js';
import { MINUTES_LIBRARY } from '../shared/backlog.js';
import { messageOf } from '../shared/errors.js';
import type { Logger } from '../shared/logger.js';
import { KEEP_COMPLETED, type Keys } from '../shared/queue.js';
import { indexedRejections, REJECTIONS_LIBRARY } from '../shared/rejection-groups.js';
import { COUNT_REQUEST_LIBRARY } from '../shared/request-notes.js';
import { loadScript } from '../shared/script.js';

/** How a job ends, and its return value or the reason. */
export type Finish =
  | { readonly state: 'completed'; readonly returnValue: object }
  | { readonly state: 'failed'; readonly reason: string };
export type JobEntry = {
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
  readonly batches?: string;
  /** nothing of the job is left to be tried: it is finished in the same step. Undefined: BullMQ moves it afterwards */
  readonly finish?: Finish | undefined;
};
/** The same for a job all of whose pairs were created at its first attempt, and that concerns nobody else. */
export type CreatedEntry = Pick<JobEntry, 'jobId' | 'token' | 'created' | 'requestId'> & {
  readonly kind: 'created';
  readonly batches: string;
  /** It must not throw. @param ours true; false: somebody else has the job by now; an error: nothing is settled */
  onSettled(ours: boolean | Error): void;
};
export type LedgerEvents = {
  /** told of what is written; of jobs that were created as a whole only how many associations */
  readonly onSettled: (entry: JobEntry) => void;
  readonly onCreated: (associations: number) => void;
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
type Waiting =
  | CreatedEntry
  | { readonly kind: 'any'; readonly entry: JobEntry; onSettled(ours: boolean | Error): void };

/** More jobs in one script call would keep Redis from others for milliseconds. */
const JOBS_PER_CALL = 500;
/** The latest batches that are remembered: some 200 bytes each, several minutes at HubSpot's fastest. */
const BATCHES_KEPT = 10_000;

export class Ledger {
  readonly #settleScript = loadScript(
    new URL('./settle.lua', import.meta.url),
    MINUTES_LIBRARY,
    REJECTIONS_LIBRARY,
    COUNT_REQUEST_LIBRARY,
    new URL('./finish.lua', import.meta.url),
  );
  readonly #countScript = loadScript(new URL('./count.lua', import.meta.url), MINUTES_LIBRARY);
  #waiting: Waiting[] = [];
  #counts = new Map<string, number>();
  #records: string[][] = [];

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly logger: Logger,
    private readonly events: LedgerEvents = { onSettled: () => {}, onCreated: () => {} },
  ) {}

  /** Data and totals change together or not at all. @returns false when the job's lock is not ours any more */
  settle(entry: JobEntry): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#wait({
        kind: 'any',
        entry,
        onSettled: ours => (typeof ours === 'boolean' ? resolve(ours) : reject(ours)),
      });
    });
  }

  /** The same for nearly all jobs, of which there may be a hundred thousand a second. */
  settleCreated(entry: CreatedEntry): void {
    this.#wait(entry);
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
    const counted = { counts: Object.fromEntries(this.#counts), batches: this.#records };
    this.#counts = new Map();
    this.#records = [];
    const { counters, minutes, batches } = this.keys;
    try {
      await this.#countScript(
        this.redis,
        [counters, minutes, batches],
        [JSON.stringify(counted), BATCHES_KEPT],
      );
    } catch (error) {
      this.logger.warn({ event: 'not counted', error: messageOf(error), ...counted.counts });
    }
  }

  #wait(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (this.#waiting.length === 1) setImmediate(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    const all = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < all.length; at += JOBS_PER_CALL) {
      const some = all.slice(at, at + JOBS_PER_CALL);
      const ours = await this.#run(some).catch(error =>
        error instanceof Error ? error : new Error(messageOf(error)),
      );
      if (ours instanceof Error) for (const waiting of some) waiting.onSettled(ours);
      else this.#settled(some, ours);
    }
  }

  #settled(all: readonly Waiting[], ours: readonly number[]): void {
    let created = 0;
    for (const [at, waiting] of all.entries()) {
      if (ours[at] !== 1) continue;
      if (waiting.kind === 'any') this.events.onSettled(waiting.entry);
      else created += waiting.created;
    }
    if (created > 0) this.events.onCreated(created);
    for (const [at, waiting] of all.entries()) waiting.onSettled(ours[at] === 1);
  }

  async #run(all: readonly Waiting[]): Promise<number[]> {
    const { counters, minutes, rejections, rejection, rejectedJobs, requests, ...bullmq } = this.keys;
    const { jobs, wait, active, prioritized, completed, failed, stalled, events, meta, marker } = bullmq;
    const keys = [
      ...[counters, minutes, rejections, rejection, rejectedJobs],
      ...[jobs, wait, active, prioritized, completed, failed, stalled, events, meta, marker],
    ];
    const now = Date.now();
    const args: (string | number)[] = [KEEP_COMPLETED.count];
    for (const waiting of all) {
      const isLong = waiting.kind === 'any';
      const { jobId, token, created, requestId, batches } = isLong ? waiting.entry : waiting;
      args.push(isLong ? 1 : 0, jobId, token, created, requestId ? requests + requestId : '', batches ?? '');
      if (isLong) args.push(...longPart(waiting.entry, now));
    }
    return (await this.#settleScript(this.redis, keys, args)) as number[];
  }
}

/** What becomes of a job that was not created as a whole, or of which BullMQ has to know more. */
function longPart({ jobId, data, rejected, retried, finish }: JobEntry, now: number): (string | number)[] {
  // a job that never held a rejection has nothing in the index
  const isIndexed = data && (data.rejected || rejected !== 0);
  return [
    data ? JSON.stringify(data) : '',
    rejected,
    retried,
    isIndexed ? JSON.stringify({ id: jobId, groups: indexedRejections(jobId, data, now) }) : '',
    finish?.state ?? '',
    finish ? finishValue(finish) : '',
  ];
}

const finishValue = (finish: Finish): string =>
  finish.state === 'completed' ? JSON.stringify(finish.returnValue) : finish.reason;
