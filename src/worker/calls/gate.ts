/**
 * Gate: gives each call of this replica a slot and a permit.
 *  1. no more calls are in flight than there are slots; a slot is held for a call, not for a batch;
 *  2. permits are asked for one at a time, and where both lines wait they take turns: suspects (inputs that are searched
 *     for the guilty among them, and those that have failed in company) get at most half of the calls while others wait,
 *     and all of them when nobody else does, spread over the window: who comes then finds room (docs/decisions/0018);
 *  3. each permit says how many jobs of high priority wait in Redis; the gate passes it on, whoever the permit is for.
 */
import pLimit from 'p-limit';
import { isExpired } from '../../hubspot/departure.js';
import type { Permit, Quota } from '../../hubspot/quota.js';
import type { Passage, Turnstile } from '../../hubspot/turnstile.js';
import type { Notifier } from '../../shared/runtime/wait.js';
import type { Line } from '../batches/submission.js';
import { type Flow, sealedAhead } from '../jobs/flow.js';
import type { Searches } from './searches.js';

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
  /** it counts the calls of each line */
  readonly searches: Pick<Searches, 'called'>;
  /** told of jobs of high priority that wait in Redis: each permit says it */
  readonly flow: Pick<Flow, 'foundHigh'>;
  /** the gate notifies: the dispatcher has to fetch them */
  readonly work: Notifier;
};

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

type Slots = (ahead: number) => Promise<Leave>;

/** p-limit runs functions; a slot is a function that runs until it is left. @param ahead batches beyond the calls */
function slots(calls: number): Slots {
  const limit = pLimit(calls);
  return ahead => {
    limit.concurrency = calls + ahead;
    return new Promise(taken => void limit(() => new Promise<void>(leave => taken(leave))));
  };
}
