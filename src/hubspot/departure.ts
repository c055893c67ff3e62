/**
 * Checks the clock immediately before a call's bytes are written. http.ts asks when it has a connection and only the
 * write is left (docs/decisions/0024). Pure except for the clock.
 */
import { clock } from '../shared/runtime/clock.js';

/** When a call may go. The worker passes it to the thread that makes the call. */
export type Slot = {
  /** {@link clock} of this process; never later than the permit's time, so that lateness is never underestimated */
  readonly at: number;
  /** a call that is later than this is not sent, because the replicas could exceed the window */
  readonly graceMs: number;
};

/** The permit had expired, so nothing was sent to HubSpot. */
export type NotSent = { readonly kind: 'not-sent'; readonly lateMs: number };

/** For calls that no permit limits. */
export const ANY_TIME: Slot = { at: Number.POSITIVE_INFINITY, graceMs: 0 };

/** A call that is at most this late counts as punctual: its time in the window is not corrected. */
const PUNCTUAL_MS = 5;

export const lateness = ({ at }: Slot): number => clock() - at;
export const isExpired = (slot: Slot): boolean => lateness(slot) > slot.graceMs;

export class Departure {
  #missed: NotSent | undefined;

  /** @param onLate called when a call goes later than its slot, so that the quota counts it from now */
  constructor(
    private readonly slot: Slot,
    private readonly onLate: (lateMs: number) => void = () => {},
  ) {}

  /** Set if the call was too late. */
  get missed(): NotSent | undefined {
    return this.#missed;
  }

  /** @returns false if it is too late to write */
  isOpen(): boolean {
    if (isExpired(this.slot)) this.#missed ??= { kind: 'not-sent', lateMs: lateness(this.slot) };
    return this.#missed === undefined;
  }

  /** Called when the bytes are written. */
  leave(): void {
    const lateMs = lateness(this.slot);
    if (lateMs > PUNCTUAL_MS) this.onLate(lateMs);
  }
}
