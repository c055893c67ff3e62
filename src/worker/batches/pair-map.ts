/**
 * Record pair → input. Pure. Two levels of ids instead of one joined key: joining 2,000 keys for every batch and every
 * answer was the worker's largest cost of its own. Most record ids stand in one pair only, and need no second level.
 */
type HasPair = { readonly from: string; readonly to: string };

export class PairMap<Value extends HasPair> {
  readonly #byFrom = new Map<string, Value | Map<string, Value>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(from: string, to: string): Value | undefined {
    const found = this.#byFrom.get(from);
    if (found instanceof Map) return found.get(to);
    return found?.to === to ? found : undefined;
  }

  /** The pair must not be there yet. */
  add(value: Value): void {
    const found = this.#byFrom.get(value.from);
    if (found === undefined) this.#byFrom.set(value.from, value);
    else if (found instanceof Map) found.set(value.to, value);
    else
      this.#byFrom.set(
        value.from,
        new Map([
          [found.to, found],
          [value.to, value],
        ]),
      );
    this.#size += 1;
  }
}
