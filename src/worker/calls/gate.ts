/**
 * Gate: gives each call of this replica a slot and a permit.
 *  1. no more calls are in flight than there are slots; a slot is held for a call, not for a batch;
 *  2. permits are asked for one at a time, and where both lines wait they take turns: suspects (inputs that are searched
 *     for the guilty among them, and those that have failed in company) get at most half of the calls while others wait,
 *     and all of them when nobody else does, spread over the window: who comes then finds room (docs/decisions/0018).
 */
import pLimit from 'p-limit';
import { isExpired } from '../../hubspot/departure.js';
import type { Permit, Quota } from '../../hubspot/quota.js';
import type { Passage, Turnstile } from '../../hubspot/turnstile.js';
import type { Line } from '../batches/submission.js';

export type Leave = () => void;
/** A call may go; the slot must be left when it has ended, the permit used or released. */
export type Turn = { readonly kind: 'turn'; readonly permit: Permit; readonly leave: Leave };
export type Entry = Turn | Exclude<Passage, Permit>;
/** full: a batch that waiting makes no cheaper · partial: it may be paced · urgent: small, and sent all the same */
export type Size = 'full' | 'partial' | 'urgent';

export type GateParts = {
  readonly quota: Pick<Quota, 'release'>;
  readonly turnstile: Pick<Turnstile, 'pass' | 'isScarce'>;
  readonly maxConcurrentCalls: number;
  readonly onTurn?: (line: Line) => void;
};

const ON_DECK = 2;

export class Gate {
  readonly #slots: Slots;
  readonly #turns = new Turns();
  #inUse = 0;

  constructor(private readonly parts: GateParts) {
    this.#slots = slots(parts.maxConcurrentCalls);
  }

  /** Calls on their way to HubSpot. */
  get inFlight(): number {
    return Math.min(this.#inUse, this.parts.maxConcurrentCalls);
  }

  /** Waits for the line's turn, a slot and a permit. It throws where Redis does. */
  async pass(line: Line, size: Size, signal: AbortSignal): Promise<Entry> {
    await this.#turns.take(line);
    try {
      const entry = await this.#slotAndPermit(line, size, signal);
      if (entry.kind === 'turn') this.parts.onTurn?.(line);
      return entry;
    } finally {
      this.#turns.end();
    }
  }

  async #slotAndPermit(line: Line, size: Size, signal: AbortSignal): Promise<Entry> {
    const { quota, turnstile } = this.parts;
    // Permits that are scarce are asked for with a slot in hand, so that none waits longer than it must. Where they are
    // plenty the round trip is made while all slots are taken, and two full batches stand ready for the next slots: those
    // were idle for a sixth of the time otherwise. (The caller makes no more calls at once than it may.)
    const isPlenty = line === 'first' && size === 'full' && !turnstile.isScarce;
    const onDeck = isPlenty ? ON_DECK : 0;
    const ask = () => turnstile.pass(size === 'partial', signal, line === 'suspect');
    let leave = isPlenty ? undefined : await this.#slot(onDeck);
    try {
      let passage = await ask();
      leave ??= await this.#slot(onDeck);
      if (passage.kind === 'granted' && isExpired(passage.slot)) {
        await quota.release(passage);
        passage = await ask();
      }
      if (passage.kind !== 'granted') return passage;
      const turn: Turn = { kind: 'turn', permit: passage, leave };
      leave = undefined;
      return turn;
    } finally {
      leave?.();
    }
  }

  async #slot(onDeck: number): Promise<Leave> {
    const leave = await this.#slots(onDeck);
    this.#inUse += 1;
    return () => {
      this.#inUse -= 1;
      leave();
    };
  }
}

/** One caller at a time asks for a permit; where both lines wait, the line that was not served last is next. */
class Turns {
  readonly #waiting: Readonly<Record<Line, (() => void)[]>> = { first: [], suspect: [] };
  #isTaken = false;
  #last: Line = 'suspect';

  async take(line: Line): Promise<void> {
    if (this.#isTaken) await new Promise<void>(go => this.#waiting[line].push(go));
    this.#isTaken = true;
    this.#last = line;
  }

  end(): void {
    const other = this.#last === 'first' ? 'suspect' : 'first';
    const go = this.#waiting[other].shift() ?? this.#waiting[this.#last].shift();
    // it stays taken for who goes: nobody may slip in between
    if (go) go();
    else this.#isTaken = false;
  }
}

type Slots = (onDeck: number) => Promise<Leave>;

/** p-limit runs functions; a slot is a function that runs until it is left. @param onDeck batches beyond the calls */
function slots(calls: number): Slots {
  const limit = pLimit(calls);
  return onDeck => {
    limit.concurrency = calls + onDeck;
    return new Promise(taken => void limit(() => new Promise<void>(leave => taken(leave))));
  };
}
