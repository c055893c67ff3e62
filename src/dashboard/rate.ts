/** Associations decided a second: over the last readings where there are some, else from the minute buckets. Pure. */
import type { Series } from './minutes.js';

const WINDOW_MS = 20_000;
const LEAST_MS = 4_000;

export class Rate {
  readonly #readings: { at: number; decided: number }[] = [];

  /** @param now Redis ms @param decided created + rejected, since ever @param minutes the last two */
  perSecond(now: number, decided: number, minutes: Pick<Series, 'created' | 'rejected'>): number {
    const last = this.#readings.at(-1);
    // nobody looked for a while, or a queue was emptied: what was read before says nothing
    if (last && (now - last.at > WINDOW_MS || now < last.at || decided < last.decided))
      this.#readings.length = 0;
    this.#readings.push({ at: now, decided });
    while ((this.#readings[0]?.at ?? now) < now - WINDOW_MS) this.#readings.shift();
    const first = this.#readings[0];
    if (first && now - first.at >= LEAST_MS) return ((decided - first.decided) / (now - first.at)) * 1_000;
    const [before = 0, current = 0] = minutes.created.map((n, at) => n + (minutes.rejected[at] ?? 0));
    const share = 1 - (now % 60_000) / 60_000;
    return (before * share + current) / 60;
  }
}
