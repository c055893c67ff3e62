/** Computes the associations decided per second over the last readings. Pure. */

const WINDOW_MS = 20_000;
/** Readings that are closer together depend more on the moments of the settlements than on the rate. */
const LEAST_MS = 4_000;

export class Rate {
  readonly #readings: { at: number; decided: number }[] = [];

  /**
   * @param now Redis ms
   * @param decided created + rejected, since the queue was created
   * @returns null if the readings do not cover enough time: no rate is better than an outdated one
   */
  perSecond(now: number, decided: number): number | null {
    const last = this.#readings.at(-1);
    // after a long pause, or when the queue was emptied, earlier readings are useless
    if (last && (now - last.at > WINDOW_MS || now < last.at || decided < last.decided))
      this.#readings.length = 0;
    this.#readings.push({ at: now, decided });
    while ((this.#readings[0]?.at ?? now) < now - WINDOW_MS) this.#readings.shift();
    const first = this.#readings[0];
    if (!first || now - first.at < LEAST_MS) return null;
    return ((decided - first.decided) / (now - first.at)) * 1_000;
  }
}
