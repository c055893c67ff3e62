/**
 * Sends the jobs of one request.
 * Responsible for:
 *   1. the record of the request: it is opened with the first jobs, counts each job in the step that adds it, and ends with
 *      the last ones (accept.lua);
 *   2. the ids of the jobs, `<request>-<n>`;
 *   3. the lease, by which others see that this process still enqueues.
 * Not responsible for packing, nor for the connection (sender.ts).
 */
import { randomBytes } from 'node:crypto';
import { bullmqKeys } from '../bullmq/layout.js';
import type { JobData } from '../shared/contract/association.js';
import { counted } from '../shared/contract/counted.js';
import { RedisUnavailableError, RequestCancelledError } from '../shared/contract/errors.js';
import type { Keys, Priority } from '../shared/contract/keys.js';
import { loadScript, scriptSource } from '../shared/runtime/script.js';
import { userAtHost } from '../shared/runtime/who.js';
import { type RequestFile, requestKeys, type Via } from '../shared/state/requests.js';
import { BULKS_ON_THE_WIRE, COUNTED_BEFORE, type CountedBulk, type Sender } from './sender.js';

/** Time after which a process that says nothing counts as gone; it renews the lease three times as often. */
export const LEASE_MS = 15_000;
const RENEW_MS = LEASE_MS / 3;
const DAY_SECONDS = 86_400;

const ACCEPT = new URL('./accept.lua', import.meta.url);
const OPEN = new URL('./open-request.lua', import.meta.url);

export type NewRequest = {
  readonly id: string;
  readonly via: Via;
  readonly name?: string | undefined;
  readonly source?: string | undefined;
  readonly priority: Priority;
  /** days that a listed request is kept after its end */
  readonly retentionDays: number;
};

/** The answer of open-request.lua. */
export type OpenOutcome =
  | 'opened'
  | 'resumed'
  | 'taken'
  | 'same'
  | 'unknown'
  | 'differs'
  | 'enqueueing'
  | 'cancelled'
  | 'done';
export type OpenReply = {
  readonly outcome: OpenOutcome;
  /** `same`: the earlier request of the same file */
  readonly other: string;
  /** of a resumed request */
  readonly line: number;
  readonly accepted: number;
  readonly jobs: number;
  readonly nextJob: number;
  readonly refused: number;
};
/** How a request is opened before its first jobs: a new one, one of a file that was enqueued before, an interrupted one. */
export type Opening = {
  readonly how: 'new' | 'again' | 'resume';
  readonly file?: { readonly hash: string; readonly about: RequestFile };
};

/** What is known when a bulk is sent. */
export type Stand = {
  /** files: every line up to this one is enqueued or refused once the bulk is in the queue */
  readonly line?: number;
  /** lines or items refused so far */
  readonly refused?: number;
  /** `all`: nothing follows. Any other text: why enqueueing stops early */
  readonly ending?: string;
};

/** Redis took a part of a bulk. */
export class PartlyEnqueued extends RedisUnavailableError {
  /** private, so that no log shows the data */
  readonly #missing: readonly JobData[];

  /**
   * @param missing jobs that do not exist, or whose command failed
   * @param areAbsent none of them exists or is counted, so that they may be sent again
   */
  constructor(
    missing: readonly JobData[],
    readonly areAbsent: boolean,
    all: number,
    readonly reason = 'Redis did not take all jobs',
  ) {
    const which = `${missing.length} of ${counted(all, 'job')}`;
    const what = areAbsent
      ? `${which} are not in the queue; the others are, and are counted`
      : `${which} may not be in the queue, and the request may count them all the same`;
    super(`${reason}: ${what}`);
    this.#missing = missing;
  }

  get missing(): readonly JobData[] {
    return this.#missing;
  }
}

export class RequestSender {
  readonly #sender: Sender;
  readonly #request: NewRequest;
  readonly #keys: Keys;
  readonly #accept = loadScript(ACCEPT);
  readonly #open = loadScript(OPEN);
  readonly #source = scriptSource(ACCEPT).plain;
  readonly #place = `seq:${randomBytes(4).toString('hex')}:`;
  /** Places in the record for bulks on the wire; each bulk has one of its own, because bulks may be acknowledged in any order. */
  readonly #by = userAtHost();
  readonly #free = Array.from({ length: BULKS_ON_THE_WIRE }, (_, at) => at);
  #bulks = 0;
  #nextJob = 0;
  #lease: NodeJS.Timeout | undefined;

  constructor(sender: Sender, keys: Keys, request: NewRequest) {
    this.#sender = sender;
    this.#request = request;
    this.#keys = keys;
  }

  get id(): string {
    return this.#request.id;
  }

  /** Opens the record before anything is sent. Without it the first jobs open the record. @throws Error as {@link send} */
  async open({ how, file }: Opening): Promise<OpenReply> {
    const { redis } = this.#sender;
    const about = [...this.#about(), ...(file ? ['file', JSON.stringify(file.about)] : [])];
    const args = [this.id, LEASE_MS, this.#keepSeconds, file?.hash ?? '', how, ...about];
    const reply = await this.#sender.run(async () => {
      const writes = this.#sender.replicas.begin();
      const answer = (await this.#open(redis, requestKeys(this.#keys), args)) as [
        ...[OpenOutcome, string],
        ...number[],
      ];
      // what follows is confirmed with its jobs; any other answer speaks of what was enqueued before
      if (answer[0] !== 'opened' && answer[0] !== 'resumed') await writes.confirmed();
      return answer;
    });
    const [outcome, other, line = 0, accepted = 0, jobs = 0, nextJob = 0, refused = 0] = reply;
    this.#nextJob = nextJob;
    return { outcome, other, line, accepted, jobs, nextJob, refused };
  }

  /** From now on the record says that this process enqueues, also while nothing is sent. */
  start(): void {
    this.#lease ??= setInterval(() => {
      this.#sender.run(() => this.#say({})).catch(() => {}); // the next bulk reports it
    }, RENEW_MS).unref();
  }

  /** Stops renewing the lease. */
  stop(): void {
    clearInterval(this.#lease);
  }

  /**
   * Resolves when the jobs are in the queue and counted.
   * @param jobs at most JOBS_PER_BULK
   * @throws RequestCancelledError; PartlyEnqueued: the record has neither the line nor the end of `stand`; RedisUnavailableError
   */
  async send(jobs: readonly JobData[], stand: Stand = {}): Promise<void> {
    const named = jobs.map(data => ({ id: `${this.id}-${this.#nextJob++}`, data }));
    const nextJob = this.#nextJob;
    let slot: number | undefined;
    const bulk = (): CountedBulk => {
      slot = this.#free.pop() ?? 0;
      const place = `${this.#place}${slot}`;
      const number = String(++this.#bulks);
      const counted = named.flatMap(({ id, data }) => [id, data.pairs.length]);
      const key = this.#keys.requests + this.id;
      return {
        jobs: named,
        call: {
          source: this.#source,
          keys: requestKeys(this.#keys),
          args: this.#args(place, number, stand, nextJob, counted),
        },
        isCounted: async () => (await this.#sender.redis.hget(key, place)) === number,
      };
    };
    try {
      const added = await this.#sender.sendCounted(bulk, this.#request.priority);
      if (added === COUNTED_BEFORE) return;
      const { reply, refused, refusal } = added;
      const absent = new Set(this.#understand(reply, refusal));
      const gone = new Set([...refused, ...absent]);
      const missing = jobs.filter((_, at) => gone.has(at));
      if (missing.length > 0)
        throw new PartlyEnqueued(missing, gone.size === absent.size, jobs.length, refusal?.message);
    } finally {
      if (slot !== undefined) this.#free.push(slot);
    }
  }

  /** Says that everything is enqueued, or why enqueueing stops early. @throws RequestCancelledError; Error as {@link send} */
  async end(stand: Stand & { readonly ending: string }): Promise<void> {
    this.stop();
    // the lease says it as well, and the caller need not wait for a connection a second time
    if (stand.ending !== 'all' && !this.#sender.isReady) return;
    this.#understand(await this.#sender.write(() => this.#say(stand)));
  }

  #say(stand: Stand): Promise<unknown> {
    const args = this.#args(`${this.#place}-`, '0', stand, this.#nextJob, []);
    return this.#accept(this.#sender.redis, requestKeys(this.#keys), args);
  }

  #args(
    place: string,
    number: string,
    { line, refused = 0, ending = '' }: Stand,
    nextJob: number,
    jobs: readonly (string | number)[],
  ): (string | number)[] {
    const about = this.#about();
    return [
      ...[this.id, place, number, bullmqKeys(this.#keys).jobs, LEASE_MS, this.#keepSeconds, ending],
      ...[line ?? '', refused, nextJob, about.length / 2, ...about, ...jobs],
    ];
  }

  get #keepSeconds(): number {
    return this.#request.retentionDays * DAY_SECONDS;
  }

  /** field, value, … of a new record */
  #about(): string[] {
    const { via, name, source } = this.#request;
    const fields = Object.entries({ via, name, source, by: this.#by });
    return fields.flatMap(([field, value]) => (value === undefined ? [] : [field, value]));
  }

  /** @returns which jobs of the bulk are not in the queue, from 0 */
  #understand(reply: unknown, refusal?: Error): readonly number[] {
    const [state, by, ...missing] = reply as [string, string, ...number[]];
    if (state === 'cancelled') throw new RequestCancelledError(by);
    if (state === 'refused') throw refusal ?? new RedisUnavailableError('Redis did not take the jobs');
    if (state === 'foreign')
      throw new Error(`the key ${this.#keys.requests}${this.id} is not the record of a request`);
    return missing;
  }
}
