/** The library's interface: its options, its receipts, and what each call promises. Types only; producer.ts keeps them. */
import type { HubSpotOptions } from '../labels/open-labels.js';
import type { Association } from '../shared/contract/association.js';
import type { Priority } from '../shared/contract/keys.js';
import type { RequestView } from '../shared/state/requests.js';
import type { Associations, Enqueued } from './enqueue-many.js';

export type ProducerOptions = {
  /** `redis://…`, or `rediss://…` for TLS */
  redisUrl: string;
  /** QUEUE_PREFIX of the worker; default `bull` */
  prefix?: string;
  /** HubSpot account of the associations; default `default` */
  account?: string;
  /** free text in every job that says who enqueued it; at most 200 characters */
  source?: string;
  /** most unacknowledged associations of one `enqueueMany`; it reads on when Redis acknowledges some; default 50,000 */
  maxUnacknowledged?: number;
  /** REQUEST_RETENTION_DAYS of the worker: days that a request with a name or with more than one job can be followed after its end; default 30 */
  requestRetentionDays?: number;
  /** milliseconds that `enqueue` waits for further calls to share a job; default 2 */
  packMs?: number;
  /** how to look up labels; without it, a label resolves only if another process has put the labels into Redis */
  hubspot?: HubSpotOptions;
  /**
   * called once for each type that HubSpot's guide lists for another object pair or direction, or not at all, with the
   * types that it lists. The association is enqueued nevertheless. Default: process.emitWarning
   */
  onWarning?: (warning: string) => void;
};

/** A request: what is enqueued at one time, with an id under which it is followed and cancelled. */
export type RequestOptions = {
  /** under which people find it; requests with a name are listed and kept for `requestRetentionDays` after their end */
  name?: string;
};
export type ManyRequestOptions = RequestOptions & {
  /** at most 100 letters, digits, `.`, `_` and `-`; it must be new. Default: a UUID */
  id?: string;
  /** free text in its jobs instead of the producer's `source` */
  source?: string;
};

export type EnqueueOptions = {
  /** `high`: goes in the next call, before everything that waits; for associations that a person waits for. Default `normal` */
  priority?: Priority;
  request?: RequestOptions;
};
export type EnqueueManyOptions = Omit<EnqueueOptions, 'request'> & { request?: ManyRequestOptions };
/** How to stop following a request, or cancelling it. */
export type FollowOptions = { signal?: AbortSignal };
export type Receipt = {
  /** calls with the same request name that share a bulk share the request; undefined without the option `request` */
  requestId: string | undefined;
};

/** Associations. */
export type Cancelled = { cancelled: number /** created or rejected */; decided: number };

export type Producer = {
  /**
   * Enqueues one association; many concurrent calls share jobs. Resolves when Redis has acknowledged it.
   * Unacknowledged calls take about 650 bytes each, so use `enqueueMany` for an unbounded number.
   * Without types and label, HubSpot's unlabelled type of the object pair applies.
   * @throws ConfigError if an option is invalid
   * @throws InvalidAssociationError with every fault, and for an unknown label the known ones; nothing was enqueued
   * @throws EnqueueError if Redis is unreachable (within about 2 s) or refuses (`cause` is a RedisUnavailableError), or if
   *   a label cannot be looked up (a LabelLookupError). Enqueue it again; enqueueing twice is harmless
   */
  enqueue(association: Association, options?: EnqueueOptions): Promise<Receipt>;
  /**
   * Enqueues all items of an iterable of any length. Memory stays constant; it reads no faster than Redis acknowledges.
   * It skips invalid items and enqueues the others; after 1,000 invalid items it stops reading.
   * It sends a job when the job is full or the iterable ends: for a slow source call `enqueue`.
   * The items are one request. Each job is counted in the step that adds it; after a lost connection the producer asks
   * Redis whether a job is in the queue, and enqueues it once.
   * @returns the id of the request, and the numbers of associations and of jobs that Redis has acknowledged
   * @throws ConfigError if an option is invalid, or if there is a request with this id
   * @throws InvalidAssociationError at the end if items were invalid: `indexes` of the skipped items, and
   *   `progress.read`, the index of the first item that was not read
   * @throws EnqueueError as `enqueue`, or because somebody has cancelled the request (`cause` is a RequestCancelledError).
   *   Not enqueued are its `associations`, the items from index `progress.read` on, and those of `invalid`
   * @throws whatever the iterable throws, after the items before are enqueued
   */
  enqueueMany(items: Associations, options?: EnqueueManyOptions): Promise<Enqueued>;
  /** @returns undefined if there is no such request, or if it is no longer kept @throws RedisUnavailableError */
  request(id: string): Promise<RequestView | undefined>;
  /**
   * Resolves when everything of the request is created, rejected or cancelled, or when the process that enqueued it stopped
   * early (state `interrupted`). It waits out a Redis that is away.
   * @throws the signal's reason when it is aborted; UnknownRequestError; RedisUnavailableError at the start; ConfigError if an
   *   option is invalid
   */
  waitFor(id: string, options?: FollowOptions): Promise<RequestView>;
  /**
   * Takes back what is still queued of the request; what is decided stays. Resolves when nothing of it is queued, mostly
   * within seconds, and may be called again.
   * @throws UnknownRequestError; SharedRequestError; ConfigError if an option is invalid; RedisUnavailableError: if the
   *   request was marked by then, workers take it back
   */
  cancel(id: string, options?: FollowOptions): Promise<Cancelled>;
  /** Resolves when Redis answers. @throws RedisUnavailableError if it does not, within about 2 s */
  connected(): Promise<void>;
  /** Sends waiting associations at once; resolves when every earlier call has settled. Does not reject. */
  flush(): Promise<void>;
  /** Refuses new calls, waits for pending ones, disconnects. May be called twice. */
  close(): Promise<void>;
};
