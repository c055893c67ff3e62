/**
 * A submission: pairs of one job, which are sent in one or more batches with pairs of other jobs. The job gets the outcomes
 * when all its pairs have one. Pure.
 */
import type { AssociationType } from '../../shared/contract/association.js';
import type { Pairs } from '../../shared/contract/pairs.js';
import type { Outcome } from './outcome.js';

/** Pairs of one job at one attempt. */
export type Submission = {
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly types: readonly AssociationType[];
  readonly pairs: Pairs;
  /** how many times the batches of these pairs are halved, because one of them may be invalid; 0: not suspected */
  readonly suspicion: number;
  /** each of these pairs has failed before, for whatever reason */
  readonly failedBefore?: boolean;
  /** high priority: goes in the next call */
  readonly high?: boolean;
  /** id of the request that the job is of */
  readonly requestId?: string | undefined;
  /** OpenTelemetry's span of the job, if traces are on (tracing.ts) */
  readonly span?: unknown;
  /** called for every batch that contains some of the pairs */
  onSealed?(batchId: string): void;
  /** Called once, with one outcome per pair, by position. It must not throw. */
  onOutcomes(outcomes: readonly Outcome[]): void;
};

/**
 * suspect: the pairs failed together with others, and share calls only with suspects · first: the pairs are not suspected, or
 * have high priority
 */
export type Line = 'first' | 'suspect';
export const LINES: readonly Line[] = ['first', 'suspect'];
export const lineOf = ({ suspicion, high }: Pick<Submission, 'suspicion' | 'high'>): Line =>
  suspicion > 0 && !high ? 'suspect' : 'first';

/** A submission while it is in lanes and batches. */
export type Ticket = {
  readonly submission: Submission;
  readonly typesText: string;
  /** types of the submission; equal lists of a lane are one object, so that a call of 2,000 jobs has one list */
  readonly types: readonly AssociationType[];
  /** undefined until the first outcome, because thousands of jobs wait without one */
  outcomes: Outcome[] | undefined;
  /** number of pairs without an outcome; at 0 the submission gets all outcomes */
  open: number;
};

/** Gives an outcome to consecutive pairs of a ticket, none of which has one. @param end index after the last pair */
export function settlePairs(ticket: Ticket, start: number, end: number, outcome: Outcome): void {
  ticket.outcomes ??= new Array<Outcome>(ticket.submission.pairs.length);
  const { outcomes } = ticket;
  for (let index = start; index < end; index++) {
    if (outcomes[index] !== undefined)
      throw new Error(`pair ${index} of a job has an outcome already: an input was settled twice`);
    outcomes[index] = outcome;
  }
  ticket.open -= end - start;
  if (ticket.open === 0) ticket.submission.onOutcomes(outcomes);
}
