/** A sealed batch: the inputs of one call, all of one object pair, no record pair twice. Pure. */
import { pairName } from '../../shared/contract/object-types.js';
import type { Inputs } from './inputs.js';
import type { Line } from './submission.js';

export type Batch = {
  readonly id: string;
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly inputs: Inputs;
  /** most inputs that the batch could have had; fewer for suspects */
  readonly limit: number;
  readonly line: Line;
  readonly trigger: Trigger;
  /** how long its first association had waited when the batch was sealed, milliseconds */
  readonly waitedMs: number;
  /** how many of its associations have high priority; the others fill the batch */
  readonly high: number;
  /** held object pairs (with types) that the batch probes */
  readonly probes?: readonly string[];
};
/** Why a batch was closed; `high`: it was sealed out of turn because of high priority. */
export type Trigger = 'full' | 'linger' | 'flush' | 'high';

/** @returns the names under which an object pair may be held: alone, and with each of these lists of types */
export const pairNames = (
  { fromObjectType, toObjectType }: Pick<Batch, 'fromObjectType' | 'toObjectType'>,
  types: Iterable<string>,
): string[] => [
  pairName(fromObjectType, toObjectType),
  ...[...types].map(text => pairName(fromObjectType, toObjectType, text)),
];

export const namesOf = (batch: Batch): string[] => pairNames(batch, batch.inputs.typesTexts());
