/**
 * Budget of memory for bodies. It counts bytes that have arrived, and never announced ones.
 *  1. The first 256 KB of a body are read at once; all such beginnings together have a limit.
 *  2. A larger body needs a turn and reserves its largest size. The bytes of all turns have a limit; other bodies wait with
 *     the rest unread, and TCP holds them back. The queue of waiting bodies has a limit as well.
 * Small bodies are not counted at all (hold.ts).
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A larger body waits for its turn. */
export const LARGE_BODY_BYTES = 262_144;

export type BodyLimits = {
  /** bytes of all beginnings together */
  readonly beginnings: number;
  /** largest sizes of all bodies that have their turn, in bytes */
  readonly turns: number;
  /** largest sizes of all bodies that have their turn or wait for it, in bytes */
  readonly line: number;
};
type Waiting = { readonly bytes: number; enter(): void };

export class BodyBudget {
  #beginnings = 0;
  #inLine = 0;
  #inTurn = 0;
  readonly #line: Waiting[] = [];

  constructor(
    private readonly limits: BodyLimits,
    private readonly collect: () => void = collector(),
  ) {}

  /** True if a body waits for its turn. */
  get isAwaited(): boolean {
    return this.#line.length > 0;
  }

  /** @param atMost largest size of the body, bytes. The caller must close the body. */
  open(atMost: number): Body {
    let leaveLine = (): void => {};
    let [come, hasTurn] = [0, false];
    return {
      take: bytes => {
        if (hasTurn) return undefined;
        if (come + bytes > LARGE_BODY_BYTES) {
          if (this.#inLine + atMost > this.limits.line) return 'full';
          this.#beginnings -= come;
          [come, hasTurn] = [0, true];
          const place = this.#queue(atMost);
          leaveLine = place.leave;
          return place.turn;
        }
        if (this.#beginnings + bytes > this.limits.beginnings) return 'full';
        come += bytes;
        this.#beginnings += bytes;
        return undefined;
      },
      leave: () => {
        this.#beginnings -= come;
        come = 0;
        leaveLine();
        leaveLine = () => {};
      },
    };
  }

  #queue(bytes: number): { readonly turn: Promise<void>; leave(): void } {
    let entered = false;
    let enter = () => {};
    const turn = new Promise<void>(resolve => {
      enter = () => {
        entered = true;
        this.#inTurn += bytes;
        resolve();
      };
    });
    const waiting = { bytes, enter };
    this.#inLine += bytes;
    this.#line.push(waiting);
    this.#next();
    const leave = () => {
      this.#inLine -= bytes;
      if (entered) {
        this.#inTurn -= bytes;
        this.collect();
      } else this.#line.splice(this.#line.indexOf(waiting), 1);
      this.#next();
    };
    return { turn, leave };
  }

  #next(): void {
    const [first] = this.#line;
    if (!first || (this.#inTurn > 0 && this.#inTurn + first.bytes > this.limits.turns)) return;
    this.#line.shift();
    first.enter();
    this.#next();
  }
}

export type Body = {
  /** @returns undefined: the bytes may be kept; a promise: wait for it first; full: there is no room */
  take(bytes: number): Promise<unknown> | 'full' | undefined;
  leave(): void;
};

/**
 * Collects garbage at once. V8 mistakes the garbage of large requests for a growing heap: ten requests of 50,000 inputs in a
 * row made 290 MB of it. Collecting for 50 ms after each keeps memory at the need of one request.
 */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  let isPlanned = false;
  return () => {
    if (isPlanned) return;
    isPlanned = true;
    setImmediate(() => {
      isPlanned = false;
      gc();
    });
  };
}
