/** The few errors that callers tell apart. Messages are sentences with the numbers and, where there is one, the remedy. */
import type { Association } from './association.js';

/** The user's configuration or options are wrong; `problems` lists all of them. The command line exits 2. */
export class ConfigError extends Error {
  readonly code = 'CONFIG';
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

/** The faults that a message repeats; the error itself holds all. */
const FAULTS_IN_MESSAGE = 10;

/** What a call that could not enqueue everything did enqueue, and where it stopped. */
export type EnqueueProgress = {
  /** acknowledged by Redis */
  enqueued: { associations: number; jobs: number };
  /** items taken from the iterable: the item with this index, and all after it, were not looked at */
  read: number;
};

/** Associations that cannot be enqueued as they are: every fault is named with its place. Nothing of them was enqueued. */
export class InvalidAssociationError extends Error {
  readonly code = 'INVALID_ASSOCIATION';
  /**
   * @param faults with several associations each begins with its index: `item 7: from: "" is not a record id`
   * @param indexes of several associations: those that were not enqueued, ascending; the others were
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
 * Redis has not acknowledged these associations: they may or may not be in the queue. Enqueue them again; twice is
 * harmless. `cause` is what Redis or the connection said.
 */
export class EnqueueError extends Error {
  readonly code = 'ENQUEUE';
  /**
   * @param associations those not acknowledged, in the order in which they were handed over
   * @param progress of `enqueueMany`: what was acknowledged before, and from which item on nothing was looked at
   * @param invalid of `enqueueMany`: faults of items that were left out besides
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
 * HubSpot, or what we know of it, could not be asked for the labels of an object pair: whether a label exists is not
 * known. Nothing is wrong with the association; try again.
 */
export class LabelLookupError extends Error {
  readonly code = 'LABEL_LOOKUP';
  /** @param retryAfterMs when to try again; a guess where HubSpot has not said */
  constructor(
    message: string,
    readonly retryAfterMs: number = 5_000,
  ) {
    super(message);
    this.name = 'LabelLookupError';
  }
}

export const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);

/**
 * A message without the places that it names: where Redis or a proxy is, is not for whoever may call. Errors of the network
 * name hosts and ports behind their codes.
 */
export const withoutAddresses = (text: string): string =>
  text
    .replace(/\b(E[A-Z_]{3,}) [^\s;,)]+/g, '$1')
    .replace(/\b(MOVED|ASK) \d+ \S+/g, '$1')
    .replace(/(certificate's altnames): [^;]*/, '$1')
    .replace(/\b[a-z]+:\/\/\S+/gi, '(address)')
    .replace(/\b\d{1,3}(\.\d{1,3}){3}(:\d+)?/g, '(address)')
    .replace(/\[?(?:[0-9a-f]{0,4}:){3,}[0-9a-f]{0,4}\]?(:\d+)?/gi, '(address)');
