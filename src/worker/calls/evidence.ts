/**
 * Evidence: what this replica has seen accepted and refused lately, by which a refusal that does not speak of inputs is
 * judged. Only where others of the object pair (with these types) are accepted after an input was refused alone, is it
 * the input that is at fault; else it may be the account, the object pair, or HubSpot. Pure, bounded.
 */

/** Of the object pairs and inputs that were seen last, so many are remembered. */
const REMEMBERED = 10_000;
/** An object pair of which HubSpot has accepted or named an input within that is not in doubt. */
const JUDGED_MS = 600_000;

export class Evidence {
  readonly #accepted = new Map<string, number>();
  readonly #judged = new Map<string, number>();
  readonly #refused = new Map<string, number>();
  #lastAccepted = Number.NEGATIVE_INFINITY;

  /** @param now monotonic milliseconds */
  constructor(private readonly now: () => number) {}

  /** @param names object pairs with types, of which something was created */
  accepted(names: Iterable<string>): void {
    this.#lastAccepted = this.now();
    for (const name of names) {
      remember(this.#accepted, name, this.#lastAccepted);
      remember(this.#judged, name, this.#lastAccepted);
    }
  }

  /** @param names object pairs with types, of which HubSpot has named an input that it refuses */
  named(names: Iterable<string>): void {
    for (const name of names) remember(this.#judged, name, this.now());
  }

  anythingSince(since: number): boolean {
    return this.#lastAccepted > since;
  }

  /** HubSpot looks at the inputs of this object pair one by one, as far as is known. */
  isJudged(name: string): boolean {
    return this.now() - (this.#judged.get(name) ?? Number.NEGATIVE_INFINITY) < JUDGED_MS;
  }

  /**
   * An input was refused alone, without a word about inputs.
   * @returns whether others were accepted since it was refused so before
   */
  refusedAlone(name: string, input: string): boolean {
    const key = `${name} ${input}`;
    const before = this.#refused.get(key);
    if (before === undefined) remember(this.#refused, key, this.now());
    return before !== undefined && (this.#accepted.get(name) ?? Number.NEGATIVE_INFINITY) > before;
  }
}

function remember(map: Map<string, number>, key: string, at: number): void {
  map.delete(key); // the latest stand at the end
  map.set(key, at);
  if (map.size > REMEMBERED) map.delete(map.keys().next().value as string);
}
