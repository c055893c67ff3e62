/** The outcome of one association. A closed union: code that handles it must handle all four. */
import type { ErrorContext } from '../../shared/contract/association.js';

/** Why the association was not created, in HubSpot's words. The job adds the attempt and the number of pairs concerned. */
export type Failure = Readonly<Omit<ErrorContext, 'attempt' | 'pairs'>>;

/** The reason to wait, and for how long (milliseconds from now). */
export type Hold = Readonly<{
  /**
   * account: no call may go · pair: no call for this object pair with these types · request: a person takes back the request ·
   * shutdown: this process ends
   */
  scope: 'account' | 'pair' | 'request' | 'shutdown';
  forMs: number;
  reason: string;
}>;

export const SHUTTING_DOWN: Hold = { scope: 'shutdown', forMs: 0, reason: 'this worker is shutting down' };

/** The cancel takes the job out of the queue meanwhile. If nobody does, the job comes back and is given back again. */
export const TAKEN_BACK: Hold = { scope: 'request', forMs: 5_000, reason: 'a person takes back the request' };

export type Outcome =
  | { readonly kind: 'created' }
  /** it comes back with its error */
  | {
      readonly kind: 'retry';
      readonly failure: Failure;
      /** attempt: HubSpot objected to the input · time: HubSpot was unavailable */
      readonly spends: 'attempt' | 'time';
      /** by how many halvings its batches become smaller, because it may be invalid; 0 or absent: not suspected */
      readonly suspicion?: number;
    }
  /** final */
  | { readonly kind: 'rejected'; readonly failure: Failure }
  /** spends neither attempt nor time */
  | { readonly kind: 'held'; readonly hold: Hold };

export const CREATED: Outcome = { kind: 'created' };
