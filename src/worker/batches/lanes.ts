/**
 * Coalescer: turns the pairs of many jobs into the inputs of few calls.
 *  1. collects submissions in lanes, first in first out: one lane for each object pair and degree of suspicion; those of
 *     high priority stand at the head of their lane, and suspects form a line of their own;
 *  2. knows which lane is ready (full, its first waiter has lingered, or everything is being flushed), and gives at most
 *     every other call to a lane out of turn, because high priority waits in it;
 *  3. seals a batch of at most the lane's size from it, splitting and mixing jobs, no record pair twice;
 *  4. hands each input's outcome to everybody who waits for it.
 * It neither waits nor sends: the dispatcher decides when to seal, the delivery what the outcomes are.
 */
import { type AssociationType, typesText } from '../../shared/contract/association.js';
import type { Batch, Trigger } from './batch.js';
import { Filling } from './filling.js';
import type { Inputs } from './inputs.js';
import type { Outcome } from './outcome.js';
import { PairTable } from './pair-table.js';
import { LINES, type Line, lineOf, type Submission, settlePairs, type Ticket } from './submission.js';
import { batchLimit } from './suspicion.js';

/** A stretch of a ticket's pairs that waits in a lane. */
type Chunk = { readonly ticket: Ticket; next: number; readonly end: number; readonly since: number };
type Lane = {
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly limit: number;
  readonly line: Line;
  /** suspects are judged alone: another one's types are not merged into their inputs */
  readonly mergesTypes: boolean;
  /** those of high priority first */
  readonly chunks: Chunk[];
  /** pairs waiting: the sum over `chunks` */
  size: number;
  /** by their text */
  readonly types: Map<string, readonly AssociationType[]>;
};

export type CoalescerOptions = {
  /** most inputs of one call */
  readonly maxInputs: number;
  /** how long the first of a lane may wait for company, at this moment */
  readonly lingerMs: (high: boolean) => number;
  /** monotonic milliseconds */
  readonly now: () => number;
  /** called when something became ready earlier than was known before */
  readonly onChange: () => void;
  /** names batches, of all replicas differently; a number if it is left out */
  readonly batchId?: () => string;
};

export class Coalescer {
  readonly #options: CoalescerOptions;
  readonly #lanes: Readonly<Record<Line, Map<string, Lane>>> = { first: new Map(), suspect: new Map() };
  readonly #sizes: Record<Line, number> = { first: 0, suspect: 0 };
  #sealed = 0;
  readonly #table: PairTable;
  #flushing = false;
  #lastTypes: { readonly list: readonly AssociationType[]; readonly text: string } = { list: [], text: '' };
  /** A line's last batch was one out of turn: the next one is not, or the others would starve. */
  readonly #wasOutOfTurn: Record<Line, boolean> = { first: false, suspect: false };

  constructor(options: CoalescerOptions) {
    this.#options = options;
    this.#table = new PairTable(options.maxInputs);
  }

  /** Pairs that wait for a batch. */
  get size(): number {
    return this.#sizes.first + this.#sizes.suspect;
  }

  /** Those of them that have failed in company. */
  get suspects(): number {
    return this.#sizes.suspect;
  }

  /** Every pair gets an outcome, sooner or later. */
  submit(submission: Submission): void {
    const count = submission.pairs.length;
    const outcomes = new Array<Outcome>(count);
    if (count === 0) {
      submission.onOutcomes(outcomes);
      return;
    }
    const lane = this.#lane(submission);
    const text = this.#typesText(submission.types);
    let types = lane.types.get(text);
    if (!types) {
      types = submission.types;
      lane.types.set(text, types);
    }
    const ticket = { submission, typesText: text, types, outcomes, open: count };
    const wasFull = lane.size >= lane.limit;
    const wasEmpty = this.#sizes[lane.line] === 0;
    const chunk = { ticket, next: 0, end: count, since: this.#options.now() };
    if (submission.high) lane.chunks.splice(highChunks(lane).length, 0, chunk);
    else lane.chunks.push(chunk);
    lane.size += count;
    this.#sizes[lane.line] += count;
    // anything else becomes ready later than what is waited for already
    if (wasEmpty || submission.high || (!wasFull && lane.size >= lane.limit)) this.#options.onChange();
  }

  /** The ready lane whose first waiter has waited longest; undefined when nothing is ready yet. */
  next(partialsToo = true, lines = LINES): { full: boolean } | undefined {
    const lane = this.#readyLane(partialsToo, lines);
    return lane && { full: lane.size >= lane.limit };
  }

  /** When the next lane becomes ready by lingering, in `now`'s terms; undefined when nobody waits. */
  lingersUntil(lines = LINES): number | undefined {
    let earliest: number | undefined;
    for (const lane of this.#of(lines)) {
      const until = (lane.chunks[0]?.since ?? 0) + this.#lingerMs(lane);
      if (earliest === undefined || until < earliest) earliest = until;
    }
    return earliest;
  }

  /** Closes the batch that `next` spoke of, or the one that high priority puts before it; undefined when nothing is ready. */
  seal(partialsToo = true, lines = LINES): Batch | undefined {
    const ready = this.#readyLane(partialsToo, lines);
    if (!ready) return undefined;
    const lane = (this.#wasOutOfTurn[ready.line] ? undefined : this.#highLane(lines)) ?? ready;
    this.#wasOutOfTurn[ready.line] = lane !== ready;
    const now = this.#options.now();
    const waitedMs = now - (lane.chunks[0]?.since ?? now);
    const trigger = this.#trigger(lane, now) ?? (lane === ready ? 'flush' : 'high');
    const high = highChunks(lane).reduce((sum, { next, end }) => sum + end - next, 0);
    this.#sealed += 1;
    const id = this.#options.batchId?.() ?? String(this.#sealed);
    const { fromObjectType, toObjectType, limit, line } = lane;
    const about = { id, fromObjectType, toObjectType, limit, line, trigger, waitedMs };
    return { ...about, high: Math.min(high, limit), inputs: this.#take(lane, id) };
  }

  /** From now on every lane is ready, as small as it is: the process is about to end. */
  flush(): void {
    this.#flushing = true;
    this.#options.onChange();
  }

  /** Gives the pairs that still wait the outcome that `judge` finds for their submission, for example held. */
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

  /** Jobs that come one after another nearly always have the same list. */
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
      lane = {
        ...kind,
        line,
        chunks: [],
        size: 0,
        types: new Map(),
      };
      this.#lanes[line].set(key, lane);
    }
    return lane;
  }

  #trigger(lane: Lane, now: number): Trigger | undefined {
    if (lane.size >= lane.limit) return 'full';
    if (this.#flushing) return 'flush';
    const since = lane.chunks[0]?.since;
    return since !== undefined && now - since >= this.#lingerMs(lane) ? 'linger' : undefined;
  }

  #lingerMs(lane: Lane): number {
    return this.#options.lingerMs(isHigh(lane.chunks[0]));
  }

  /** The lane in which high priority has waited longest. */
  #highLane(lines: readonly Line[]): Lane | undefined {
    let oldest: Lane | undefined;
    for (const lane of this.#of(lines)) {
      const [first] = lane.chunks;
      if (first && isHigh(first) && first.since < (oldest?.chunks[0]?.since ?? Number.POSITIVE_INFINITY))
        oldest = lane;
    }
    return oldest;
  }

  #readyLane(partialsToo: boolean, lines: readonly Line[]): Lane | undefined {
    const now = this.#options.now();
    let oldest: Lane | undefined;
    let oldestSince = Number.POSITIVE_INFINITY;
    for (const lane of this.#of(lines)) {
      const trigger = this.#trigger(lane, now);
      if (!trigger || (trigger !== 'full' && !partialsToo)) continue;
      const since = lane.chunks[0]?.since ?? 0;
      if (since >= oldestSince) continue;
      oldest = lane;
      oldestSince = since;
    }
    return oldest;
  }

  /** Takes pairs from the head of the lane until the batch is full or the lane is empty. */
  #take(lane: Lane, id: string): Inputs {
    const limit = Math.min(lane.size, lane.limit);
    const filling = new Filling({ limit, mergesTypes: lane.mergesTypes, table: this.#table });
    const postponed: Chunk[] = [];
    let emptied = 0;
    let taken = 0;
    for (const chunk of lane.chunks) {
      if (filling.isFull) break;
      const { ticket, since } = chunk;
      ticket.submission.onSealed?.(id);
      const next = filling.take(ticket, chunk.next, chunk.end, index => {
        postponed.push({ ticket, next: index, end: index + 1, since });
      });
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
    // lanes come and go with their pairs: many object pairs over a process's life leave nothing behind
    if (lane.size === 0) this.#lanes[lane.line].delete(laneKey(lane));
  }
}

const isHigh = (chunk: Chunk | undefined): boolean => chunk?.ticket.submission.high === true;

/** They stand at the head. */
function highChunks({ chunks }: Lane): Chunk[] {
  const others = chunks.findIndex(chunk => !isHigh(chunk));
  return others < 0 ? [...chunks] : chunks.slice(0, others);
}

const laneKey = (lane: Pick<Lane, 'fromObjectType' | 'toObjectType' | 'limit' | 'mergesTypes'>): string =>
  `${lane.fromObjectType}/${lane.toObjectType} ${lane.limit} ${lane.mergesTypes}`;
