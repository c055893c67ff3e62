/** What a sealed batch is: the inputs of one call, of one object pair, no record pair twice. Pure. */
import { pairName } from '../../hubspot/quota.js';
import type { Inputs } from './inputs.js';
import type { Line } from './submission.js';

export type Batch = {
  readonly id: string;
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly inputs: Inputs;
  /** how many inputs it could have had: fewer where they are suspected */
  readonly limit: number;
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

/** By which an object pair is held: itself, and with each of these lists of types. */
export const pairNames = (
  { fromObjectType, toObjectType }: Pick<Batch, 'fromObjectType' | 'toObjectType'>,
  types: Iterable<string>,
): string[] => [
  pairName(fromObjectType, toObjectType),
  ...[...types].map(text => pairName(fromObjectType, toObjectType, text)),
];

export const namesOf = (batch: Batch): string[] => pairNames(batch, batch.inputs.typesTexts());
