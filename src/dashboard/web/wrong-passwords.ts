/**
 * Limits wrong passwords: ten at once, then one in five seconds. Until then further passwords are not compared. The right
 * password costs nothing. Pure except for the clock, with bounded memory.
 */
const AT_ONCE = 10;
const EACH_MS = 5_000;
/** A forgotten address gets ten tries again, like a new address. */
const MOST_REMEMBERED = 10_000;
const LINE_EVERY_MS = 60_000;
/** For all addresses together: a flood from many addresses must not fill the log. */
const LINES_PER_MINUTE = 20;

type Tries = {
  /** the time from which all previous tries no longer count */
  paidAt: number;
  saidAt: number;
  /** tries since the last log line about this address */
  unsaid: number;
};
/** For one log line. */
export type Told = {
  /** tries of this address since the last line about it */
  tries: number;
  /** tries of other addresses without a log line */
  untold: number;
};

export class WrongPasswords {
  readonly #tries = new Map<string, Tries>();
  #minute = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #untold = 0;

  constructor(private readonly now: () => number) {}

  /** @returns milliseconds until a password of `who` is compared again; 0 = at once */
  waitMs(who: string): number {
    const paidAt = this.#tries.get(who)?.paidAt ?? 0;
    return Math.max(0, paidAt - this.now() - (AT_ONCE - 1) * EACH_MS);
  }

  /** Notes a wrong password. @returns what to log, if anything */
  wrong(who: string): Told | undefined {
    const tries = this.#of(who);
    tries.paidAt = Math.max(tries.paidAt, this.now()) + EACH_MS;
    return this.#tell(tries);
  }

  /** Notes a password that came too early and was not compared. @returns what to log, if anything */
  early(who: string): Told | undefined {
    return this.#tell(this.#of(who));
  }

  /** @returns the tries of an address, which becomes the most recent one */
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
