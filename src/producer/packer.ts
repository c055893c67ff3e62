/**
 * Packs associations into jobs, in memory. Pure: no I/O, no clock.
 * Responsible for:
 *   1. refusing what cannot be enqueued, cheaply: a good association costs two id checks and a few comparisons;
 *   2. lanes: associations of one object pair with the same types, in any order, share jobs;
 *   3. jobs of at most `maxPairs` pairs, in the order in which the associations came.
 * Not responsible for when a job is sent, for the words of a refusal (associationFaults has them), or for labels: what
 * comes here has types.
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

/** What every job of one sender carries besides its pairs. */
export type JobOrigin = { source?: string; requestId?: string };

/** What the associations of a job have in common. */
export type Lane = Pick<JobData, 'fromObjectType' | 'toObjectType' | 'types'>;
type OpenLane = Lane & { open: JobData | undefined };

export class Packer {
  readonly #origin: JobOrigin;
  readonly #onLane: (lane: Lane) => void;
  readonly #maxPairs: number;
  #lanes = new Map<string, OpenLane>();
  // Neighbours mostly share a lane: comparing with the last one spares the lookup, and the check of types known good.
  // Compared by value, because a caller may change the array it reuses.
  #last: OpenLane | undefined;

  /** @param onLane told of each object pair with its types, once as long as the lane is known */
  constructor(origin: JobOrigin = {}, maxPairs = MAX_PAIRS_PER_JOB, onLane: (lane: Lane) => void = () => {}) {
    this.#origin = origin;
    this.#onLane = onLane;
    this.#maxPairs = maxPairs;
  }

  /**
   * @param association whose label, if it had one, is among its types by now
   * @returns the job that now holds the association; it takes no more, and is the caller's, once {@link isFull}.
   *   Undefined when the association is invalid: nothing of it was packed.
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

  /** Takes out the jobs that are not full, oldest lane first, and forgets all lanes. */
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

  #openJob({ fromObjectType, toObjectType, types }: Lane): JobData {
    return { version: 1, fromObjectType, toObjectType, types, pairs: [], ...this.#origin };
  }
}

function isOf(lane: Lane, { fromObjectType, toObjectType, types }: Association): boolean {
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

/** `"279"` is the number it is, here as everywhere. */
const isSameId = (given: unknown, known: number | undefined): boolean =>
  given === known || (given !== undefined && typeIdOf(given) === known);

/** Copies: what the caller does to its objects afterwards does not reach the queue. */
function withoutRepeats(types: readonly AssociationType[]): AssociationType[] {
  const byText = new Map(types.map(type => [typeText(type), type]));
  return [...byText.values()].map(({ associationCategory, associationTypeId }) => ({
    associationCategory,
    associationTypeId: Number(associationTypeId),
  }));
}

/** The associations of a job, as a caller could hand them over again. */
export function unpack({ fromObjectType, toObjectType, types, pairs }: JobData): TypedAssociation[] {
  return pairs.map(([from, to]) => ({ fromObjectType, toObjectType, from, to, types }));
}
