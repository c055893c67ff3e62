/**
 * Requests: what somebody enqueued at one time (a file, a call of the library or of the gateway), with its counts.
 * Responsible for the meaning of a request's record in Redis: its fields, its state, its ledger; and for reading one request
 * and the list of them, at a cost that does not grow with the number of kept requests. It reads and changes nothing.
 * (request-writer.ts opens records, count-request.lua counts into them.)
 */
import type { Redis } from 'ioredis';
import { UnknownRequestError } from '../contract/errors.js';
import { readJson } from '../contract/json.js';
import type { Keys } from '../contract/keys.js';
import { withDoubtsResolved } from './never-enqueued.js';

/** In the order in which a request has them. */
export const REQUEST_STATES = [
  'enqueueing',
  'open',
  'done',
  'cancelled',
  'interrupted',
] as const satisfies readonly RequestState[];
/**
 * How far a request is: `enqueueing` while its process adds to it, `open` while something of it is queued, `done` when
 * everything is created or rejected, `cancelled` once somebody has taken it back, `interrupted` if its process stopped early.
 *
 * @example
 * ```ts
 * import { createProducer, type RequestState } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const link = { fromObjectType: 'contacts', toObjectType: 'companies', from: 114, to: 202 };
 * const { requestId } = await producer.enqueueMany([link]);
 * const state: RequestState = (await producer.waitFor(requestId)).state;
 * console.log(state); // prints: done
 * ```
 */
export type RequestState = 'enqueueing' | 'open' | 'done' | 'cancelled' | 'interrupted';
/**
 * The way by which a request came in: `file` (`association-queue enqueue`), `library`, `gateway` (HTTP).
 *
 * @example
 * ```ts
 * import { createProducer, type Via } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const { requestId } = await producer.enqueueMany([]);
 * const via: Via | undefined = (await producer.request(requestId))?.via;
 * console.log(via); // prints: library
 * ```
 */
export type Via = 'file' | 'library' | 'gateway';

/** The record as Redis has it. Times are epoch ms, counts are associations. */
export type RequestRecord = {
  readonly id: string;
  readonly name?: string;
  readonly source?: string;
  readonly via: Via;
  /** who enqueued it: `user@host`, or the gateway's caller */
  readonly by?: string;
  /** caller of the gateway, who alone may see it; absent: everybody */
  readonly owner?: string;
  readonly enqueuedAt: number;
  /** first and latest settlement */
  readonly firstAt?: number;
  readonly lastAt?: number;
  readonly doneAt?: number;
  readonly accepted: number;
  readonly jobs: number;
  readonly created: number;
  readonly rejected: number;
  readonly cancelled: number;
  readonly refusedLines: number;
  /** end of the lease of the process that still enqueues; absent: everything is enqueued */
  readonly enqueueing?: number;
  /** why enqueueing stopped early */
  readonly interrupted?: string;
  readonly cancelledAt?: number;
  readonly cancelledBy?: string;
  /** Cancelled associations that wait to be listed, and those that were listed; absent: nobody has asked for a list */
  readonly unlisted?: number;
  readonly listed?: number;
  /** files: every line up to this one is enqueued or refused */
  readonly line?: number;
  readonly file?: RequestFile;
  /** rejections that an operator discarded; they stay counted as rejected */
  readonly discarded?: number;
  /** several requests of one association share it: it cannot be cancelled */
  readonly shared?: true;
};

/** The keys that request-list.lua needs, in its order. */
export const requestKeys = (keys: Keys): string[] => [
  ...[keys.requests, keys.requestList, keys.requestsEnded, keys.requestsCancelling],
  ...[keys.requestsToAnnounce, keys.requestFile],
];

/**
 * The file of a request that `association-queue enqueue` made, by which a later process recognises it.
 *
 * @example
 * ```ts
 * import { createProducer, type RequestFile } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const { requestId } = await producer.enqueueMany([]);
 * const file: RequestFile | undefined = (await producer.request(requestId))?.file;
 * console.log(file); // prints: undefined
 * ```
 */
export type RequestFile = {
  /** where it was, absolute */
  readonly path: string;
  /** its size, bytes */
  readonly bytes: number;
  /** SHA-256 of the content, hex */
  readonly sha256: string;
  /** how it was read */
  readonly options: Readonly<Record<string, unknown>>;
};

/**
 * Why associations of a request were rejected: one entry for all with the same reason.
 *
 * @example
 * ```ts
 * import { createProducer, type RequestReason } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const link = { fromObjectType: 'contacts', toObjectType: 'companies', to: 202 };
 * const { requestId } = await producer.enqueueMany([{ ...link, from: 999_000_001 }]);
 * const { rejections } = await producer.waitFor(requestId);
 * const [reason]: readonly RequestReason[] = rejections;
 * console.log(reason?.category, reason?.count); // prints: OBJECT_NOT_FOUND 1
 * ```
 */
export type RequestReason = {
  /** HubSpot's category, such as `VALIDATION_ERROR`, or `OTHER` */
  readonly category: string;
  /** HubSpot's words, without ids */
  readonly message: string;
  /** associations */
  readonly count: number;
};

/**
 * A request as people and programs see it: `producer.request`, `requests show --json`, `GET /requests/{id}`. Figures are
 * associations, times are ISO 8601 in UTC. At any moment `accepted = created + rejected + cancelled + queued`.
 *
 * @example
 * ```ts
 * import { createProducer, type RequestView } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const link = { fromObjectType: 'contacts', toObjectType: 'companies', to: 202 };
 * const { requestId } = await producer.enqueueMany([{ ...link, from: 115 }, { ...link, from: 116 }]);
 * const view: RequestView = await producer.waitFor(requestId);
 * console.log(view.accepted, view.created, view.rejected, view.queued); // prints: 2 2 0 0
 * ```
 */
export type RequestView = {
  /** as `enqueueMany` returned it */
  readonly id: string;
  /** absent: it has none */
  readonly name?: string;
  /** who or what enqueued it, in its own words; absent: it said nothing */
  readonly source?: string;
  /** HubSpot account of its associations */
  readonly account: string;
  /** the way by which it came in */
  readonly via: Via;
  /** who enqueued it: `user@host`, or a short form of the gateway's caller */
  readonly by?: string;
  /** how far it is */
  readonly state: RequestState;
  /** when its first job was enqueued */
  readonly enqueuedAt: string;
  /** the first outcome of one of its associations; absent: there is none yet */
  readonly firstAt?: string;
  /** the latest outcome */
  readonly lastAt?: string;
  /** the end; absent: something of it is queued */
  readonly doneAt?: string;
  /** the end that its own mean rate promises; absent: nothing promises one */
  readonly doneAbout?: string;
  /** acknowledged by Redis */
  readonly accepted: number;
  /** HubSpot has them */
  readonly created: number;
  /** final, with HubSpot's reason: `rejections` */
  readonly rejected: number;
  /** taken back */
  readonly cancelled: number;
  /** accepted - created - rejected - cancelled */
  readonly queued: number;
  /** invalid lines of a file, or invalid items of `enqueueMany`: not among the accepted */
  readonly refusedLines: number;
  /** the most frequent reason first; at most 100, then one for all others */
  readonly rejections: readonly RequestReason[];
  /** who cancelled it; absent: nobody */
  readonly cancelledBy?: string;
  /** cancelled associations that `requests cancel --list` has still to list; absent: none */
  readonly unlisted?: number;
  /** why enqueueing stopped early */
  readonly interrupted?: string;
  /** of a request that came from a file */
  readonly file?: RequestFile;
  /** of its input: every line up to this one is enqueued or refused */
  readonly line?: number;
  /** rejections that an operator has discarded; they stay counted in `rejected` */
  readonly discarded?: number;
  /** several requests to the gateway share its job: it cannot be cancelled */
  readonly shared?: true;
};
/** A request in a list, without its reasons. */
export type RequestSummary = Omit<RequestView, 'rejections'>;

export type RequestQuery = {
  readonly state?: RequestState;
  /** id of the last request of the page before */
  readonly after?: string;
  /** requests of a page; default 50 */
  readonly limit?: number;
  /** caller of the gateway: only its requests; '': only those without a caller */
  readonly owner?: string;
  /** Records that are read at most: then the page may have fewer requests, and `after`. Without it: until the page is full */
  readonly reads?: number;
};
export type RequestPage = {
  readonly requests: readonly RequestSummary[];
  /** there may be more: pass it as `after` */
  readonly after?: string;
};

type Hash = Readonly<Record<string, string | undefined>>;

const counted = (text: string | undefined): number | undefined =>
  text !== undefined && /^-?\d{1,16}$/.test(text) ? Number(text) : undefined;

/** The latest moment that a date can say, epoch ms: a later one would make every list fail that has it. */
const LATEST = 8.64e15;
const moment = (text: string | undefined): number | undefined => {
  const ms = counted(text);
  return ms !== undefined && Math.abs(ms) <= LATEST ? ms : undefined;
};

/** Without the keys whose values are undefined. */
type Present<T> = { [key in keyof T]?: Exclude<T[key], undefined> };
const present = <T extends object>(fields: T): Present<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;

/** The part of a gateway caller's hash that people see. */
export const shortCaller = (owner: string): string => owner.slice(0, 8);
const VIAS: readonly string[] = ['file', 'library', 'gateway'] satisfies Via[];

/** Pure. @returns undefined if there is no such request, or if another client wrote something else under its key */
export function readRecord(id: string, hash: Hash): RequestRecord | undefined {
  const accepted = counted(hash.accepted);
  if (accepted === undefined) return undefined;
  const { name, source, by, owner, interrupted, cancelledBy, via = '' } = hash;
  const file = readJson(hash.file ?? '');
  return {
    id,
    accepted,
    via: VIAS.includes(via) ? (via as Via) : 'library',
    jobs: counted(hash.jobs) ?? 0,
    created: counted(hash.created) ?? 0,
    rejected: counted(hash.rejected) ?? 0,
    cancelled: counted(hash.cancelled) ?? 0,
    refusedLines: counted(hash.refusedLines) ?? 0,
    enqueuedAt: moment(hash.enqueuedAt) ?? 0,
    ...present({ name, source, by: by ?? (owner && shortCaller(owner)), owner, interrupted, cancelledBy }),
    ...present({ firstAt: moment(hash.firstAt), lastAt: moment(hash.lastAt) }),
    ...present({ doneAt: moment(hash.doneAt), cancelledAt: moment(hash.cancelledAt) }),
    ...present({ unlisted: counted(hash.unlisted), listed: counted(hash.listed) }),
    ...present({ enqueueing: counted(hash.enqueueing), line: counted(hash.line) }),
    ...present({ discarded: counted(hash.discarded) }),
    ...(typeof file === 'object' && file !== null && { file: file as RequestFile }),
    ...(hash.members !== undefined && { shared: true }),
  };
}

/** Pure. @param now epoch ms on Redis' clock */
export function requestState(
  record: Pick<RequestRecord, 'cancelledAt' | 'doneAt' | 'interrupted' | 'enqueueing'>,
  now: number,
): RequestState {
  if (record.cancelledAt !== undefined) return 'cancelled';
  if (record.doneAt !== undefined) return 'done';
  if (record.interrupted !== undefined) return 'interrupted';
  if (record.enqueueing === undefined) return 'open';
  return record.enqueueing < now ? 'interrupted' : 'enqueueing';
}

/** Pure. The ledger: accepted = created + rejected + cancelled + queued. */
export const queuedOf = ({
  accepted,
  created,
  rejected,
  cancelled,
}: Pick<RequestRecord, 'accepted' | 'created' | 'rejected' | 'cancelled'>): number =>
  accepted - created - rejected - cancelled;

const isoOf = (ms: number): string => new Date(ms).toISOString();

/** Pure. @returns when it is about done at its own mean rate; undefined if nothing of it is decided or everything is */
function doneAbout(record: RequestRecord, state: RequestState, now: number): number | undefined {
  const { accepted, firstAt, lastAt } = record;
  const queued = queuedOf(record);
  const decided = accepted - queued;
  if (state !== 'open' || queued <= 0 || firstAt === undefined || lastAt === undefined) return undefined;
  if (lastAt <= firstAt || decided <= 0) return undefined;
  const at = now + (queued * (lastAt - firstAt)) / decided;
  return at <= LATEST ? at : undefined;
}

/** Pure. @param now epoch ms on Redis' clock */
export function summaryOf(record: RequestRecord, account: string, now: number): RequestSummary {
  const { enqueuedAt, firstAt, lastAt, doneAt } = record;
  const { owner: _owner, jobs: _jobs, enqueueing: _lease, cancelledAt: _at, ...rest } = record;
  const { unlisted = 0, listed: _listed, ...shown } = rest;
  const state = requestState(record, now);
  const times = { firstAt, lastAt, doneAt, doneAbout: doneAbout(record, state, now) };
  const iso = Object.entries(present(times)).map(([name, ms]) => [name, isoOf(ms)]);
  return {
    ...shown,
    account,
    state,
    queued: queuedOf(record),
    ...(unlisted > 0 && { unlisted }),
    ...(state === 'interrupted' && {
      interrupted: record.interrupted ?? 'the process that enqueued it is gone',
    }),
    enqueuedAt: isoOf(enqueuedAt),
    ...Object.fromEntries(iso),
  };
}

/** Pure. @param hash the `:reasons` hash of a request */
export function reasonsOf(hash: Hash): RequestReason[] {
  return Object.entries(hash)
    .flatMap(([group, text]): RequestReason[] => {
      const count = counted(text);
      if (group.endsWith(ABOUT_REASON) || count === undefined || count <= 0) return [];
      const about = readJson(hash[group + ABOUT_REASON] ?? '') as Partial<RequestReason> | null | undefined;
      return [{ category: String(about?.category ?? 'OTHER'), message: String(about?.message ?? ''), count }];
    })
    .sort((a, b) => b.count - a.count);
}
/** Suffix of the fields that say what a group is about. */
const ABOUT_REASON = ':about';

const PAGE = 50;
/** Records that one step of a filtered list reads. */
const STEP = 200;

export class RequestReader {
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
  ) {}

  /** @returns undefined if there is no such request, or no longer */
  async read(id: string): Promise<RequestView | undefined> {
    const key = this.keys.requests + id;
    const [time, hash, reasons] = await replies(
      this.redis.pipeline().time().hgetall(key).hgetall(`${key}:reasons`).exec(),
    );
    const record = readRecord(id, hash as Hash);
    const [found] = await this.#summaries(record ? [record] : [], msOf(time));
    return found && { ...found.summary, rejections: reasonsOf(reasons as Hash) };
  }

  /** @returns the latest request that enqueued a file with this hash; undefined if there is none, or no longer */
  async ofFile(hash: string): Promise<RequestView | undefined> {
    const id = await this.redis.get(this.keys.requestFile + hash);
    return id === null ? undefined : this.read(id);
  }

  /** @returns the record itself; undefined if there is none */
  async record(id: string): Promise<RequestRecord | undefined> {
    return readRecord(id, await this.redis.hgetall(this.keys.requests + id));
  }

  /**
   * Listed requests (those with a name or with more than one job), the newest first.
   * @throws UnknownRequestError of `after`: the page would look like the last one
   */
  async list(query: RequestQuery = {}): Promise<RequestPage> {
    const { state, owner, after, limit = PAGE, reads = Number.POSITIVE_INFINITY } = query;
    const isFiltered = state !== undefined || owner !== undefined;
    const found: RequestSummary[] = [];
    let read = 0;
    let rank = after === undefined ? 0 : await this.#rankAfter(after);
    for (;;) {
      const step = isFiltered ? STEP : limit - found.length;
      const ids = await this.redis.zrevrange(this.keys.requestList, rank, rank + step - 1);
      if (ids.length === 0) return { requests: found };
      for (const { record, summary } of await this.#read(ids)) {
        if (state !== undefined && summary.state !== state) continue;
        if (owner !== undefined && (record.owner ?? '') !== owner) continue;
        found.push(summary);
        if (found.length === limit) return { requests: found, after: record.id };
      }
      rank += ids.length;
      read += ids.length;
      if (read >= reads) return { requests: found, after: ids.at(-1) ?? '' };
    }
  }

  /** The rank of the first request after this one, also if this one has left the list but is still kept. */
  async #rankAfter(id: string): Promise<number> {
    const rank = await this.redis.zrevrank(this.keys.requestList, id);
    if (rank !== null) return rank + 1;
    const record = await this.record(id);
    if (!record) throw new UnknownRequestError(id);
    return this.redis.zcount(this.keys.requestList, record.enqueuedAt, '+inf');
  }

  async #read(ids: readonly string[]): Promise<Summed[]> {
    const asked = this.redis.pipeline().time();
    for (const id of ids) asked.hgetall(this.keys.requests + id);
    const [time, ...hashes] = await replies(asked.exec());
    const records = ids.map((id, at) => readRecord(id, (hashes[at] ?? {}) as Hash));
    return this.#summaries(
      records.filter(record => record !== undefined),
      msOf(time),
    );
  }

  async #summaries(records: readonly RequestRecord[], now: number): Promise<Summed[]> {
    const all = await withDoubtsResolved(this.redis, this.keys, records, now);
    return all.map(record => ({ record, summary: summaryOf(record, this.keys.account, now) }));
  }
}

type Summed = { readonly record: RequestRecord; readonly summary: RequestSummary };

/** @returns the replies of a pipeline; an empty hash for a key that another client uses for something else */
async function replies(executed: Promise<[Error | null, unknown][] | null>): Promise<unknown[]> {
  return ((await executed) ?? []).map(([error, reply]) => {
    if (error && !error.message.startsWith('WRONGTYPE')) throw error;
    return error ? {} : reply;
  });
}

const msOf = (time: unknown): number => {
  const [seconds = 0, micros = 0] = (time as [number, number]).map(Number);
  return seconds * 1_000 + Math.floor(micros / 1_000);
};
