/** Associations decided a second, over the last readings. Pure. */

const WINDOW_MS = 20_000;
/** Readings nearer to each other say more about the moment of the settlements than about the rate. */
const LEAST_MS = 4_000;

export class Rate {
  readonly #readings: { at: number; decided: number }[] = [];

  /**
   * @param now Redis ms
   * @param decided created + rejected, since ever
   * @returns null: nobody has looked for long enough to know. No rate is better than that of another time.
   */
  perSecond(now: number, decided: number): number | null {
    const last = this.#readings.at(-1);
    // nobody looked for a while, or a queue was emptied: what was read before says nothing
    if (last && (now - last.at > WINDOW_MS || now < last.at || decided < last.decided))
      this.#readings.length = 0;
    this.#readings.push({ at: now, decided });
    while ((this.#readings[0]?.at ?? now) < now - WINDOW_MS) this.#readings.shift();
    const first = this.#readings[0];
    if (!first || now - first.at < LEAST_MS) return null;
    return ((decided - first.decided) / (now - first.at)) * 1_000;
  }
}
