/**
 * What a batch is made of: inputs, and whose pairs they are. A job's pairs ride in several batches, and a batch carries
 * pairs of many jobs; an input's outcome goes to everybody who waits for its record pair, and a job hears of its own when
 * all of them have one. Pure.
 */
import { pairName } from '../../hubspot/quota.js';
import { type AssociationType, type Pair, typesText } from '../../shared/contract/association.js';
import type { Columns } from './columns.js';
import { CREATED, type Outcome } from './outcome.js';
import type { PairMap } from './pair-map.js';
import type { Pairs } from './pair-set.js';

/** The pairs of one job at one attempt. */
export type Submission = {
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly types: readonly AssociationType[];
  readonly pairs: Pairs;
  /** How many times the batches of these pairs are halved, because one of them may be at fault; 0: nobody suspects them */
  readonly suspicion: number;
  /** each of these pairs has failed before, for whatever reason */
  readonly failedBefore?: boolean;
  /** rides in the next call */
  readonly high?: boolean;
  /** OpenTelemetry's span of the job, where traces are on (tracing.ts) */
  readonly span?: unknown;
  /** told of every batch that some of the pairs ride in */
  onSealed?(batchId: string): void;
  /** Called once, with one outcome per pair, by position. It must not throw. */
  onOutcomes(outcomes: readonly Outcome[]): void;
};

/**
 * suspect: they have failed in company, and share their calls with such only · first: nothing is known against them, or
 * they are of high priority, which waits for nobody
 */
export type Line = 'first' | 'suspect';
export const LINES: readonly Line[] = ['first', 'suspect'];
export const lineOf = ({ suspicion, high }: Pick<Submission, 'suspicion' | 'high'>): Line =>
  suspicion > 0 && !high ? 'suspect' : 'first';

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
  /** how many inputs it has */
  readonly size: number;
  /** how many it could have had: fewer where they are suspected */
  readonly limit: number;
  readonly inputs: readonly Input[];
  /** the same in numbers, if they can be: where it will do, nobody asks for `inputs` */
  readonly plain?: PlainInputs | undefined;
  readonly line: Line;
  readonly trigger: Trigger;
  /** how long the first of its associations had waited when it was sealed, milliseconds */
  readonly waitedMs: number;
  /** how many of its associations are of high priority; the others fill up */
  readonly high: number;
  /** held object pairs (with types) of which it finds out whether they are free again */
  readonly probes?: readonly string[];
};
/** Why a batch was closed; `high`: it was not its turn, but high priority waited in it. */
export type Trigger = 'full' | 'linger' | 'flush' | 'high';

/** A submission on its way through batches. */
export type Ticket = {
  readonly submission: Submission;
  readonly typesText: string;
  /** the submission's; one list for all of the lane that say the same, so that a call of 2,000 jobs has one */
  readonly types: readonly AssociationType[];
  readonly outcomes: Outcome[];
  /** pairs without an outcome; the submission hears of them all when it reaches 0 */
  open: number;
};

/** A stretch of a job's pairs in a batch. */
export type Slice = { readonly ticket: Ticket; readonly start: number; readonly end: number };

/**
 * Inputs that nobody shares, with ids in numbers. Nearly every batch is all created, and no input of it was ever looked at
 * by itself: only those that are named, refused or to be tried again need to be objects.
 */
export class PlainInputs {
  #inputs: readonly Input[] | undefined;

  constructor(
    private readonly slices: readonly Slice[],
    readonly size: number,
  ) {}

  /** Made when somebody asks for them, and then they are the ones to be settled. */
  get inputs(): readonly Input[] {
    this.#inputs ??= this.slices.flatMap(inputsOf);
    return this.#inputs;
  }

  get hasFirstTimers(): boolean {
    return this.slices.some(({ ticket }) => !ticket.submission.failedBefore);
  }

  /** The lists of types that were asked for. */
  get types(): Set<string> {
    return new Set(this.slices.map(({ ticket }) => ticket.typesText));
  }

  columns(): Columns {
    const ids = new Float64Array(2 * this.size);
    const types: (readonly AssociationType[])[] = [];
    const counts: number[] = [];
    let at = 0;
    for (const { ticket, start, end } of this.slices) {
      const own = ticket.submission.pairs.ids ?? [];
      for (let id = 2 * start; id < 2 * end; id++) ids[at++] = own[id] as number;
      if (types.at(-1) !== ticket.types) {
        types.push(ticket.types);
        counts.push(0);
      }
      counts[types.length - 1] = (counts[types.length - 1] as number) + end - start;
    }
    return { ids, types, counts };
  }

  /** Where nothing of the batch has an outcome yet. */
  settleAllCreated(): void {
    for (const { ticket, start, end } of this.slices) {
      ticket.outcomes.fill(CREATED, start, end);
      endWaiting(ticket, end - start);
    }
  }
}

const inputsOf = ({ ticket, start, end }: Slice): Input[] =>
  Array.from({ length: end - start }, (_, at) => newInput(ticket, start + at));

function newInput(ticket: Ticket, index: number): Input {
  const [from, to] = ticket.submission.pairs.at(index) as Pair;
  return { from, to, types: ticket.types, merged: false, ticket, index, others: undefined, isOpen: true };
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

export function settleWaiter({ ticket, index }: Waiter, outcome: Outcome): void {
  if (ticket.outcomes[index] !== undefined)
    throw new Error(`pair ${index} of a job has an outcome already: an input was settled twice`);
  ticket.outcomes[index] = outcome;
  endWaiting(ticket, 1);
}

/** By which an object pair is held: itself, and with each of these lists of types. */
export const pairNames = (
  { fromObjectType, toObjectType }: Pick<Batch, 'fromObjectType' | 'toObjectType'>,
  types: Iterable<string>,
): string[] => [
  pairName(fromObjectType, toObjectType),
  ...[...types].map(text => pairName(fromObjectType, toObjectType, text)),
];

/** The lists of types that were asked for; a merged input stands for several. */
export const typesOf = (inputs: readonly Input[]): Set<string> =>
  new Set(inputs.flatMap(input => waitersOf(input).map(({ ticket }) => ticket.typesText)));

export const namesOf = (batch: Batch): string[] =>
  pairNames(batch, batch.plain ? batch.plain.types : typesOf(batch.inputs));

function endWaiting(ticket: Ticket, pairs: number): void {
  ticket.open -= pairs;
  if (ticket.open < 0) throw new Error('a job has more outcomes than pairs: an input was settled twice');
  if (ticket.open === 0) ticket.submission.onOutcomes(ticket.outcomes);
}

/** @returns false when the pair must wait for a batch of its own, because its types differ and may not be merged */
export function addToInputs(
  inputs: Input[],
  known: PairMap<Input>,
  ticket: Ticket,
  index: number,
  mergesTypes: boolean,
): boolean {
  const { submission, typesText, types } = ticket;
  const [from, to] = submission.pairs.at(index) as Pair;
  const same = known.get(from, to);
  if (!same) {
    const input = newInput(ticket, index);
    inputs.push(input);
    known.add(input);
    return true;
  }
  if (same.ticket.typesText !== typesText) {
    if (!mergesTypes) return false;
    same.types = unionOfTypes(same.types, types);
    same.merged = true;
  }
  same.others ??= [];
  same.others.push({ ticket, index });
  return true;
}

function unionOfTypes(one: readonly AssociationType[], other: readonly AssociationType[]): AssociationType[] {
  const union = new Map<string, AssociationType>();
  for (const type of [...one, ...other]) union.set(typesText([type]), type);
  return [...union.values()];
}
