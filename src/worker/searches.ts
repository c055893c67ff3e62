/**
 * Searches: batches of which HubSpot refused or left out something without saying what, while the guilty are looked for
 * (isolate.ts). Bounded, because each keeps its jobs in memory until it ends; and counted, because they cost calls that
 * the operator sees nowhere else.
 */
import type { SearchReport } from '../shared/heartbeat.js';
import type { Line } from './batch.js';

export type Search = { readonly inputs: number; invalid: number };

/** The share of calls is computed from so many latest ones. */
const CALLS_REMEMBERED = 100;

export class Searches {
  readonly #open = new Set<Search>();
  readonly #lines: Line[] = [];
  #inputs = 0;

  /**
   * @param most batches that may be searched at once
   * @param onBegin there is room in memory for others
   */
  constructor(
    private readonly most: number,
    private readonly onBegin: () => void = () => {},
  ) {}

  /** Inputs of the batches that are searched. */
  get inputs(): number {
    return this.#inputs;
  }

  /** Undefined: too many are searched already. */
  begin(inputs: number): Search | undefined {
    if (this.#open.size >= this.most) return undefined;
    const search = { inputs, invalid: 0 };
    this.#open.add(search);
    this.#inputs += inputs;
    this.onBegin();
    return search;
  }

  end(search: Search): void {
    if (this.#open.delete(search)) this.#inputs -= search.inputs;
  }

  called(line: Line): void {
    this.#lines.push(line);
    if (this.#lines.length > CALLS_REMEMBERED) this.#lines.shift();
  }

  /** @param waiting suspects that wait for a batch */
  report(waiting: number): SearchReport {
    let invalid = 0;
    for (const search of this.#open) invalid += search.invalid;
    return {
      inputs: this.#inputs + waiting,
      invalid,
      calls: this.#lines.length,
      suspectCalls: this.#lines.filter(line => line === 'suspect').length,
    };
  }
}
