/**
 * Searches: batches of which HubSpot refused or left out something without saying what, while the guilty are looked for
 * (isolate.ts). Bounded, because each keeps its jobs in memory until it ends; and counted, because they cost calls that
 * the operator sees nowhere else.
 */
import type { Notifier } from '../../shared/runtime/wait.js';
import type { SearchReport } from '../../shared/state/heartbeat.js';
import type { Line } from '../batches/submission.js';

export type Search = { readonly inputs: number; invalid: number };

/** The share of calls is computed from so many latest ones. */
const CALLS_REMEMBERED = 100;
/** Batches for which there is no room are sent again after about as long as a search takes, which depends on the limit. */
const LEAST_AGAIN_MS = 1_000;
const MOST_AGAIN_MS = 15_000;

export class Searches {
  /** since when (performance.now()) */
  readonly #open = new Map<Search, number>();
  readonly #lines: Line[] = [];
  #inputs = 0;
  /** how long searches took lately */
  #tookMs = MOST_AGAIN_MS;

  /**
   * @param most batches that may be searched at once
   * @param room notified when a search begins: there is room in memory for others
   */
  constructor(
    private readonly most: number,
    private readonly room: Notifier,
  ) {}

  /** Inputs of the batches that are searched. */
  get suspects(): number {
    return this.#inputs;
  }

  /** After that there should be room again. It differs each time, so that not all come back at once. */
  get againMs(): number {
    return Math.min(MOST_AGAIN_MS, Math.max(LEAST_AGAIN_MS, this.#tookMs)) * (1 + Math.random());
  }

  /** Undefined: too many are searched already. */
  begin(inputs: number): Search | undefined {
    if (this.#open.size >= this.most) return undefined;
    const search = { inputs, invalid: 0 };
    this.#open.set(search, performance.now());
    this.#inputs += inputs;
    this.room.notify();
    return search;
  }

  end(search: Search): void {
    const since = this.#open.get(search);
    if (since === undefined) return;
    this.#open.delete(search);
    this.#inputs -= search.inputs;
    this.#tookMs = (this.#tookMs + performance.now() - since) / 2;
  }

  called(line: Line): void {
    this.#lines.push(line);
    if (this.#lines.length > CALLS_REMEMBERED) this.#lines.shift();
  }

  /** @param waiting suspects that wait for a batch */
  report(waiting: number): SearchReport {
    let invalid = 0;
    for (const search of this.#open.keys()) invalid += search.invalid;
    return {
      inputs: this.#inputs + waiting,
      invalid,
      calls: this.#lines.length,
      suspectCalls: this.#lines.filter(line => line === 'suspect').length,
    };
  }
}
