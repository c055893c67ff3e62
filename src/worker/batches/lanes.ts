/**
 * Lanes: turn the pairs of many jobs into the inputs of few calls.
 *  1. They collect submissions, first in, first out: one lane for each object pair and suspicion. Submissions of high priority
 *     are at the head of their lane, and the lanes of suspects form a separate line.
 *  2. They seal a batch of at most the lane's size from the lane that schedule.ts chooses, splitting and mixing jobs, no
 *     record pair twice.
 *  3. They pass each input's outcome to all pairs that wait for it.
 * They neither wait nor send: the dispatcher decides when to seal, the delivery decides the outcomes.
 */
import { type AssociationType, typesText } from '../../shared/contract/association.js';
import type { Batch } from './batch.js';
import { Filling } from './filling.js';
import type { Inputs } from './inputs.js';
import type { Outcome } from './outcome.js';
import { PairTable } from './pair-table.js';
import { highLane, lingersUntil, readyLane, type Terms, triggerOf, type Waiting } from './schedule.js';
import { LINES, type Line, lineOf, type Submission, settlePairs, type Ticket } from './submission.js';
import { batchLimit } from './suspicion.js';

/** Consecutive pairs of a ticket that wait in a lane. */
type Chunk = { readonly ticket: Ticket; next: number; readonly end: number; readonly since: number };

type LaneKind = {
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly limit: number;
  /** false for suspects, which are judged separately: their inputs take no types of other jobs */
  readonly mergesTypes: boolean;
};

class Lane implements Waiting {
  /** chunks of high priority first */
  readonly chunks: Chunk[] = [];
  /** number of waiting pairs: the sum over `chunks` */
  size = 0;
  /** lists of types by their text */
  readonly types = new Map<string, readonly AssociationType[]>();

  constructor(
    readonly kind: LaneKind,
    readonly line: Line,
  ) {}

  get limit(): number {
    return this.kind.limit;
  }
  get since(): number | undefined {
    return this.chunks[0]?.since;
  }
  get isHigh(): boolean {
    return isHigh(this.chunks[0]);
  }
  /** Number of chunks of high priority. */
  get highChunks(): number {
    const others = this.chunks.findIndex(chunk => !isHigh(chunk));
    return others < 0 ? this.chunks.length : others;
  }
}

export type LanesOptions = {
  /** most inputs of one call */
  readonly maxInputs: number;
  /** monotonic milliseconds */
  readonly now: () => number;
  /** id of the replica, which makes the names of its batches unique */
  readonly replica: string;
};

export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes: Readonly<Record<Line, Map<string, Lane>>> = { first: new Map(), suspect: new Map() };
  readonly #sizes: Record<Line, number> = { first: 0, suspect: 0 };
  #sealed = 0;
  readonly #table: PairTable;
  #lastTypes: { readonly list: readonly AssociationType[]; readonly text: string } = { list: [], text: '' };
  /** True if a line's last batch was out of turn: the next one is not, so that other lanes do not starve. */
  readonly #wasOutOfTurn: Record<Line, boolean> = { first: false, suspect: false };

  constructor(options: LanesOptions) {
    this.#options = options;
    this.#table = new PairTable(options.maxInputs);
  }

  /** Number of pairs that wait for a batch. */
  get size(): number {
    return this.#sizes.first + this.#sizes.suspect;
  }

  /** Number of suspects among them. */
  get suspects(): number {
    return this.#sizes.suspect;
  }

  /**
   * Every pair gets an outcome sooner or later.
   * @returns true if a lane may be ready earlier than known before
   */
  submit(submission: Submission): boolean {
    const count = submission.pairs.length;
    if (count === 0) {
      submission.onOutcomes([]);
      return false;
    }
    const lane = this.#lane(submission);
    const text = this.#typesText(submission.types);
    let types = lane.types.get(text);
    if (!types) {
      types = submission.types;
      lane.types.set(text, types);
    }
    const ticket = { submission, typesText: text, types, outcomes: undefined, open: count };
    const wasFull = lane.size >= lane.limit;
    const wasEmpty = this.#sizes[lane.line] === 0;
    const chunk = { ticket, next: 0, end: count, since: this.#options.now() };
    if (submission.high) lane.chunks.splice(lane.highChunks, 0, chunk);
    else lane.chunks.push(chunk);
    lane.size += count;
    this.#sizes[lane.line] += count;
    // otherwise the lane is ready no earlier than the dispatcher already expects
    return wasEmpty || submission.high === true || (!wasFull && lane.size >= lane.limit);
  }

  /** @returns whether the ready lane is full; undefined if no lane is ready */
  next(terms: Terms, lines = LINES): { full: boolean } | undefined {
    const lane = readyLane(this.#of(lines), terms, this.#options.now());
    return lane && { full: lane.size >= lane.limit };
  }

  /** @returns when the next lane is ready by lingering, on the clock of `now`; undefined if no pair waits */
  lingersUntil(terms: Terms, lines = LINES): number | undefined {
    return lingersUntil(this.#of(lines), terms);
  }

  /** Seals a batch from the ready lane, or from a lane with high priority; undefined if no lane is ready. */
  seal(terms: Terms, lines = LINES): Batch | undefined {
    const now = this.#options.now();
    const ready = readyLane(this.#of(lines), terms, now);
    if (!ready) return undefined;
    const lane = (this.#wasOutOfTurn[ready.line] ? undefined : highLane(this.#of(lines))) ?? ready;
    this.#wasOutOfTurn[ready.line] = lane !== ready;
    const waitedMs = now - (lane.since ?? now);
    const trigger = triggerOf(lane, terms, now) ?? (lane === ready ? 'flush' : 'high');
    const high = lane.chunks.slice(0, lane.highChunks).reduce((sum, { next, end }) => sum + end - next, 0);
    this.#sealed += 1;
    const id = `${this.#options.replica}-${this.#sealed}`;
    const { line, limit } = lane;
    const { fromObjectType, toObjectType } = lane.kind;
    const about = { id, fromObjectType, toObjectType, limit, line, trigger, waitedMs };
    return { ...about, high: Math.min(high, limit), inputs: this.#take(lane, id) };
  }

  /** Gives waiting pairs the outcome that `judge` returns for their submission, for example held. */
  release(judge: (submission: Submission) => Outcome | undefined): void {
    for (const lane of [...this.#of(LINES)]) {
      const kept: Chunk[] = [];
      for (const chunk of lane.chunks) {
        const outcome = judge(chunk.ticket.submission);
        if (!outcome) {
          kept.push(chunk);
          continue;
        }
        this.#shrink(lane, chunk.end - chunk.next);
        settlePairs(chunk.ticket, chunk.next, chunk.end, outcome);
      }
      lane.chunks.splice(0, lane.chunks.length, ...kept);
    }
  }

  /** Consecutive jobs nearly always have the same list. */
  #typesText(types: readonly AssociationType[]): string {
    if (types !== this.#lastTypes.list) this.#lastTypes = { list: types, text: typesText(types) };
    return this.#lastTypes.text;
  }

  *#of(lines: readonly Line[]): Generator<Lane> {
    for (const line of lines) yield* this.#lanes[line].values();
  }

  #lane(submission: Submission): Lane {
    const { fromObjectType, toObjectType, suspicion } = submission;
    const limit = batchLimit(this.#options.maxInputs, suspicion);
    const line = lineOf(submission);
    const kind = { fromObjectType, toObjectType, limit, mergesTypes: suspicion === 0 };
    const key = laneKey(kind);
    let lane = this.#lanes[line].get(key);
    if (!lane) {
      lane = new Lane(kind, line);
      this.#lanes[line].set(key, lane);
    }
    return lane;
  }

  /** Takes pairs from the head of the lane until the batch is full or the lane is empty. */
  #take(lane: Lane, id: string): Inputs {
    const limit = Math.min(lane.size, lane.limit);
    const filling = new Filling({ limit, mergesTypes: lane.kind.mergesTypes, table: this.#table });
    const postponed: Chunk[] = [];
    let emptied = 0;
    let taken = 0;
    for (const chunk of lane.chunks) {
      if (filling.isFull) break;
      const { ticket, since } = chunk;
      ticket.submission.onSealed?.(id);
      const next = filling.take(ticket, chunk.next, chunk.end);
      for (const index of filling.left()) postponed.push({ ticket, next: index, end: index + 1, since });
      taken += next - chunk.next;
      chunk.next = next;
      if (next < chunk.end) break;
      emptied += 1;
    }
    lane.chunks.splice(0, emptied, ...postponed);
    this.#shrink(lane, taken - postponed.length);
    return filling.inputs();
  }

  #shrink(lane: Lane, by: number): void {
    lane.size -= by;
    this.#sizes[lane.line] -= by;
    // an empty lane is deleted, so that many object pairs over a process's life take no memory
    if (lane.size === 0) this.#lanes[lane.line].delete(laneKey(lane.kind));
  }
}

const isHigh = (chunk: Chunk | undefined): boolean => chunk?.ticket.submission.high === true;

const laneKey = (kind: LaneKind): string =>
  `${kind.fromObjectType}/${kind.toObjectType} ${kind.limit} ${kind.mergesTypes}`;
