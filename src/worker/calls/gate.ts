/**
 * Gate: gives each call of this replica a slot and a permit.
 *  1. No more calls are in flight than there are slots. A call takes a slot, not a batch.
 *  2. It requests permits one at a time, and if both lines wait, they take turns. Suspects (inputs of a search, and inputs that
 *     failed together with others) get at most half of the calls while first-timers wait, and all calls otherwise. Their
 *     calls are spread over the window, so that a new first-timer finds room (docs/decisions/0018).
 *  3. Each permit says how many jobs of high priority wait in Redis. The gate reports that to the flow, for both lines.
 */
import pLimit from 'p-limit';
import { isExpired } from '../../hubspot/departure.js';
import type { Permit, Quota } from '../../hubspot/quota.js';
import type { Passage, Turnstile } from '../../hubspot/turnstile.js';
import type { Notifier } from '../../shared/runtime/wait.js';
import type { Line } from '../batches/submission.js';
import { type Flow, sealedAhead } from '../flow.js';
import type { Searches } from './searches.js';

export type Leave = () => void;
/** A call may go. The caller must leave the slot when the call has ended, and use or release the permit. */
export type Turn = { readonly kind: 'turn'; readonly permit: Permit; readonly leave: Leave };
export type Entry = Turn | Exclude<Passage, Permit>;
/** full: waiting does not make the batch cheaper · partial: it may be paced · urgent: small, but sent all the same */
export type Size = 'full' | 'partial' | 'urgent';

export type GateParts = {
  readonly quota: Pick<Quota, 'release'>;
  readonly turnstile: Pick<Turnstile, 'pass' | 'isScarce'>;
  readonly maxConcurrentCalls: number;
  /** it counts the calls of each line */
  readonly searches: Pick<Searches, 'called'>;
  /** receives the number of waiting jobs of high priority with each permit */
  readonly flow: Pick<Flow, 'foundHigh'>;
  /** the gate notifies it when the dispatcher must fetch them */
  readonly work: Notifier;
};

export class Gate {
  readonly #slots: Slots;
  readonly #turns = new Turns();
  #inUse = 0;

  constructor(private readonly parts: GateParts) {
    this.#slots = slots(parts.maxConcurrentCalls);
  }

  /** Number of calls in flight. */
  get inFlight(): number {
    return Math.min(this.#inUse, this.parts.maxConcurrentCalls);
  }

  /** Waits for the line's turn, a slot and a permit. @throws Error if Redis fails */
  async pass(line: Line, size: Size, signal: AbortSignal): Promise<Entry> {
    await this.#turns.take(line);
    try {
      const entry = await this.#slotAndPermit(line, size, signal);
      if (entry.kind === 'turn') this.#granted(line, entry.permit);
      return entry;
    } finally {
      this.#turns.end();
    }
  }

  #granted(line: Line, { high }: Permit): void {
    const { searches, flow, work } = this.parts;
    searches.called(line);
    flow.foundHigh(high);
    if (high > 0) work.notify();
  }

  async #slotAndPermit(line: Line, size: Size, signal: AbortSignal): Promise<Entry> {
    const { quota, turnstile } = this.parts;
    const ahead = sealedAhead({ line, isFull: size === 'full', isScarce: turnstile.isScarce });
    const ask = () => turnstile.pass(size === 'partial', signal, line === 'suspect');
    let leave = ahead > 0 ? undefined : await this.#slot(ahead);
    try {
      let passage = await ask();
      leave ??= await this.#slot(ahead);
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

  async #slot(ahead: number): Promise<Leave> {
    const leave = await this.#slots(ahead);
    this.#inUse += 1;
    return () => {
      this.#inUse -= 1;
      leave();
    };
  }
}

/** One caller at a time requests a permit. If both lines wait, the line that was not served last is next. */
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
    // the turn passes directly to the next caller, so that no other caller gets in between
    if (go) go();
    else this.#isTaken = false;
  }
}

type Slots = (ahead: number) => Promise<Leave>;

/** p-limit runs functions; a slot is a function that runs until it is left. @param ahead batches beyond the calls */
function slots(calls: number): Slots {
  const limit = pLimit(calls);
  return ahead => {
    limit.concurrency = calls + ahead;
    return new Promise(taken => void limit(() => new Promise<void>(leave => taken(leave))));
  };
}
