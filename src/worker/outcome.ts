/** What becomes of one association. A closed set: whoever handles it handles all four. */
import type { ErrorContext } from '../shared/association.js';

/** Why it was not created, in HubSpot's words; the job adds which attempt it was and how many pairs it concerned. */
export type Failure = Readonly<Omit<ErrorContext, 'attempt' | 'pairs'>>;

/** What is waited for, and for how long (milliseconds from now). */
export type Hold = Readonly<{
  /** account: nothing can be sent · pair: this object pair with these types · shutdown: this process ends */
  scope: 'account' | 'pair' | 'shutdown';
  forMs: number;
  reason: string;
}>;

export type Outcome =
  | { readonly kind: 'created' }
  /** an attempt is spent, it comes back with its error */
  | { readonly kind: 'retry'; readonly failure: Failure }
  /** final */
  | { readonly kind: 'rejected'; readonly failure: Failure }
  /** not its fault: no attempt is spent */
  | { readonly kind: 'held'; readonly hold: Hold };

export const CREATED: Outcome = { kind: 'created' };
