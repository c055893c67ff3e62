/**
 * Coalescer: turns the pairs of many jobs into the inputs of few calls.
 *  1. collects submissions in lanes, first in first out: one lane for each object pair and degree of suspicion; those of
 *     high priority stand at the head of their lane;
 *  2. knows which lane is ready (full, its first waiter has lingered, or everything is being flushed), and gives at most
 *     every other call to a lane out of turn, because high priority waits in it;
 *  3. seals a batch of at most the lane's size from it, splitting and mixing jobs, no record pair twice;
 *  4. hands each input's outcome to everybody who waits for it.
 * It neither waits nor sends: the dispatcher decides when to seal, the delivery what the outcomes are.
 */
import { type AssociationType, type Pair, typesText } from '../shared/association.js';
import type { Outcome } from './outcome.js';
import { PairMap } from './pair-map.js';

/** The pairs of one job at one attempt. */
export type Submission = {
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly types: readonly AssociationType[];
  readonly pairs: readonly Pair[];
  /** How often these pairs have failed in company: the more, the smaller their batches. 0 for first-timers. */
  readonly suspicion: number;
  /** rides in the next call */
  readonly high?: boolean;
  /** OpenTelemetry's span of the job, where traces are on (tracing.ts) */
  readonly span?: unknown;
  /** told of every batch that some of the pairs ride in */
  readonly onSealed?: (batchId: string) => void;
};

/** A pair of a job that waits for its outcome. */
type Waiter = { readonly ticket: Ticket; readonly index: number };

/**
 * One input of a call. It is its own first waiter: nearly always the only one, and lists and sets of 2,000 small objects
 * for every batch were what the garbage collector was busy with.
 */
export type Input = Waiter & {
  readonly from: string;
  readonly to: string;
  types: readonly AssociationType[];
  /** Waiters with different types share this input: a refusal may be the fault of one of them only. */
  merged: boolean;
  /** who else waits for the same record pair */
  others: Waiter[] | undefined;
  /** it has no outcome yet */
  isOpen: boolean;
};

export type Batch = {
  readonly id: string;
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly inputs: readonly Input[];
  readonly trigger: Trigger;
  /** how long the first of its associations had waited when it was sealed, milliseconds */
  readonly waitedMs: number;
  /** how many of its associations are of high priority; the others fill up */
  readonly high: number;
};
/** Why a batch was closed; `high`: it was not its turn, but high priority waited in it. */
export type Trigger = 'full' | 'linger' | 'flush' | 'high';

type Ticket = {
  readonly submission: Submission;
  readonly typesText: string;
  readonly outcomes: Outcome[];
  /** pairs without an outcome; the promise resolves when it reaches 0 */
  open: number;
  readonly resolve: (outcomes: Outcome[]) => void;
};
/** A stretch of a ticket's pairs that waits in a lane. */
type Chunk = { readonly ticket: Ticket; next: number; readonly end: number; readonly since: number };
type Lane = {
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly limit: number;
  /** suspects are judged alone: another one's types are not merged into their inputs */
  readonly mergesTypes: boolean;
  /** those of high priority first */
  readonly chunks: Chunk[];
  /** pairs waiting: the sum over `chunks` */
  size: number;
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
  readonly #lanes = new Map<string, Lane>();
  #size = 0;
  #sealed = 0;
  #flushing = false;
  /** The last batch was one out of turn: the next one is not, or the others would starve. */
  #wasOutOfTurn = false;

  constructor(options: CoalescerOptions) {
    this.#options = options;
  }

  /** Pairs that wait for a batch. */
  get size(): number {
    return this.#size;
  }

  /** @returns one outcome per pair, by position, once all of them have one. It never rejects. */
  submit(submission: Submission): Promise<Outcome[]> {
    const count = submission.pairs.length;
    if (count === 0) return Promise.resolve([]);
    return new Promise(resolve => {
      const outcomes = new Array<Outcome>(count);
      const ticket = { submission, typesText: typesText(submission.types), outcomes, open: count, resolve };
      const lane = this.#lane(submission);
      const wasFull = lane.size >= lane.limit;
      const wasEmpty = this.#size === 0;
      const chunk = { ticket, next: 0, end: count, since: this.#options.now() };
      if (submission.high) lane.chunks.splice(highChunks(lane).length, 0, chunk);
      else lane.chunks.push(chunk);
      lane.size += count;
      this.#size += count;
      // anything else becomes ready later than what is waited for already
      if (wasEmpty || submission.high || (!wasFull && lane.size >= lane.limit)) this.#options.onChange();
    });
  }

  /** The ready lane whose first waiter has waited longest; undefined when nothing is ready yet. */
  next(partialsToo = true): { full: boolean } | undefined {
    const lane = this.#readyLane(partialsToo);
    return lane && { full: lane.size >= lane.limit };
  }

  /** When the next lane becomes ready by lingering, in `now`'s terms; undefined when nobody waits. */
  lingersUntil(): number | undefined {
    let earliest: number | undefined;
    for (const lane of this.#lanes.values()) {
      const until = (lane.chunks[0]?.since ?? 0) + this.#lingerMs(lane);
      if (earliest === undefined || until < earliest) earliest = until;
    }
    return earliest;
  }

  /** Closes the batch that `next` spoke of, or the one that high priority puts before it; undefined when nothing is ready. */
  seal(partialsToo = true): Batch | undefined {
    const ready = this.#readyLane(partialsToo);
    if (!ready) return undefined;
    const lane = (this.#wasOutOfTurn ? undefined : this.#highLane()) ?? ready;
    this.#wasOutOfTurn = lane !== ready;
    const now = this.#options.now();
    const waitedMs = now - (lane.chunks[0]?.since ?? now);
    const trigger = this.#trigger(lane, now) ?? (lane === ready ? 'flush' : 'high');
    const high = highChunks(lane).reduce((sum, { next, end }) => sum + end - next, 0);
    this.#sealed += 1;
    const id = this.#options.batchId?.() ?? String(this.#sealed);
    return {
      id,
      fromObjectType: lane.fromObjectType,
      toObjectType: lane.toObjectType,
      inputs: this.#take(lane, id),
      trigger,
      waitedMs,
      high: Math.min(high, lane.limit),
    };
  }

  /** From now on every lane is ready, as small as it is: the process is about to end. */
  flush(): void {
    this.#flushing = true;
    this.#options.onChange();
  }

  /** Gives the pairs that still wait the outcome that `judge` finds for their submission, for example held. */
  release(judge: (submission: Submission) => Outcome | undefined): void {
    for (const lane of [...this.#lanes.values()]) {
      const kept: Chunk[] = [];
      for (const chunk of lane.chunks) {
        const outcome = judge(chunk.ticket.submission);
        if (!outcome) {
          kept.push(chunk);
          continue;
        }
        this.#shrink(lane, chunk.end - chunk.next);
        for (let index = chunk.next; index < chunk.end; index++)
          settleWaiter({ ticket: chunk.ticket, index }, outcome);
      }
      lane.chunks.splice(0, lane.chunks.length, ...kept);
    }
  }

  #lane({ fromObjectType, toObjectType, suspicion }: Submission): Lane {
    const limit = batchLimit(this.#options.maxInputs, suspicion);
    const key = laneKey(fromObjectType, toObjectType, limit);
    let lane = this.#lanes.get(key);
    if (!lane) {
      lane = { fromObjectType, toObjectType, limit, mergesTypes: suspicion === 0, chunks: [], size: 0 };
      this.#lanes.set(key, lane);
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
  #highLane(): Lane | undefined {
    let oldest: Lane | undefined;
    for (const lane of this.#lanes.values()) {
      const [first] = lane.chunks;
      if (first && isHigh(first) && first.since < (oldest?.chunks[0]?.since ?? Number.POSITIVE_INFINITY))
        oldest = lane;
    }
    return oldest;
  }

  #readyLane(partialsToo: boolean): Lane | undefined {
    const now = this.#options.now();
    let oldest: Lane | undefined;
    let oldestSince = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes.values()) {
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
  #take(lane: Lane, id: string): Input[] {
    const known = new PairMap<Input>();
    const inputs: Input[] = [];
    const postponed: Chunk[] = [];
    let emptied = 0;
    let taken = 0;
    for (const chunk of lane.chunks) {
      if (inputs.length < lane.limit) chunk.ticket.submission.onSealed?.(id);
      while (chunk.next < chunk.end && inputs.length < lane.limit) {
        const index = chunk.next++;
        if (!addToInputs(inputs, known, chunk.ticket, index, lane.mergesTypes))
          postponed.push({ ticket: chunk.ticket, next: index, end: index + 1, since: chunk.since });
        taken += 1;
      }
      if (chunk.next < chunk.end) break;
      emptied += 1;
    }
    lane.chunks.splice(0, emptied, ...postponed);
    this.#shrink(lane, taken - postponed.length);
    return inputs;
  }

  #shrink(lane: Lane, by: number): void {
    lane.size -= by;
    this.#size -= by;
    // lanes come and go with their pairs: many object pairs over a process's life leave nothing behind
    if (lane.size === 0) this.#lanes.delete(laneKey(lane.fromObjectType, lane.toObjectType, lane.limit));
  }
}

/**
 * Most inputs of a batch of pairs that failed `suspicion` times in company: all, a 20th, a 200th, then alone. A batch of
 * which nothing was named costs up to 24 calls to isolate; smaller ones bound what the next attempt may cost, and the
 * last attempts judge each input by itself.
 */
export function batchLimit(maxInputs: number, suspicion: number): number {
  if (suspicion <= 0) return maxInputs;
  if (suspicion > 2) return 1;
  return Math.max(1, Math.floor(maxInputs / (suspicion === 1 ? 20 : 200)));
}

/** Everybody who waits for an input's outcome. */
export const waitersOf = (input: Input): readonly Waiter[] => [input, ...(input.others ?? [])];

/**
 * Gives an input's outcome to everybody who waits for it.
 * @returns how many they are
 */
export function settle(input: Input, outcome: Outcome): number {
  if (!input.isOpen) throw new Error('an input was settled twice');
  input.isOpen = false;
  settleWaiter(input, outcome);
  if (!input.others) return 1;
  for (const waiter of input.others) settleWaiter(waiter, outcome);
  return 1 + input.others.length;
}

function settleWaiter({ ticket, index }: Waiter, outcome: Outcome): void {
  if (ticket.outcomes[index] !== undefined)
    throw new Error(`pair ${index} of a job has an outcome already: an input was settled twice`);
  ticket.outcomes[index] = outcome;
  ticket.open -= 1;
  if (ticket.open === 0) ticket.resolve(ticket.outcomes);
}

/** @returns false when the pair must wait for a batch of its own, because its types differ and may not be merged */
function addToInputs(
  inputs: Input[],
  known: PairMap<Input>,
  ticket: Ticket,
  index: number,
  mergesTypes: boolean,
): boolean {
  const { submission, typesText } = ticket;
  const [from, to] = submission.pairs[index] as Pair;
  const same = known.get(from, to);
  if (!same) {
    const { types } = submission;
    const input: Input = { from, to, types, merged: false, ticket, index, others: undefined, isOpen: true };
    inputs.push(input);
    known.add(input);
    return true;
  }
  if (same.ticket.typesText !== typesText) {
    if (!mergesTypes) return false;
    same.types = unionOfTypes(same.types, submission.types);
    same.merged = true;
  }
  same.others ??= [];
  same.others.push({ ticket, index });
  return true;
}

const isHigh = (chunk: Chunk | undefined): boolean => chunk?.ticket.submission.high === true;

/** They stand at the head. */
function highChunks({ chunks }: Lane): Chunk[] {
  const others = chunks.findIndex(chunk => !isHigh(chunk));
  return others < 0 ? [...chunks] : chunks.slice(0, others);
}

const laneKey = (from: string, to: string, limit: number): string => `${from}/${to} ${limit}`;

function unionOfTypes(one: readonly AssociationType[], other: readonly AssociationType[]): AssociationType[] {
  const union = new Map<string, AssociationType>();
  for (const type of [...one, ...other]) union.set(typesText([type]), type);
  return [...union.values()];
}
