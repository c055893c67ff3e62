/**
 * Searches: batches with unnamed invalid inputs while isolate.ts finds them. Their number is bounded, because each keeps its
 * jobs in memory until it ends. Their calls are counted, because the operator sees them nowhere else.
 */
import type { Notifier } from '../../shared/runtime/wait.js';
import type { SearchReport } from '../../shared/state/worker-reports.js';
import type { Line } from '../batches/submission.js';

export type Search = { readonly inputs: number; invalid: number };

/** Number of latest calls from which the share of suspects is computed. */
const CALLS_REMEMBERED = 100;
/** A batch without room is sent again after about the duration of a search, which depends on the limit. */
const LEAST_AGAIN_MS = 1_000;
const MOST_AGAIN_MS = 15_000;

export class Searches {
  /** start of each search (performance.now()) */
  readonly #open = new Map<Search, number>();
  readonly #lines: Line[] = [];
  #inputs = 0;
  /** duration of recent searches */
  #tookMs = MOST_AGAIN_MS;

  /**
   * @param most batches that may be searched at once
   * @param room notified when a search begins, because there is then room in memory for other jobs
   */
  constructor(
    private readonly most: number,
    private readonly room: Notifier,
  ) {}

  /** Number of inputs in the searched batches. */
  get suspects(): number {
    return this.#inputs;
  }

  /** Time after which there should be room again; random, so that batches do not all come back at once. */
  get againMs(): number {
    return Math.min(MOST_AGAIN_MS, Math.max(LEAST_AGAIN_MS, this.#tookMs)) * (1 + Math.random());
  }

  /** @returns undefined if too many batches are searched already */
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

  /** @param waiting number of suspects that wait for a batch */
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
