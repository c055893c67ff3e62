/** What becomes of one association. A closed set: whoever handles it handles all four. */
import type { ErrorContext } from '../../shared/contract/association.js';

/** Why it was not created, in HubSpot's words; the job adds which attempt it was and how many pairs it concerned. */
export type Failure = Readonly<Omit<ErrorContext, 'attempt' | 'pairs'>>;

/** What is waited for, and for how long (milliseconds from now). */
export type Hold = Readonly<{
  /** account: nothing can be sent · pair: this object pair with these types · shutdown: this process ends */
  scope: 'account' | 'pair' | 'shutdown';
  forMs: number;
  reason: string;
}>;

export const SHUTTING_DOWN: Hold = { scope: 'shutdown', forMs: 0, reason: 'this worker is shutting down' };

export type Outcome =
  | { readonly kind: 'created' }
  /** it comes back with its error */
  | {
      readonly kind: 'retry';
      readonly failure: Failure;
      /** attempt: HubSpot has said something about the input · time: HubSpot was unavailable, nobody's fault */
      readonly spends: 'attempt' | 'time';
      /** by how many halvings its batches become smaller, because it may be at fault; 0 or absent: nobody suspects it */
      readonly suspicion?: number;
    }
  /** final */
  | { readonly kind: 'rejected'; readonly failure: Failure }
  /** not its fault: neither attempt nor time is spent */
  | { readonly kind: 'held'; readonly hold: Hold };

export const CREATED: Outcome = { kind: 'created' };
