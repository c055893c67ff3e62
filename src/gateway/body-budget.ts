/**
 * Memory for bodies: however many large requests come at once, only so many bytes of them are read at a time. The others
 * wait their turn with their bodies unread: TCP holds them back. Small ones do not wait behind large ones.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Larger bodies wait for their turn. */
export const LARGE_BODY_BYTES = 262_144;

type Waiting = { readonly bytes: number; enter(): void };
export type Place = { readonly turn: Promise<void> | undefined; leave(): void };

export class BodyBudget {
  #held = 0;
  #heldByLarge = 0;
  readonly #line: Waiting[] = [];

  /**
   * @param large bytes of large bodies that are read at a time
   * @param total bytes that may be held or waited for by all
   */
  constructor(
    private readonly large: number,
    private readonly total: number,
    private readonly collect: () => void = collector(),
  ) {}

  /** @returns undefined when there are too many; otherwise a place, which must be left, and for a large body its turn */
  enter(bytes: number): Place | undefined {
    if (this.#held + bytes > this.total) return undefined;
    this.#held += bytes;
    if (bytes > LARGE_BODY_BYTES) return this.#queue(bytes);
    return {
      turn: undefined,
      leave: () => {
        this.#held -= bytes;
      },
    };
  }

  #queue(bytes: number): Place {
    let entered = false;
    let enter = () => {};
    const turn = new Promise<void>(resolve => {
      enter = () => {
        entered = true;
        this.#heldByLarge += bytes;
        resolve();
      };
    });
    const waiting = { bytes, enter };
    this.#line.push(waiting);
    this.#next();
    const leave = () => {
      this.#held -= bytes;
      if (entered) {
        this.#heldByLarge -= bytes;
        this.collect();
      } else this.#line.splice(this.#line.indexOf(waiting), 1);
      this.#next();
    };
    return { turn, leave };
  }

  #next(): void {
    const [first] = this.#line;
    if (!first || (this.#heldByLarge > 0 && this.#heldByLarge + first.bytes > this.large)) return;
    this.#line.shift();
    first.enter();
    this.#next();
  }
}

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
