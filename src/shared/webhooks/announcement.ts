/** What webhooks announce, as take.lua writes it. Times are milliseconds; moments are on Redis' clock. */

/** The id is the same in whatever process posts it. */
type Common = { readonly id: string; readonly at: number };

/** Something that operators look after; each is announced once per incident. */
export type Incident = Common &
  (
    | { readonly kind: 'held'; readonly hold: string; readonly reason: string; readonly heldUntil: number }
    | { readonly kind: 'resumed'; readonly heldMs: number }
    | {
        readonly kind: 'rejections';
        readonly rejected: number;
        readonly decided: number;
        /** percent */
        readonly rate: number;
        readonly windowMs: number;
      }
    /** `since`: no worker was alive from then on; `jobs`: unfinished ones */
    | { readonly kind: 'workers.missing' | 'workers.back'; readonly since: number; readonly jobs: number }
  );
/** A request has ended; `at` says when. */
export type RequestEnd = Common & { readonly kind: 'request'; readonly request: string };
export type Announcement = Incident | RequestEnd;
