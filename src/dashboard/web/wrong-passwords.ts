/**
 * How often somebody may be wrong: ten times at once, then once in five seconds. Whoever has used that up is not compared
 * until then. The right password costs nothing. Pure but for the clock, and of bounded size.
 */
const AT_ONCE = 10;
const EACH_MS = 5_000;
/** Somebody forgotten may try ten times more: as if from another address. */
const MOST_REMEMBERED = 10_000;
const LINE_EVERY_MS = 60_000;
/** Over all: a flood from many addresses must not fill the log. */
const LINES_PER_MINUTE = 20;

type Tries = {
  /** the time at which all tries so far are paid for */
  paidAt: number;
  saidAt: number;
  /** tries since the log said something of them */
  unsaid: number;
};
/** For one log line. */
export type Told = {
  /** of this one, since the last line about it */
  tries: number;
  /** of others, that no line told of */
  untold: number;
};

export class WrongPasswords {
  readonly #tries = new Map<string, Tries>();
  #minute = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #untold = 0;

  constructor(private readonly now: () => number) {}

  /** @returns milliseconds until `who` is listened to again; 0 = at once */
  waitMs(who: string): number {
    const paidAt = this.#tries.get(who)?.paidAt ?? 0;
    return Math.max(0, paidAt - this.now() - (AT_ONCE - 1) * EACH_MS);
  }

  /** Somebody was wrong. */
  wrong(who: string): Told | undefined {
    const tries = this.#of(who);
    tries.paidAt = Math.max(tries.paidAt, this.now()) + EACH_MS;
    return this.#tell(tries);
  }

  /** Somebody came before the time was over, and was not compared. */
  early(who: string): Told | undefined {
    return this.#tell(this.#of(who));
  }

  /** Remembered as the latest. */
  #of(who: string): Tries {
    const tries = this.#tries.get(who) ?? { paidAt: 0, saidAt: Number.NEGATIVE_INFINITY, unsaid: 0 };
    this.#tries.delete(who);
    this.#tries.set(who, tries);
    if (this.#tries.size > MOST_REMEMBERED) {
      const [[oldest, { unsaid }] = ['', { unsaid: 0 }]] = this.#tries;
      this.#tries.delete(oldest);
      this.#untold += unsaid;
    }
    return tries;
  }

  #tell(tries: Tries): Told | undefined {
    const now = this.now();
    tries.unsaid += 1;
    if (now - this.#minute >= LINE_EVERY_MS) {
      this.#minute = now;
      this.#lines = 0;
    }
    if (now - tries.saidAt < LINE_EVERY_MS || this.#lines >= LINES_PER_MINUTE) return undefined;
    const told = { tries: tries.unsaid, untold: this.#untold };
    tries.unsaid = 0;
    tries.saidAt = now;
    this.#lines += 1;
    this.#untold = 0;
    return told;
  }
}
