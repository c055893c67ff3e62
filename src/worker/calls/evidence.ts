/**
 * Evidence: what this replica has recently seen HubSpot accept and refuse. It decides what a refusal means that is not about
 * inputs. An input is invalid only if HubSpot accepted others of the object pair (with these types) after it refused this
 * input alone. Otherwise the cause may be the account, the object pair, or HubSpot. Pure, with bounded memory.
 */

/** Most object pairs and inputs that are remembered; the latest ones are kept. */
const REMEMBERED = 10_000;
/** An object pair is not in doubt if HubSpot accepted or named one of its inputs within this time. */
const JUDGED_MS = 600_000;

export class Evidence {
  readonly #accepted = new Map<string, number>();
  readonly #judged = new Map<string, number>();
  readonly #refused = new Map<string, number>();
  #lastAccepted = Number.NEGATIVE_INFINITY;

  /** @param now monotonic milliseconds */
  constructor(private readonly now: () => number) {}

  /** @param names object pairs with types, of which HubSpot created something */
  accepted(names: Iterable<string>): void {
    this.#lastAccepted = this.now();
    for (const name of names) {
      remember(this.#accepted, name, this.#lastAccepted);
      remember(this.#judged, name, this.#lastAccepted);
    }
  }

  /** @param names object pairs with types, of which HubSpot named an invalid input */
  named(names: Iterable<string>): void {
    for (const name of names) remember(this.#judged, name, this.now());
  }

  anythingSince(since: number): boolean {
    return this.#lastAccepted > since;
  }

  /** @returns true if HubSpot judged single inputs of this object pair recently */
  isJudged(name: string): boolean {
    return this.now() - (this.#judged.get(name) ?? Number.NEGATIVE_INFINITY) < JUDGED_MS;
  }

  /**
   * Notes that HubSpot refused an input alone, with words that are not about inputs.
   * @returns true if HubSpot accepted others since it first refused this one in the same way
   */
  refusedAlone(name: string, input: string): boolean {
    const key = `${name} ${input}`;
    const before = this.#refused.get(key);
    if (before === undefined) remember(this.#refused, key, this.now());
    return before !== undefined && (this.#accepted.get(name) ?? Number.NEGATIVE_INFINITY) > before;
  }
}

function remember(map: Map<string, number>, key: string, at: number): void {
  map.delete(key); // the latest are at the end
  map.set(key, at);
  if (map.size > REMEMBERED) map.delete(map.keys().next().value as string);
}
