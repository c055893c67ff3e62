/** The two reading calls beside batch/create: batch/read, in a simple form, and the labels of an object pair. */
import { labelOf, typesOfPair } from './association-types.js';
import { type Reply, refusal, refusalOfJson } from './replies.js';
import type { SimulatorState } from './state.js';

const MAX_READS = 1_000;

/** Returns associations in the direction in which they were created. Omits records without associations. */
export function read(state: SimulatorState, fromType: string, toType: string, text: string): Reply {
  let inputs: unknown;
  try {
    inputs = (JSON.parse(text) as { inputs?: unknown } | null)?.inputs;
  } catch {
    return refusalOfJson();
  }
  if (!Array.isArray(inputs)) return refusal('inputs is required');
  if (inputs.length > MAX_READS)
    return refusal(
      `The maximum number of inputs supported in a batch is ${MAX_READS}. Please reduce the number of items and try again`,
    );
  const started = new Date().toISOString();
  const results = inputs.flatMap((input: { id?: unknown } | null) => {
    const id = String(input?.id);
    const to = [...state.ledger.of(fromType, toType, id)].map(({ to, types }) => ({
      toObjectId: wireId(to),
      associationTypes: types.map(type => ({
        category: type.associationCategory,
        typeId: type.associationTypeId,
        label: labelOf({ from: fromType, to: toType }, type, state.options),
      })),
    }));
    return to.length > 0 ? [{ from: { id }, to }] : [];
  });
  return {
    status: 200,
    body: { status: 'COMPLETE', results, startedAt: started, completedAt: new Date().toISOString() },
  };
}

/** Answers like `GET …/labels`: the types of this direction; unlabelled types have label null. */
export function labels(state: SimulatorState, fromType: string, toType: string): Reply {
  const pair = { from: fromType, to: toType };
  const results = typesOfPair(pair, state.options).map(type => ({
    category: type.associationCategory,
    typeId: type.associationTypeId,
    label: labelOf(pair, type, state.options),
  }));
  return { status: 200, body: { results } };
}

const wireId = (id: string): string | number => (Number.isSafeInteger(Number(id)) ? Number(id) : id);
