/** The errors that callers distinguish. Messages are sentences with the figures and, if there is one, the remedy. */
import type { AssociationInput } from './association-input.js';
import { counted } from './counted.js';

/**
 * Options or settings are wrong. `problems` lists all of them, and the message has each in a line of its own; passwords and
 * tokens are never quoted. Thrown by `createProducer`, and by calls whose options are wrong: nothing was enqueued. The
 * command line exits 2.
 *
 * @example
 * ```ts
 * import { ConfigError, createProducer, type ProducerOptions } from 'hubspot-association-queue-client';
 *
 * const options = { redisURL: 'redis://127.0.0.1', packMs: -1 };
 * try {
 *   createProducer(options as ProducerOptions);
 * } catch (error) {
 *   if (!(error instanceof ConfigError)) throw error;
 *   console.log(error.problems[0]); // prints: redisURL is not an option: did you mean redisUrl?
 *   console.log(error.problems[1]); // prints: packMs: -1 is not between 0 and 10000
 * }
 * ```
 */
export class ConfigError extends Error {
  readonly code = 'CONFIG';
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

/** Most faults in a message; the error object has all of them. */
const FAULTS_IN_MESSAGE = 10;

/**
 * What a failed `enqueueMany` enqueued, and where it stopped reading.
 *
 * @example
 * ```ts
 * import { createProducer, InvalidAssociationError } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const link = { fromObjectType: 'contacts', toObjectType: 'companies', from: 110, to: 202 };
 * try {
 *   await producer.enqueueMany([link, { ...link, to: 'x y' }, { ...link, to: 203 }]);
 * } catch (error) {
 *   if (!(error instanceof InvalidAssociationError)) throw error;
 *   console.log(error.progress?.enqueued.associations, error.progress?.read); // prints: 2 3
 * }
 * ```
 */
export type EnqueueProgress = {
  /** acknowledged by Redis: the id of the request, and the numbers of associations and of jobs */
  enqueued: { requestId: string; associations: number; jobs: number };
  /** items read from the iterable: the item with this index and all later ones were not read */
  read: number;
};

/**
 * Invalid associations: none of them was enqueued. `faults` has every fault with its place; the message has the first ten.
 * From `enqueueMany`, `indexes` says which items were skipped; all others are enqueued.
 *
 * @example
 * ```ts
 * import { createProducer, InvalidAssociationError } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * try {
 *   await producer.enqueue({ fromObjectType: 'contacts', toObjectType: 'companies', from: 'a b', to: 1, types: 'X:1' });
 * } catch (error) {
 *   if (!(error instanceof InvalidAssociationError)) throw error;
 *   console.log(error.faults.length); // prints: 2
 *   console.log(error.faults[1]); // prints: from: "a b" is not a record id
 * }
 * ```
 */
export class InvalidAssociationError extends Error {
  readonly code = 'INVALID_ASSOCIATION';
  /**
   * @param faults for several associations, each fault begins with the index: `item 7: from: "" is not a record id`
   * @param indexes for several associations: indexes of those that were not enqueued, ascending. All others were.
   */
  constructor(
    readonly faults: readonly string[],
    readonly indexes: readonly number[] = [],
    readonly progress?: EnqueueProgress,
  ) {
    const more = faults.length - FAULTS_IN_MESSAGE;
    const named = faults.slice(0, FAULTS_IN_MESSAGE).join('; ');
    super(`invalid association: ${named}${more > 0 ? `; and ${more} more` : ''}`);
    this.name = 'InvalidAssociationError';
  }
}

/**
 * Redis cannot be used: it is unreachable, or it refuses. The message has its address, without the password, and why.
 * `enqueue` and `enqueueMany` have it as the `cause` of an EnqueueError; all other calls throw it.
 *
 * @example
 * ```ts
 * import { createProducer, RedisUnavailableError } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer({ redisUrl: 'redis://127.0.0.1:1' }); // nobody listens there
 * await producer.connected().catch((error: unknown) => {
 *   console.log(error instanceof RedisUnavailableError); // prints: true
 * });
 * ```
 */
export class RedisUnavailableError extends Error {
  readonly code = 'REDIS_UNAVAILABLE';
  constructor(message: string) {
    super(message);
    this.name = 'RedisUnavailableError';
  }
}

/**
 * Somebody cancelled the request while it was being enqueued: the rest is not enqueued, and what was queued is taken back.
 * It is the `cause` of an EnqueueError.
 *
 * @example
 * ```ts
 * import { createProducer, EnqueueError, RequestCancelledError } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const link = { fromObjectType: 'contacts', toObjectType: 'companies', from: 117, to: 202 };
 * await producer.enqueueMany([link]).catch((error: unknown) => {
 *   if (!(error instanceof EnqueueError && error.cause instanceof RequestCancelledError)) throw error;
 *   console.log('somebody does not want these links');
 * });
 * ```
 */
export class RequestCancelledError extends Error {
  readonly code = 'REQUEST_CANCELLED';
  /** @param by who cancelled it; '' if the record does not say it */
  constructor(by: string) {
    super(`the request was cancelled${by ? ` by ${by}` : ''}`);
    this.name = 'RequestCancelledError';
  }
}

/**
 * Redis has not acknowledged these associations: they may or may not be in the queue. Enqueue them again; enqueueing
 * twice is harmless. `cause` says why: a RedisUnavailableError, a LabelLookupError, or a RequestCancelledError (then there
 * is nothing to repeat).
 *
 * @example
 * ```ts
 * import { createProducer, EnqueueError } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer({ redisUrl: 'redis://127.0.0.1:1' }); // nobody listens there
 * try {
 *   await producer.enqueue({ fromObjectType: 'contacts', toObjectType: 'companies', from: 101, to: 202 });
 * } catch (error) {
 *   if (!(error instanceof EnqueueError)) throw error;
 *   console.log(error.associations.length); // prints: 1
 * }
 * ```
 */
export class EnqueueError extends Error {
  readonly code = 'ENQUEUE';
  /**
   * @param associations the unacknowledged ones, in the caller's order
   * @param progress for `enqueueMany`: what Redis acknowledged, and the first item that was not read
   * @param invalid for `enqueueMany`: faults of items that were skipped
   */
  constructor(
    cause: unknown,
    readonly associations: readonly AssociationInput[],
    readonly progress?: EnqueueProgress,
    readonly invalid?: InvalidAssociationError,
  ) {
    super(`${lossOf(associations.length, cause, progress)}: ${messageOf(cause)}`, { cause });
    this.name = 'EnqueueError';
  }
}

/** What is lost, and what to do. */
function lossOf(associations: number, cause: unknown, progress: EnqueueProgress | undefined): string {
  const count = associations === 1 ? 'an association' : counted(associations, 'association');
  if (cause instanceof RequestCancelledError)
    return associations === 0 ? 'nothing more is enqueued' : `${count} not enqueued, or taken back`;
  if (associations > 0) return `${count} not acknowledged, enqueue again`;
  return progress
    ? 'everything that was read is enqueued, but the end of its request is not noted'
    : 'nothing is enqueued';
}

/**
 * The labels of an object pair could not be looked up, so that nobody knows whether a label exists. The association may
 * be valid; try again after `retryAfterMs` milliseconds. It is the `cause` of an EnqueueError.
 *
 * @example
 * ```ts
 * import { createProducer, EnqueueError, LabelLookupError } from 'hubspot-association-queue-client';
 *
 * const hubspot = { accessToken: 'any', baseUrl: 'http://127.0.0.1:1' }; // nobody listens there
 * await using producer = createProducer({ hubspot });
 * const link = { fromObjectType: 'deals', toObjectType: 'tickets', from: 301, to: 401 };
 * try {
 *   await producer.enqueue({ ...link, label: 'Escalated' });
 * } catch (error) {
 *   if (!(error instanceof EnqueueError)) throw error;
 *   console.log(error.cause instanceof LabelLookupError); // prints: true
 * }
 * ```
 */
export class LabelLookupError extends Error {
  readonly code = 'LABEL_LOOKUP';
  /** @param retryAfterMs when to try again; a guess if HubSpot gave no time */
  constructor(
    message: string,
    readonly retryAfterMs: number = 5_000,
  ) {
    super(message);
    this.name = 'LabelLookupError';
  }
}

/**
 * There is no request with this id: it never existed, or its retention is over. Thrown by `waitFor` and `cancel`.
 *
 * @example
 * ```ts
 * import { createProducer, UnknownRequestError } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * try {
 *   await producer.waitFor('no-such-request');
 * } catch (error) {
 *   if (!(error instanceof UnknownRequestError)) throw error;
 *   console.log(error.id); // prints: no-such-request
 * }
 * ```
 */
export class UnknownRequestError extends Error {
  readonly code = 'UNKNOWN_REQUEST';
  constructor(readonly id: string) {
    super(`there is no request ${id}, or it is no longer kept`);
    this.name = 'UnknownRequestError';
  }
}

/**
 * Requests of one association that came through the gateway share their job, so that none of them can be cancelled alone.
 * Thrown by `cancel`; nothing has changed. Requests of the library never share jobs.
 *
 * @example
 * ```ts
 * import { createProducer, SharedRequestError } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const link = { fromObjectType: 'contacts', toObjectType: 'companies', from: 111, to: 202 };
 * const { requestId } = await producer.enqueueMany([link]);
 * await producer.cancel(requestId).catch((error: unknown) => {
 *   if (error instanceof SharedRequestError) console.log(`${error.id} can only be waited for`);
 *   else throw error;
 * });
 * ```
 */
export class SharedRequestError extends Error {
  readonly code = 'SHARED_REQUEST';
  constructor(readonly id: string) {
    super(`request ${id} shares its job with other requests to the gateway and cannot be cancelled alone`);
    this.name = 'SharedRequestError';
  }
}

export const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);

/**
 * Removes hosts and ports from a message, because callers must not learn where Redis or a proxy is. Network errors name
 * them after their codes.
 */
export const withoutAddresses = (text: string): string =>
  text
    .replace(/\b(E[A-Z_]{3,}) [^\s;,)]+/g, '$1')
    .replace(/\b(MOVED|ASK) \d+ \S+/g, '$1')
    .replace(/(certificate's altnames): [^;]*/, '$1')
    .replace(/\b[a-z]+:\/\/\S+/gi, '(address)')
    .replace(/\b\d{1,3}(\.\d{1,3}){3}(:\d+)?/g, '(address)')
    .replace(/\[?(?:[0-9a-f]{0,4}:){3,}[0-9a-f]{0,4}\]?(:\d+)?/gi, '(address)');
