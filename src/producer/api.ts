/** The library's interface: its options, its receipts, and what each call promises. Types only; producer.ts keeps them. */
import type { RedisOptions } from 'ioredis';
import type { HubSpotOptions } from '../labels/hubspot-options.js';
import type { AssociationInput } from '../shared/contract/association-input.js';
import type { Priority } from '../shared/contract/keys.js';
import type { RedisLogin } from '../shared/runtime/redis-login.js';
import type { RequestView } from '../shared/state/requests.js';

/**
 * Where the queue is, and how the producer enqueues. All options are optional: without any, the producer uses the Redis and
 * the queue that the commands use in the same environment. Unknown names are refused, with the one that was probably meant.
 *
 * @example
 * ```ts
 * import { createProducer, type ProducerOptions } from 'hubspot-association-queue-client';
 *
 * const options: ProducerOptions = {
 *   redisUrl: process.env.REDIS_URL, // undefined: redis://127.0.0.1:6379
 *   source: 'nightly-sync',
 *   onWarning: warning => console.warn(warning),
 * };
 * await using producer = createProducer(options);
 * await producer.connected();
 * ```
 */
export type ProducerOptions = {
  /**
   * as the setting `REDIS_URL`: `redis://…` (`rediss://…` for TLS), `redis+sentinel://…`, `redis+cluster://…`. Default: the
   * environment's `REDIS_URL`, or else `redis://127.0.0.1:6379`
   */
  redisUrl?: string | undefined;
  /**
   * user, passwords and TLS files, if they are not in the URL. Default: those of the environment (`REDIS_USERNAME`,
   * `REDIS_PASSWORD` …) if the URL comes from there, or else none
   */
  redisLogin?: RedisLogin | undefined;
  /**
   * instead of `redisUrl`: options of ioredis (host, port, TLS, Sentinels), or a client of ioredis. They say where Redis is
   * and how to log in. The producer opens connections of its own and closes only them: a client that is given stays as it
   * is, and its options for retries and queueing do not matter. No cluster (`redisUrl` has it), no `keyPrefix`
   */
  connection?: RedisOptions | RedisClient | undefined;
  /** what the names of all keys begin with; the same as the workers'. Default: the environment's `QUEUE_PREFIX`, or else `bull` */
  prefix?: string | undefined;
  /**
   * replicas of Redis that must have what is enqueued or cancelled before a call resolves, 0 to 10; if fewer confirm it within
   * 1.5 s, the call fails as if Redis was away. Default: the environment's `REDIS_WAIT_REPLICAS`, or else 0
   */
  waitReplicas?: number | undefined;
  /**
   * a queue of its own in this prefix: letters, digits, `-`, `_`, `.`; default `default`. The commands of this release serve
   * no other queue: keep several HubSpot accounts apart with `prefix`
   */
  account?: string | undefined;
  /** free text in every job that says who enqueued it; at most 200 characters. Default: none */
  source?: string | undefined;
  /** most unacknowledged associations of one `enqueueMany`; it reads on when Redis acknowledges some; default 50,000 */
  maxUnacknowledged?: number | undefined;
  /** days that a request with a name or with more than one job can be followed after its end; the workers' REQUEST_RETENTION_DAYS; default 30 */
  requestRetentionDays?: number | undefined;
  /** time that `enqueue` waits for further calls to share a job, milliseconds, 0 to 10,000; default 2 */
  packMs?: number | undefined;
  /** how to look up labels; without it, a label resolves only if another process has put the labels into Redis */
  hubspot?: HubSpotOptions | undefined;
  /**
   * called once for each type that HubSpot's guide lists for another object pair or direction, or not at all, with the
   * types that it lists. The association is enqueued nevertheless. Default: `process.emitWarning`
   */
  onWarning?: ((warning: string) => void) | undefined;
};

/** A client of ioredis, of any version: of it, only the options are read. */
type RedisClient = {
  readonly options: object;
  readonly status: string;
  duplicate(...override: never[]): unknown;
};

/**
 * A request is what is enqueued at one time, with an id under which it is followed and cancelled. With this option, calls of
 * `enqueue` make one: those with the same name that share a bulk (`packMs`) share the request.
 *
 * @example
 * ```ts
 * import { createProducer, type RequestOptions } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const request: RequestOptions = { name: 'order 4711' };
 * const link = { fromObjectType: 'deals', toObjectType: 'contacts', from: 301, to: 101 };
 * const { requestId } = await producer.enqueue({ ...link, types: 'HUBSPOT_DEFINED:3' }, { request });
 * console.log(requestId !== undefined); // prints: true
 * ```
 */
export type RequestOptions = {
  /** under which people find it, at most 200 characters; requests with a name are listed and kept for `requestRetentionDays` after their end */
  name?: string | undefined;
};

/**
 * The request of an `enqueueMany`.
 *
 * @example
 * ```ts
 * import { createProducer, type ManyRequestOptions } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const request: ManyRequestOptions = { id: 'crm-sync-2026-11-27', name: 'CRM sync', source: 'crm' };
 * const link = { fromObjectType: 'contacts', toObjectType: 'companies', from: 101, to: 202 };
 * const { requestId } = await producer.enqueueMany([link], { request });
 * console.log(requestId); // prints: crm-sync-2026-11-27
 * ```
 */
export type ManyRequestOptions = RequestOptions & {
  /** at most 100 letters, digits, `.`, `_` and `-`; it must be new. Default: a UUID */
  id?: string | undefined;
  /** free text in its jobs instead of the producer's `source`; at most 200 characters */
  source?: string | undefined;
};

/**
 * How one association is enqueued.
 *
 * @example
 * ```ts
 * import { createProducer, type EnqueueOptions } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const atOnce: EnqueueOptions = { priority: 'high' };
 * const link = { fromObjectType: 'contacts', toObjectType: 'companies', from: 102, to: 202 };
 * await producer.enqueue(link, atOnce);
 * ```
 */
export type EnqueueOptions = {
  /** `high`: goes in the next call, before everything that waits; for associations that a person waits for. Default `normal` */
  priority?: Priority | undefined;
  /** makes a request of the call; default: none */
  request?: RequestOptions | undefined;
};

/**
 * How many associations are enqueued.
 *
 * @example
 * ```ts
 * import { createProducer, type EnqueueManyOptions } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const options: EnqueueManyOptions = { priority: 'normal', request: { name: 'import of May' } };
 * const { associations } = await producer.enqueueMany([], options);
 * console.log(associations); // prints: 0
 * ```
 */
export type EnqueueManyOptions = {
  /** of all items; default `normal` */
  priority?: Priority | undefined;
  /** default: a request with an id of its own and without a name */
  request?: ManyRequestOptions | undefined;
};

/**
 * How long `waitFor` and `cancel` go on.
 *
 * @example
 * ```ts
 * import { createProducer, type FollowOptions } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const link = { fromObjectType: 'contacts', toObjectType: 'companies', from: 103, to: 202 };
 * const { requestId } = await producer.enqueueMany([link]);
 * const atMost: FollowOptions = { signal: AbortSignal.timeout(60_000) };
 * const { state } = await producer.waitFor(requestId, atMost);
 * console.log(state); // prints: done
 * ```
 */
export type FollowOptions = {
  /** ends the call early; `waitFor` then throws its reason. Default: none */
  signal?: AbortSignal | undefined;
};

/**
 * What `enqueue` returns once Redis has the association.
 *
 * @example
 * ```ts
 * import { createProducer, type Receipt } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const link = { fromObjectType: 'contacts', toObjectType: 'companies', from: 104, to: 202 };
 * const receipt: Receipt = await producer.enqueue(link);
 * console.log(receipt.requestId); // prints: undefined
 * const { requestId } = await producer.enqueue(link, { request: { name: 'signup form' } });
 * console.log(typeof requestId); // prints: string
 * ```
 */
export type Receipt = {
  /** undefined unless the call has the option `request`; calls with the same request name that share a bulk share the request */
  requestId: string | undefined;
};

/**
 * What `enqueueMany` takes: a list, a generator, a stream of objects. It is read once, in order.
 *
 * @example
 * ```ts
 * import { type Associations, createProducer } from 'hubspot-association-queue-client';
 *
 * async function* links(): AsyncGenerator<{ fromObjectType: string; toObjectType: string; from: number; to: number }> {
 *   for (let id = 1; id <= 1_000; id++)
 *     yield { fromObjectType: 'contacts', toObjectType: 'companies', from: id, to: 5_000 + id };
 * }
 * const items: Associations = links();
 * await using producer = createProducer();
 * const { associations, jobs } = await producer.enqueueMany(items);
 * console.log(associations, jobs); // prints: 1000 2
 * ```
 */
export type Associations = Iterable<AssociationInput> | AsyncIterable<AssociationInput>;

/**
 * What `enqueueMany` returns: how much of it Redis has acknowledged, which is everything unless it throws.
 *
 * @example
 * ```ts
 * import { createProducer, type Enqueued } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const link = { fromObjectType: 'contacts', toObjectType: 'companies' };
 * const enqueued: Enqueued = await producer.enqueueMany([
 *   { ...link, from: 105, to: 202 },
 *   { ...link, from: 106, to: 202 },
 * ]);
 * console.log(enqueued.associations, enqueued.jobs); // prints: 2 1
 * ```
 */
export type Enqueued = {
  /** follows the items: `request`, `waitFor`, `cancel`, and `association-queue requests show` */
  requestId: string;
  /** acknowledged by Redis */
  associations: number;
  /** that they are packed into, at most {@link MAX_PAIRS_PER_JOB} each */
  jobs: number;
};

/**
 * What `cancel` returns. Figures are associations of the request.
 *
 * @example
 * ```ts
 * import { type Cancelled, createProducer } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const { requestId } = await producer.enqueueMany([]);
 * const result: Cancelled = await producer.cancel(requestId);
 * console.log(result.cancelled, result.decided); // prints: 0 0
 * ```
 */
export type Cancelled = {
  /** taken out of the queue, by this call or an earlier one */
  cancelled: number;
  /** created or rejected before */
  decided: number;
};

/**
 * Enqueues associations, and follows what was enqueued. One producer for each process is enough: it may be shared, packs
 * concurrent calls together, and keeps one connection to Redis (two while `waitFor` runs). It connects at the first call.
 *
 * An association that a call has acknowledged ends as created or as rejected with HubSpot's reason, and until then it is in
 * the queue.
 *
 * @example
 * ```ts
 * import { createProducer } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer(); // closed at the end of the block
 * const link = { fromObjectType: 'contacts', toObjectType: 'companies', types: 'HUBSPOT_DEFINED:279' };
 *
 * await producer.enqueue({ ...link, from: '101', to: '202' });
 *
 * const many = [107, 108, 109].map(from => ({ ...link, from, to: 202 }));
 * const { requestId } = await producer.enqueueMany(many, { request: { name: 'three links' } });
 * const { created, rejected } = await producer.waitFor(requestId);
 * console.log(created, rejected); // prints: 3 0
 * ```
 */
export type Producer = {
  /**
   * Enqueues one association; many concurrent calls share jobs. Resolves when Redis has acknowledged it.
   * Unacknowledged calls take about 650 bytes each, so use `enqueueMany` for an unbounded number.
   * Without types and label, HubSpot's unlabelled type of the object pair applies.
   * @returns a receipt whose `requestId` is undefined, unless `options` has a `request` (`{}`, or `{ name }`)
   * @throws ConfigError if an option is invalid or unknown
   * @throws InvalidAssociationError with every fault, and for an unknown label the known ones; nothing was enqueued
   * @throws EnqueueError if Redis is unreachable (within about 2 s) or refuses (`cause` is a RedisUnavailableError), or if
   *   a label cannot be looked up (a LabelLookupError). Enqueue it again; enqueueing twice is harmless
   */
  enqueue(association: AssociationInput, options?: EnqueueOptions): Promise<Receipt>;
  /**
   * Enqueues all items of an iterable of any length. Memory stays constant; it reads no faster than Redis acknowledges.
   * It skips invalid items and enqueues the others; after 1,000 invalid items it stops reading.
   * It sends a job when the job is full or the iterable ends: for a slow source call `enqueue`.
   * The items are one request. Each job is counted in the step that adds it; after a lost connection the producer asks
   * Redis whether a job is in the queue, and enqueues it once.
   * @returns the id of the request, and the numbers of associations and of jobs that Redis has acknowledged
   * @throws ConfigError if an option is invalid or unknown, or if there is a request with this id
   * @throws InvalidAssociationError at the end if items were invalid: `indexes` of the skipped items, and
   *   `progress.read`, the index of the first item that was not read
   * @throws EnqueueError as `enqueue`, or because somebody has cancelled the request (`cause` is a RequestCancelledError).
   *   Not enqueued are its `associations`, the items from index `progress.read` on, and those of `invalid`
   * @throws whatever the iterable throws, after the items before are enqueued
   */
  enqueueMany(items: Associations, options?: EnqueueManyOptions): Promise<Enqueued>;
  /**
   * Reads a request as it is now.
   * @returns undefined if there is no such request, or if it is no longer kept
   * @throws RedisUnavailableError
   */
  request(id: string): Promise<RequestView | undefined>;
  /**
   * Resolves when everything of the request is created, rejected or cancelled, or when the process that enqueued it stopped
   * early (state `interrupted`). It waits out a Redis that is away.
   * @throws UnknownRequestError if there is no such request, or if it is no longer kept
   * @throws ConfigError if an option is invalid or unknown
   * @throws the signal's reason when it is aborted
   * @throws RedisUnavailableError at the start
   */
  waitFor(id: string, options?: FollowOptions): Promise<RequestView>;
  /**
   * Takes back what is still queued of the request; what is decided stays. Resolves when nothing of it is queued, mostly
   * within seconds, or when the signal is aborted; workers then take the rest back. It may be called again.
   * @throws UnknownRequestError if there is no such request, or if it is no longer kept
   * @throws ConfigError if an option is invalid or unknown
   * @throws SharedRequestError if a gateway packed it together with requests of other callers; nothing has changed
   * @throws RedisUnavailableError: if the request was marked by then, workers take it back
   */
  cancel(id: string, options?: FollowOptions): Promise<Cancelled>;
  /**
   * Resolves when Redis answers.
   * @throws RedisUnavailableError if it does not, within about 2 s
   */
  connected(): Promise<void>;
  /** Sends waiting associations at once; resolves when every earlier call has settled. Does not reject. */
  flush(): Promise<void>;
  /** Refuses new calls, waits for pending ones, disconnects. May be called twice. */
  close(): Promise<void>;
  /** `close()`, at the end of the block of an `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
};
