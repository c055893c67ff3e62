/** The errors that callers distinguish. Messages are sentences with the figures and, if there is one, the remedy. */
import type { AssociationInput } from './association-input.js';

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
 * Redis has not acknowledged these associations: they may or may not be in the queue. Enqueue them again; enqueueing
 * twice is harmless. `cause` is the error of Redis or of the connection, or a LabelLookupError.
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
    const count = associations.length === 1 ? 'an association' : `${associations.length} associations`;
    super(`${count} not acknowledged, enqueue again: ${messageOf(cause)}`, { cause });
    this.name = 'EnqueueError';
  }
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
    super(`there is no request ${id}: it is unknown, or its retention is over`);
    this.name = 'UnknownRequestError';
  }
}

/**
 * Several callers of the gateway share the request's job, so that none of them may cancel it. Thrown by `cancel`; nothing
 * has changed. Requests of the library never share jobs with others.
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
    super(`request ${id} shares its job with requests of other callers and cannot be cancelled`);
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
