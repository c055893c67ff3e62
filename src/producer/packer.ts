/**
 * Packs associations into jobs, in memory. Pure: no I/O, no clock.
 * Responsible for:
 *   1. refusing invalid associations cheaply: a valid one costs two id checks and a few comparisons;
 *   2. lanes: associations of one object pair with the same types, in any order, share jobs;
 *   3. jobs of at most `maxPairs` pairs, in the order of the associations.
 * Not responsible for when a job is sent, for the words of a refusal (associationFaults), or for labels: associations
 * have types here.
 */
import {
  type Association,
  type AssociationType,
  associationFaults,
  type JobData,
  MAX_PAIRS_PER_JOB,
  type TypedAssociation,
  typeIdOf,
  typesText,
  typeText,
} from '../shared/contract/association.js';
import { readRecordId } from '../shared/contract/record-id.js';

/** Fields that every job of one sender has. */
export type JobOrigin = { source?: string; requestId?: string };

/** What the associations of a job have in common. A lane fills jobs of one kind. */
export type JobKind = Pick<JobData, 'fromObjectType' | 'toObjectType' | 'types'>;
type OpenLane = JobKind & { open: JobData | undefined };

export class Packer {
  readonly #origin: JobOrigin;
  readonly #onLane: (lane: JobKind) => void;
  readonly #maxPairs: number;
  #lanes = new Map<string, OpenLane>();
  // Consecutive associations mostly share a lane: a comparison with the last lane saves the lookup and the check of the
  // types. It compares by value, because a caller may modify an array that it reuses.
  #last: OpenLane | undefined;

  /** @param onLane called when a lane is opened, with its object pair and types */
  constructor(
    origin: JobOrigin = {},
    maxPairs = MAX_PAIRS_PER_JOB,
    onLane: (lane: JobKind) => void = () => {},
  ) {
    this.#origin = origin;
    this.#onLane = onLane;
    this.#maxPairs = maxPairs;
  }

  /**
   * @param association its label, if it had one, is already resolved into its types
   * @returns the job that now contains the association. Once it {@link isFull}, it belongs to the caller.
   *   Undefined if the association is invalid; then nothing was packed.
   */
  add(association: Association): JobData | undefined {
    if (typeof association !== 'object' || association === null) return undefined;
    const last = this.#last;
    const lane = last && isOf(last, association) ? last : this.#findLane(association);
    const from = readRecordId(association.from);
    const to = readRecordId(association.to);
    if (!lane || from === undefined || to === undefined) return undefined;
    this.#last = lane;
    lane.open ??= this.#openJob(lane);
    const job = lane.open;
    job.pairs.push([from, to]);
    if (this.isFull(job)) lane.open = undefined;
    return job;
  }

  isFull(job: JobData): boolean {
    return job.pairs.length >= this.#maxPairs;
  }

  /** Removes and returns the jobs that are not full, oldest lane first, and closes all lanes. */
  takeOpen(): JobData[] {
    const open = [...this.#lanes.values()].flatMap(lane => lane.open ?? []);
    this.#lanes = new Map();
    this.#last = undefined;
    return open;
  }

  #findLane(association: Association): OpenLane | undefined {
    const { fromObjectType, toObjectType, types } = association;
    if (types === undefined || associationFaults(association).length > 0) return undefined;
    const key = `${fromObjectType} ${toObjectType} ${typesText(types)}`;
    const known = this.#lanes.get(key);
    if (known) return known;
    const lane = { fromObjectType, toObjectType, types: withoutRepeats(types), open: undefined };
    this.#lanes.set(key, lane);
    this.#onLane(lane);
    return lane;
  }

  #openJob({ fromObjectType, toObjectType, types }: JobKind): JobData {
    return { version: 1, fromObjectType, toObjectType, types, pairs: [], ...this.#origin };
  }
}

function isOf(lane: JobKind, { fromObjectType, toObjectType, types }: Association): boolean {
  if (fromObjectType !== lane.fromObjectType || toObjectType !== lane.toObjectType) return false;
  if (!Array.isArray(types) || types.length !== lane.types.length) return false;
  for (let index = 0; index < types.length; index++) {
    const given: AssociationType | undefined = types[index];
    const known = lane.types[index];
    if (given?.associationCategory !== known?.associationCategory) return false;
    if (!isSameId(given?.associationTypeId, known?.associationTypeId)) return false;
  }
  return true;
}

/** `"279"` equals the number 279. */
const isSameId = (given: unknown, known: number | undefined): boolean =>
  given === known || (given !== undefined && typeIdOf(given) === known);

/** Copies the types, so that later changes by the caller do not reach the queue. */
function withoutRepeats(types: readonly AssociationType[]): AssociationType[] {
  const byText = new Map(types.map(type => [typeText(type), type]));
  return [...byText.values()].map(({ associationCategory, associationTypeId }) => ({
    associationCategory,
    associationTypeId: Number(associationTypeId),
  }));
}

/** @returns the associations of a job, which a caller can enqueue again */
export function unpack({ fromObjectType, toObjectType, types, pairs }: JobData): TypedAssociation[] {
  return pairs.map(([from, to]) => ({ fromObjectType, toObjectType, from, to, types }));
}
