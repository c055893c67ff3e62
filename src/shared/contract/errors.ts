/** The errors that callers distinguish. Messages are sentences with the figures and, if there is one, the remedy. */
import type { Association } from './association.js';

/** The user's configuration or options are wrong; `problems` lists all of them. The command line exits 2. */
export class ConfigError extends Error {
  readonly code = 'CONFIG';
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

/** Most faults in a message; the error object has all of them. */
const FAULTS_IN_MESSAGE = 10;

/** What a failed call enqueued, and where it stopped. */
export type EnqueueProgress = {
  /** acknowledged by Redis */
  enqueued: { requestId: string; associations: number; jobs: number };
  /** items read from the iterable: the item with this index and all later ones were not read */
  read: number;
};

/** Invalid associations. Every fault names its place. None of these associations was enqueued. */
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
 * twice is harmless. `cause` is the error of Redis or of the connection.
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
    readonly associations: readonly Association[],
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
 * be valid; try again.
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

/** There is no request with this id: it never existed, or its retention is over. */
export class UnknownRequestError extends Error {
  readonly code = 'UNKNOWN_REQUEST';
  constructor(readonly id: string) {
    super(`there is no request ${id}: it is unknown, or its retention is over`);
    this.name = 'UnknownRequestError';
  }
}

/** Several callers share the request's job, so that none of them may cancel it. */
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
