/**
 * What is submitted: pairs of one job, which ride in one batch or in several, with pairs of other jobs. The job hears of
 * them when all have an outcome. Pure.
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
  /** How many times the batches of these pairs are halved, because one of them may be at fault; 0: nobody suspects them */
  readonly suspicion: number;
  /** each of these pairs has failed before, for whatever reason */
  readonly failedBefore?: boolean;
  /** rides in the next call */
  readonly high?: boolean;
  /** OpenTelemetry's span of the job, where traces are on (tracing.ts) */
  readonly span?: unknown;
  /** told of every batch that some of the pairs ride in */
  onSealed?(batchId: string): void;
  /** Called once, with one outcome per pair, by position. It must not throw. */
  onOutcomes(outcomes: readonly Outcome[]): void;
};

/**
 * suspect: they have failed in company, and share their calls with such only · first: nothing is known against them, or
 * they are of high priority, which waits for nobody
 */
export type Line = 'first' | 'suspect';
export const LINES: readonly Line[] = ['first', 'suspect'];
export const lineOf = ({ suspicion, high }: Pick<Submission, 'suspicion' | 'high'>): Line =>
  suspicion > 0 && !high ? 'suspect' : 'first';

/** A submission on its way through batches. */
export type Ticket = {
  readonly submission: Submission;
  readonly typesText: string;
  /** the submission's; one list for all of the lane that say the same, so that a call of 2,000 jobs has one */
  readonly types: readonly AssociationType[];
  readonly outcomes: Outcome[];
  /** pairs without an outcome; the submission hears of them all when it reaches 0 */
  open: number;
};

/** Gives pairs of a ticket, none of which has an outcome yet, their outcome. @param end after the last of them */
export function settlePairs(ticket: Ticket, start: number, end: number, outcome: Outcome): void {
  const { outcomes } = ticket;
  for (let index = start; index < end; index++) {
    if (outcomes[index] !== undefined)
      throw new Error(`pair ${index} of a job has an outcome already: an input was settled twice`);
    outcomes[index] = outcome;
  }
  ticket.open -= end - start;
  if (ticket.open === 0) ticket.submission.onOutcomes(outcomes);
}
