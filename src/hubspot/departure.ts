/**
 * The last look at the clock before a call's bytes are written. Pure but for the clock: http.ts asks when it has a
 * connection in hand and nothing but the write is left (docs/decisions/0024).
 */
import { clock } from '../shared/runtime/clock.js';

/** When a call may go. It travels to the thread that makes the call. */
export type Slot = {
  /** {@link clock} of this process; never earlier than the permit's time on Redis' clock would say */
  readonly at: number;
  /** used later than that, the permit could let others exceed the window: nothing is sent */
  readonly graceMs: number;
};

/** Nothing has reached HubSpot: the permit had expired. */
export type NotSent = { readonly kind: 'not-sent'; readonly lateMs: number };

/** For calls that no permit limits. */
export const ANY_TIME: Slot = { at: Number.POSITIVE_INFINITY, graceMs: 0 };

/** A call that is less late than this is punctual: its time in the window stands. */
const PUNCTUAL_MS = 5;

export const lateness = ({ at }: Slot): number => clock() - at;
export const isExpired = (slot: Slot): boolean => lateness(slot) > slot.graceMs;

export class Departure {
  #missed: NotSent | undefined;

  /** @param onLate the call goes now, so much later than its slot: it counts from now */
  constructor(
    private readonly slot: Slot,
    private readonly onLate: (lateMs: number) => void = () => {},
  ) {}

  /** Set when the call was too late. */
  get missed(): NotSent | undefined {
    return this.#missed;
  }

  /** @returns false when nothing may be written any more */
  isOpen(): boolean {
    if (isExpired(this.slot)) this.#missed ??= { kind: 'not-sent', lateMs: lateness(this.slot) };
    return this.#missed === undefined;
  }

  /** The bytes are written now. */
  leave(): void {
    const lateMs = lateness(this.slot);
    if (lateMs > PUNCTUAL_MS) this.onLate(lateMs);
  }
}
