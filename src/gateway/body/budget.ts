/**
 * Memory for bodies: what has come of them counts, and never what they announce.
 *  1. The first 256 KB of a body are read as they come; all such beginnings together have a limit.
 *  2. Who goes on needs a turn, and reserves what its body may become. Only so many bytes are read in turn at a time; the
 *     others wait with the rest unread: TCP holds them back. The line has a limit, too.
 * Bodies too small to matter do not come here at all (hold.ts).
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Who sends more waits for its turn. */
export const LARGE_BODY_BYTES = 262_144;

export type BodyLimits = {
  /** bytes of all beginnings together */
  readonly beginnings: number;
  /** bytes that those may become that have their turn at a time */
  readonly turns: number;
  /** bytes that those may become that have their turn or wait for it */
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

  /** Somebody waits for its turn. */
  get isAwaited(): boolean {
    return this.#line.length > 0;
  }

  /** @param atMost bytes that the body may become; it must be left */
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
  /** @returns undefined: it may be kept; a turn: not before that; full: there is no room */
  take(bytes: number): Promise<unknown> | 'full' | undefined;
  leave(): void;
};

/**
 * Collects garbage at once. V8 takes the garbage of large requests for a heap that grows: ten requests of 50,000 inputs
 * in a row made 290 MB of it, and 50 ms of collecting after each keeps it at what one of them needs.
 */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return () => setImmediate(gc);
}
